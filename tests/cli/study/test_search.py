"""`mfagan search` through the command line: samplers, ceilings, objectives, an exhaustive study and its table."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from search import pareto
from search.benchmarks.tabular import TabularProblem
from search.problem import Point
from search.study import StudyRecord, load
from tests import tiny
from tests.command import Run, search_command
from tests.front_page import data_in


def found_in(folder: Path) -> StudyRecord:
    return load(str(folder / "study.db"), "s")


@pytest.mark.parametrize("sampler", ["nsga2", "front", "tpe", "random", "exhaustive"])
def test_every_sampler_searches(run: Run, trained: Path, table: Path, tmp_path: Path, sampler: str):
    assert run(*search_command(trained, table, tmp_path / "study.db", 7), "--sampler", sampler).status == 0
    record = found_in(tmp_path)
    assert record.n_trials == record.n_unique_trials == 7
    first = [set(point.choice.values()) for point in record.points[:3]]
    starts_uniform = first == [{48}, {32}, {24}]
    assert starts_uniform == (sampler in ("nsga2", "front", "tpe"))


def test_each_step_names_the_next_one(run: Run, trained: Path, table: Path, tmp_path: Path):
    storage = tmp_path / "a study.db"
    out = run(*search_command(trained, table, storage)).out
    (browse,) = re.findall(r"^browse it: mfagan (.*) --out front.html$", out, re.MULTILINE)
    assert run(*shlex.split(browse), "--out", tmp_path / "front.html").status == 0
    (study,) = data_in(tmp_path / "front.html")["studies"]
    (pick,) = re.findall(
        r"Pick a trial N: mfagan (.*) --trial N --out picked.json", "\n".join(study["notes"])
    )
    assert run(*shlex.split(pick), "--trial", 3, "--out", tmp_path / "picked.json").status == 0
    assert json.loads((tmp_path / "picked.json").read_text())["trial"] == 3


@pytest.mark.parametrize("command", [("front",), ("tabulate",), ("pick", "--knee")])
def test_no_file_replaces_the_study(run: Run, trained: Path, table: Path, tmp_path: Path, command: tuple):
    storage = tmp_path / "study.db"
    assert run(*search_command(trained, table, storage)).status == 0
    message = run(*command, "--storage", storage, "--study", "s", "--out", storage).message
    assert f"{storage} is the study's storage: write another file" in message
    assert found_in(tmp_path).n_trials == 6


def test_an_unknown_sampler_or_precision(run: Run, trained: Path, table: Path, tmp_path: Path):
    command = search_command(trained, table, tmp_path / "study.db")
    assert (
        "sampler 'best' is not known: choose from nsga2, front" in run(*command, "--sampler", "best").message
    )
    assert "precision 'fp16': give one of fp32, bf16" in run(*command, "--precision", "fp16").message
    assert not (tmp_path / "study.db").exists()


@pytest.mark.parametrize(
    ("option", "figure", "factor", "unit"),
    [
        ("--max-latency-ms", "latency_ms", 1, "ms"),
        ("--max-params", "params", 1, "parameters"),
        ("--max-gflops", "flops", 1e9, "FLOPs"),
        ("--max-memory-gb", "memory_bytes", 1e9, "bytes"),
    ],
)
def test_a_ceiling_holds_and_an_impossible_one_names_the_least(
    run: Run, trained: Path, table: Path, tmp_path: Path, option: str, figure: str, factor: float, unit: str
):
    command = search_command(trained, table, tmp_path / "study.db", 12)
    message = run(*command, option, 1e-6).message
    least = float(re.search(rf"max_{figure} is .*the least of all SubGenerators is (\S+) {unit}", message)[1])  # type: ignore[index]
    assert not (tmp_path / "study.db").exists()
    ceiling = 1.3 * least
    assert run(*command, option, ceiling / factor).status == 0
    points = found_in(tmp_path).points
    assert {point.feasible for point in points} == {True, False}
    for point in points:
        value = point.values[1] if figure == "latency_ms" else point.attributes[figure]
        assert isinstance(value, int | float)
        assert point.feasible == (value <= ceiling * (1 + 1e-9))
    assert run(*command, option, 2 * least / factor).message.endswith("use another study name")


def test_memory_as_an_extra_objective(run: Run, trained: Path, table: Path, tmp_path: Path):
    command = [*search_command(trained, table, tmp_path / "study.db", 9), "--objective", "memory"]
    assert run(*command).status == 0
    record = found_in(tmp_path)
    assert [objective.name for objective in record.objectives] == ["psnr_db", "latency_ms", "memory_gb"]
    for point in record.points:
        memory_bytes = point.attributes["memory_bytes"]
        assert isinstance(memory_bytes, int)
        assert point.values[2] == memory_bytes / 1e9
    where = ["--storage", tmp_path / "study.db", "--study", "s", "--out"]
    assert run("front", *where, tmp_path / "front.html").status == 0
    assert "Memory traffic (GB)" in (tmp_path / "front.html").read_text()
    assert run("pick", "--trial", 2, *where, tmp_path / "picked.json").status == 0
    assert json.loads((tmp_path / "picked.json").read_text())["latency_ms"] == record.points[2].values[1]


def test_lpips_as_an_extra_objective(
    run: Run, trained: Path, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    command = [*search_command(trained, table, tmp_path / "study.db", 4), "--objective", "lpips"]
    assert "not measured without AlexNet's weights; give --weights" in run(*command).message
    weights = tiny.write_alexnet(tmp_path / "alexnet.pth", monkeypatch)
    assert run(*command, "--weights", weights).status == 0
    record = found_in(tmp_path)
    assert [objective.name for objective in record.objectives] == ["psnr_db", "latency_ms", "lpips"]
    assert all(point.values[2] > 0 for point in record.points)
    assert len({point.values[2] for point in record.points}) == 4
    assert len(record.identity["lpips_sha256"]) == 64


def test_objectives_that_cannot_be(run: Run, trained: Path, table: Path, tmp_path: Path):
    command = search_command(trained, table, tmp_path / "study.db")
    assert (
        "extra objective 'beauty': give one of memory, lpips"
        in run(*command, "--objective", "beauty").message
    )
    assert not (tmp_path / "study.db").exists()


def test_a_study_with_gaps_is_no_table(run: Run, trained: Path, table: Path, tmp_path: Path):
    assert run(*search_command(trained, table, tmp_path / "study.db")).status == 0
    done = run("tabulate", "--storage", tmp_path / "study.db", "--study", "s", "--out", tmp_path / "t.json")
    assert "has 6 of 6561 choices" in done.message
    assert not (tmp_path / "t.json").exists()


@pytest.mark.slow
def test_an_exhaustive_study_is_killed_goes_on_and_becomes_a_table(
    run: Run, trained: Path, table: Path, tmp_path: Path
):
    storage = f"journal://{tmp_path / 'study.log'}"
    command = [*search_command(trained, table, storage, None), "--sampler", "exhaustive"]
    process = subprocess.Popen(
        [sys.executable, "-m", "mfagan", *map(str, command)], stderr=subprocess.DEVNULL
    )
    while n_finished(tmp_path / "study.log") < 500:
        assert process.poll() is None
        time.sleep(0.2)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    n_before = n_finished(tmp_path / "study.log")
    done = run(*command)
    assert done.status == 0
    assert "all 6561 choices are evaluated: the study is complete" in done.err
    assert n_before < 6561 == n_finished(tmp_path / "study.log")
    out = tmp_path / "exact.json"
    assert run("tabulate", "--storage", storage, "--study", "s", "--out", out).status == 0
    exact, record = TabularProblem.read(out), load(storage, "s")
    assert record.n_trials == record.n_unique_trials == 6561
    assert exact.identity() == record.identity
    assert exact.names_foreseen == ("latency_ms",)
    points = [
        Point(number, exact.space.choice(key), tuple(values))
        for number, (key, values) in enumerate(zip(exact.space.grid(), exact.values.tolist(), strict=True))
    ]
    fronts = [pareto.front(some, record.objectives) for some in (points, record.points)]
    assert [point.values for point in fronts[0]] == [point.values for point in fronts[1]]


def n_finished(journal: Path) -> int:
    """Trials that the journal says are complete."""
    return journal.read_text().count('"state":1') if journal.exists() else 0


def test_a_study_knows_what_a_delegate_rejects(run: Run, trained: Path, table: Path, tmp_path: Path):
    command = search_command(trained, table, tmp_path / "study.db")
    assert run(*command, "--delegate", "xnnpack", "--max-rejected", 50).status == 0
    for point in found_in(tmp_path).points:
        assert point.attributes["delegate_clean"] is False
        assert int(str(point.attributes["rejected_operators"])) in range(2, 51)
    other = search_command(trained, table, tmp_path / "other.db")
    refused = run(*other, "--delegate", "xnnpack", "--max-rejected", 0)
    assert "max_rejected_operators is 0, but the least of all SubGenerators is" in refused.message
    assert "name the delegate" in run(*other, "--max-rejected", 0).message
