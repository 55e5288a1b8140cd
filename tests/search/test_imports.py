"""The walls of `search`, read from its imports."""

import ast
from pathlib import Path

import pytest

from tests import ROOT

SEARCH = ROOT / "search"
FILES = sorted(SEARCH.rglob("*.py"))
ON_OPTUNA = {
    "benchmark.py",
    "claims.py",
    "connection.py",
    "dashboard.py",
    "overhead.py",
    "quiet.py",
    "samplers/nsga2.py",
    "samplers/tpe.py",
    "study.py",
}
PLAIN = {"search.errors", "search.problem"}


def imported(path: Path) -> set[str]:
    """Top-level names that a file imports anywhere, with `search.x` kept whole."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            whole = node.module == "search"
            names.update(f"search.{alias.name}" if whole else str(node.module) for alias in node.names)
    return {name if name.startswith("search.") else name.partition(".")[0] for name in names}


def place(path: Path) -> str:
    return path.relative_to(SEARCH).as_posix()


def test_there_are_files():
    assert {"problem.py", "study.py", "samplers/base.py"} <= set(map(place, FILES))


@pytest.mark.parametrize("path", FILES, ids=place)
def test_walls(path):
    names = imported(path)
    assert not names & {"mfagan", "torch", "tests"}
    if place(path) not in ON_OPTUNA:
        assert not names & {"optuna", "optunahub"}
    if place(path) not in ("plot.py", "bubbles.py", "page.py"):
        assert "plotly" not in names
    if place(path) != "__main__.py":
        assert "rich" not in names
    if place(path) != "testing.py":  # a dependency of tests alone
        assert "pytest" not in names
        assert "search.testing" not in names


@pytest.mark.parametrize("name", ["problem.py", "latency.py"])
def test_plain_data_stays_plain(name):
    names = imported(SEARCH / name)
    assert {n for n in names if n.startswith("search")} <= PLAIN
    assert not names & {"numpy", "plotly", "sqlalchemy"}


def test_samplers_know_no_study_nor_storage():
    """They draw from plain points, so that one can be tried and compared without any."""
    allowed = PLAIN | {"search.pareto", "search.optuna_logging"}
    for path in FILES:
        if path.parent.name == "samplers":
            names = {n for n in imported(path) if n.startswith("search")}
            assert {n for n in names if not n.startswith("search.samplers")} <= allowed, path
