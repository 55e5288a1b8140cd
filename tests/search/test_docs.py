"""The files and commands of docs/search.md and of the README's part on other searches are run as they stand."""

import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from search.__main__ import load_problem, main
from search.benchmarks.tabular import TabularProblem
from search.problem import Problem
from search.samplers import NAMES
from search.study import load
from search.testing import ProblemContract
from tests import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
GUIDE = (ROOT / "docs" / "search.md").read_text(encoding="utf-8")
NAMED = re.compile(r"`(\w+\.py)`[^`]*:\n\n```python\n(.*?)```", re.DOTALL)
FILES = dict(NAMED.findall(README) + NAMED.findall(GUIDE))


def commands(text: str) -> list[list[str]]:
    """Every indented command that begins with python or pytest, cut into words."""
    lines = text.replace("\\\n", " ").splitlines()
    return [shlex.split(line, comments=True) for line in lines if re.match(r"    (python|pytest) ", line)]


def command(text: str, *words: str) -> list[str]:
    """The one command that has these words."""
    (found,) = [command for command in commands(text) if set(words) <= set(command)]
    return found


def search(command: list[str]) -> int:
    assert command[:3] == ["python", "-m", "search"]
    return main(command[3:])


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Iterator[Path]:
    """A working folder with the files of both texts, which can be imported while it is used."""
    for name, content in FILES.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name in FILES:
        sys.modules.pop(name.removesuffix(".py"), None)


def assert_contract(problem: Problem, folder: Path) -> None:
    tests = [name for name in vars(ProblemContract) if name.startswith("test_")]
    for name in tests:
        arguments = [folder] if name == "test_a_study_runs_and_continues" else []
        getattr(ProblemContract(), name)(problem, *arguments)


def test_the_files_are_found():
    names = ["bridge", "deflate", "small", "test_small", "tabulate", "compare", "serve"]
    assert list(FILES) == [f"{name}.py" for name in names]


def test_a_problem_has_twenty_lines():
    lines = [line for line in FILES["deflate.py"].splitlines() if line.strip()]
    assert len(lines) <= 20


@pytest.mark.parametrize("name", ["bridge", "deflate", "small"])
def test_the_problems_fulfil_the_contract(folder, name):
    assert_contract(load_problem(f"{name}:build"), folder)


@pytest.mark.parametrize(
    ("text", "problem", "n_trials"), [(README, "bridge", 40), (GUIDE, "deflate", 200), (GUIDE, "small", 60)]
)
def test_the_searches_run(folder, capsys, text, problem, n_trials):
    words = command(text, f"{problem}:build", *(["deflate.db"] if problem == "deflate" else []))
    assert search(words) == 0
    assert capsys.readouterr().out.startswith(f"{n_trials} finished trials, {n_trials} distinct, ")
    assert ("--out" in words) == (folder / "front.html").exists()


def test_the_lines_of_python_run_one_after_the_other(folder, capsys):
    blocks = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    loose = [block for block in blocks if block not in FILES.values()]
    assert len(loose) == 2
    for block in loose:
        exec(compile(block.replace(", 200,", ", 40,"), "docs/search.md", "exec"), {})
    assert "'level'" in capsys.readouterr().out
    assert search([*command(GUIDE, "deflate.db"), "--trials", "41"]) == 0
    (point,) = [point for point in load("deflate.db", "first").points if point.number == 40]
    assert (point.choice["level"], point.choice["wbits"]) == (9, 10)


def test_the_commands_of_the_benchmarks_are_those_that_there_are():
    for name in ("benchmark", "overhead"):
        words = command(GUIDE, name)
        assert words[:4] == ["python", "-m", "search", name]
        assert search([*words[:3], name, "none.json", *words[5:]]) == 2


@pytest.mark.slow
def test_the_contract_of_ones_own_problem(folder):
    words = command(GUIDE, "pytest")
    done = subprocess.run(
        [sys.executable, "-m", *words, "-p", "no:cacheprovider"],
        cwd=folder,
        env={"PYTHONPATH": f"{ROOT}:{folder}"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


@pytest.mark.slow
def test_the_proxy(folder, capsys):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    start = command(GUIDE, "serve.py")
    arguments = ["sqlite:///behind.db", *start[3:-1], port]
    proxy = subprocess.Popen([sys.executable, start[1], *arguments], cwd=folder)
    try:
        words = [
            word.replace("13000", port) for word in command(GUIDE, "deflate:build", "grpc://127.0.0.1:13000")
        ]
        words[words.index("--trials") + 1] = "20"
        assert search(words) == 0
    finally:
        proxy.kill()
        proxy.wait()
    assert load("behind.db", "first").n_unique_trials == 20


@pytest.mark.slow
def test_the_table(folder):
    assert search(command(GUIDE, "exhaustive")) == 0
    subprocess.run([sys.executable, "tabulate.py"], cwd=folder, env={"PYTHONPATH": str(ROOT)}, check=True)
    table = TabularProblem.read("deflate.json")
    assert len(table.values) == 2268


def test_every_sampler_is_described():
    assert re.findall(r"^\| `(\w+)` \|", GUIDE, re.MULTILINE) == list(NAMES)
