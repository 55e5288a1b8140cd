"""The walls of `search`, read from its imports."""

import ast
from pathlib import Path

import pytest

FILES = sorted((Path(__file__).parents[2] / "search").glob("*.py"))


def imported(path: Path) -> set[str]:
    """Top-level names that a file imports anywhere, with `search.x` kept whole."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            names.add(node.module or "")
    return {name if name.startswith("search.") else name.partition(".")[0] for name in names}


def test_there_are_files():
    assert {"problem.py", "study.py"} <= {path.name for path in FILES}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_walls(path):
    names = imported(path)
    assert not names & {"mfagan", "torch", "tests"}
    if path.stem not in ("study", "claims", "connection", "quiet", "benchmark", "dashboard"):
        assert not names & {"optuna", "optunahub"}
    if path.name not in ("plot.py", "bubbles.py", "page.py"):
        assert "plotly" not in names
    if path.name != "__main__.py":
        assert "rich" not in names


@pytest.mark.parametrize("name", ["problem.py", "latency.py"])
def test_plain_data_stays_plain(name):
    path = next(path for path in FILES if path.name == name)
    assert {n for n in imported(path) if n.startswith("search")} <= {"search.errors", "search.problem"}
    assert not imported(path) & {"numpy", "plotly", "sqlalchemy"}
