import ctypes
import errno
import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from search import pareto
from search.__main__ import load_problem, main
from search.errors import SearchError
from search.study import load, run
from tests import ROOT
from tests.front_page import data_in
from tests.search.toy import Lens

LIBC = ctypes.CDLL(None, use_errno=True)
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE = 24, 1
SERVER = "postgresql+psycopg://user:s3cret@127.0.0.1:1/db"


def search(*arguments: object, first: Callable[[], None] | None = None) -> subprocess.CompletedProcess[str]:
    """Runs it; `first` is called in the new process before anything else."""
    command = [sys.executable, "-m", "search", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, preexec_fn=first)


def arguments(storage: object, trials: int = 25, problem: str = "tests.search.toy:build") -> list[str]:
    options = ["--storage", storage, "--study", "toy", "--trials", trials, "--population", 20]
    return ["run", problem, *map(str, options)]


def test_a_real_run_and_its_continuation(tmp_path):
    storage, out = tmp_path / "study.db", tmp_path / "front.html"
    first = search(*arguments(storage, 15))
    assert (first.returncode, first.stdout.splitlines()[0][:18]) == (0, "15 finished trials")
    second = search(*arguments(storage), "--seed", 0, "--out", out)
    assert second.returncode == 0
    summary, head, *rows, wrote = second.stdout.splitlines()
    assert summary.startswith("25 finished trials, ")
    assert head.split() == [
        "trial",
        "sharpness",
        "(lp/mm)",
        "weight",
        "(g)",
        "elements",
        "diameter_mm",
        "glass",
    ]
    assert summary.endswith(f", {len(rows)} on the front")
    assert wrote == f"wrote {out}"
    assert "best sharpness" in second.stderr
    assert "Plotly.newPlot" in out.read_text()
    run(Lens(), str(tmp_path / "once.db"), "toy", 25, population=20)
    assert load(str(storage), "toy").points == load(str(tmp_path / "once.db"), "toy").points
    assert sorted(path.name for path in tmp_path.iterdir()) == ["front.html", "once.db", "study.db"]


def test_an_exhausted_space_is_said(tmp_path, capsys):
    arguments = [
        "--storage",
        str(tmp_path / "study.db"),
        "--study",
        "s",
        "--trials",
        "200",
        "--population",
        "30",
    ]
    assert main(["run", "tests.search.toy:build", *arguments]) == 0
    shown = capsys.readouterr().out
    assert "all 90 choices are evaluated: the study is complete" in shown
    assert "90 finished trials, 90 distinct" in shown


def test_interrupted_and_continued(tmp_path, capsys):
    storage = tmp_path / "study.db"
    assert main(arguments(storage, problem="tests.search.toy:build_interrupted")) == 130
    assert capsys.readouterr().err.splitlines()[-1].startswith("error: interrupted;")
    assert load(str(storage), "toy").n_trials == 20
    assert main(arguments(storage)) == 0
    assert load(str(storage), "toy").n_trials == 25


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        ("tests.search.toy", "write MODULE:FUNCTION"),
        (":build", "write MODULE:FUNCTION"),
        ("tests.search.toy:", "write MODULE:FUNCTION"),
        ("no_such_module:build", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("tests.search.toy:nothing", "has no function 'nothing'"),
        ("tests.search.toy:GLASS_G", "has no function 'GLASS_G'"),
        ("tests.search.toy:build_nothing", "returned 'no problem': it must return"),
        ("broken:build", "module 'broken' of 'broken:build' cannot be imported (SyntaxError:"),
    ],
)
def test_bad_problems(tmp_path, capsys, monkeypatch, problem, words):
    (tmp_path / "broken.py").write_text("def build(:\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert main(arguments(tmp_path / "study.db", problem=problem)) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("error: ")
    assert words in shown
    assert shown.count("\n") == 1
    assert not (tmp_path / "study.db").exists()


def test_a_page_shows_what_the_problem_describes(tmp_path):
    storage, out = tmp_path / "study.db", tmp_path / "front.html"
    given = arguments(storage, problem="tests.search.toy:build_described")
    assert main([*given, "--out", str(out)]) == 0
    record = load(str(storage), "toy")
    (study,) = data_in(out)["studies"]
    best = {point.number: point.choice["glass"] for point in pareto.front(record.points, record.objectives)}
    shown = {study["trials"][int(row)]: point["drawing"]["boxes"] for row, point in study["points"].items()}
    assert {number: boxes[0]["text"] for number, boxes in shown.items()} == best
    assert "Diameter (mm)" in {choice["label"] for choice in study["choices"]}
    assert "Drawn by hand." in study["notes"]


def test_a_page_of_one_objective_is_refused_before_the_first_trial(tmp_path, capsys):
    storage = tmp_path / "study.db"
    given = arguments(storage, problem="tests.search.toy:build_single")
    assert main([*given, "--out", str(tmp_path / "front.html")]) == 2
    assert "a page of the front needs 2 objectives, there is 1" in capsys.readouterr().err
    assert not storage.exists()


def test_a_page_over_the_study_is_refused_before_the_first_trial(tmp_path, capsys):
    storage = tmp_path / "study.db"
    assert main([*arguments(storage), "--out", str(storage)]) == 2
    assert f"{storage} is the study's storage" in capsys.readouterr().err
    assert not storage.exists()


def test_a_problem_in_the_working_folder(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text("from tests.search.toy import build\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    assert isinstance(load_problem("mine:build"), Lens)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["run"], "Missing argument 'MODULE:FUNCTION'"),
        (["run", "tests.search.toy:build", "--study", "toy"], "Missing option '--storage'"),
        ([], "Missing command"),
        (["walk"], "No such command 'walk'"),
        ([*arguments("study.db"), "--trials", "many"], "Invalid value for '--trials': "),
        ([*arguments("study.db"), "--sampler", "luck"], "sampler 'luck' is not known: choose from nsga2"),
        ([*arguments("/nowhere/study.db")], "folder that does not exist"),
        ([*arguments(SERVER)], "user:***@127.0.0.1:1/db does not work"),
        ([*arguments("study.db"), "--trials", "0"], "n_trials is 0"),
        (
            [*arguments("study.db"), "--out", "/dev/null/front.html"],
            "/dev/null/front.html cannot be written (a file stands where a folder is needed)",
        ),
        ([*arguments("study.db"), "--out", "/dev/null"], "/dev/null cannot be written (something other than"),
        ([*arguments("study.db"), "--out", "/tmp"], "/tmp cannot be written (it is a folder)"),
    ],
)
def test_bad_arguments_are_one_line(given, words):
    done = search(*given)
    last = done.stderr.splitlines()[-1]
    assert done.returncode == 2
    assert last.startswith("error: ")
    assert words in last
    assert "Traceback" not in done.stderr
    assert "s3cret" not in done.stdout + done.stderr
    assert done.stdout == ""
    assert not (ROOT / "study.db").exists()


def _give_up_roots_privilege() -> None:
    """Root may write any file; what root starts after this may not."""
    if os.geteuid() == 0 and LIBC.prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_CAPBSET_DROP)")


def test_a_read_only_study(tmp_path):
    storage = tmp_path / "study.db"
    run(Lens(), str(storage), "toy", 5, population=20)
    before = storage.read_bytes()
    storage.chmod(0o444)
    tmp_path.chmod(0o555)

    def refused(*given: object) -> str:
        done = search(*given, first=_give_up_roots_privilege)
        assert (done.returncode, done.stdout.count("wrote")) == (2, 0)
        assert "Traceback" not in done.stderr
        return done.stderr.splitlines()[-1]

    try:
        assert "attempt to write a readonly database" in refused(*arguments(storage, 6))
        assert "unable to open database file" in refused(*arguments(tmp_path / "new.db", 5))
        assert "cannot be written" in refused(*arguments(storage, 5), "--out", tmp_path / "front.html")
        complete = search(*arguments(storage, 5), first=_give_up_roots_privilege)
        assert (complete.returncode, complete.stdout[:17]) == (0, "5 finished trials")  # only read
        assert storage.read_bytes() == before
        assert [path.name for path in tmp_path.iterdir()] == ["study.db"]
    finally:
        tmp_path.chmod(0o755)


def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch, capsys):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert main([*arguments(tmp_path / "study.db", 3), "--out", str(tmp_path / "front.html")]) == 2
    assert "cannot be written (No space left on device)" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["study.db"]


def test_the_folder_of_the_page_is_made(tmp_path):
    out = tmp_path / "new" / "folder" / "front.html"
    assert main([*arguments(tmp_path / "study.db", 3), "--out", str(out)]) == 0
    assert out.exists()


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            ZeroDivisionError("in the problem"),
            "ZeroDivisionError: in the problem; raised by Lens.evaluate for {",
        ),
        (
            OSError(5, "Input/output error", "photo.png"),
            "photo.png: Input/output error; raised by Lens.evaluate",
        ),
        (
            OverflowError("int too large"),
            "OverflowError: int too large; raised by Lens.evaluate for {'elements'",
        ),
        (UnicodeEncodeError("ascii", "ä", 0, 1, "odd"), "UnicodeEncodeError: 'ascii' codec can't encode"),
        (MemoryError(), "MemoryError; raised by Lens.evaluate for {"),
        (SearchError("no such block"), "no such block"),
    ],
)
def test_an_error_of_the_problem_is_one_line_and_names_the_choices(
    tmp_path, monkeypatch, capsys, error, line
):
    def fail(self, batch):
        raise error

    monkeypatch.setattr(Lens, "evaluate", fail)
    assert main(arguments(tmp_path / "study.db")) == 2
    shown = capsys.readouterr().err.splitlines()[-1]
    assert shown.startswith(f"error: {line}")
    assert shown.endswith("SEARCH_DEBUG=1 in the environment shows the traceback") != isinstance(
        error, SearchError
    )


def test_the_traceback_of_an_error_can_be_seen(tmp_path, monkeypatch):
    def fail(self, batch):
        raise ZeroDivisionError("in the problem")

    monkeypatch.setattr(Lens, "evaluate", fail)
    monkeypatch.setenv("SEARCH_DEBUG", "1")
    with pytest.raises(ZeroDivisionError, match="in the problem"):
        main(arguments(tmp_path / "study.db"))


def test_a_function_that_raises_is_named(tmp_path, capsys):
    assert main(arguments(tmp_path / "study.db", problem="tests.search.toy:Lens.score")) == 2
    assert main(arguments(tmp_path / "study.db", problem="tests.search.toy:searched")) == 2
    shown = capsys.readouterr().err.splitlines()[-1]
    assert shown.startswith("error: TypeError: searched() missing")
    assert "raised by tests.search.toy:searched" in shown


@pytest.mark.parametrize(
    "words",
    [
        "search benchmark",
        "search overhead",
        "search.benchmark",
        "search.overhead",
        "search.benchmarks.compare",
        "search.benchmarks.overhead",
    ],
)
def test_the_commands_of_the_benchmarks_have_the_names_they_had(words, tmp_path):
    out = tmp_path / "out.json"
    command = [sys.executable, "-m", *words.split(), "nothing.json", "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: tabular benchmark nothing.json: no such file; check the path\n"
