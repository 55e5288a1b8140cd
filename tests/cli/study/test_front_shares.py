"""`mfagan front` of studies of several systems: shares of their unpruned networks."""

import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest

from search import pareto
from search.study import StudyRecord, load
from search.study import run as search_all
from tests.command import Run, search_command
from tests.front_page import data_in
from tests.mobilestylegan.study.small import build_problem, write_study

COSTS = ("latency_ms", "params", "macs")


@pytest.fixture(scope="module")
def storage(trained: Path, table: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study `s` of SubGenerators and a study `faces` of students in one storage; read it only."""
    folder = tmp_path_factory.mktemp("systems")
    path = folder / "study.db"
    command = [sys.executable, "-m", "mfagan", *map(str, search_command(trained, table, path, 12))]
    subprocess.run(command, check=True, capture_output=True)
    search_all(build_problem(write_study(folder)), str(path), "faces", None, sampler="exhaustive")
    return path


def front_by_hand(record: StudyRecord, cost: str) -> list[tuple[float, float]]:
    """(share of the cost, share of quality kept) of the front, from the study's own figures."""
    full = {name: max(options) for name, options in record.choices.items()}
    (unpruned,) = (point for point in record.points if point.choice == full)

    def cost_of(point) -> float:
        return point.values[1] if cost == "latency_ms" else point.attributes[cost]

    def kept(point) -> float:
        if record.objectives[0].name == "psnr_db":
            return point.values[0] / unpruned.values[0]
        return (1 - point.values[0]) / (1 - unpruned.values[0])

    pairs = [(cost_of(point) / cost_of(unpruned), kept(point)) for point in record.points]
    return sorted(
        one
        for one in pairs
        if not any(pareto.dominates(other, one, ["minimize", "maximize"]) for other in pairs)
    )


def test_two_systems_on_the_same_axes(run: Run, storage: Path, tmp_path: Path):
    out = tmp_path / "systems.html"
    done = run("front", "--storage", storage, "--study", "s", "--study", "faces", "--out", out)
    assert done.status == 0, done.err
    assert "left out" not in done.err
    data = data_in(out)
    assert [one["name"] for one in data["studies"]] == ["s", "faces"]
    assert [one["title"] for one in data["figures"]] == ["Latency", "Parameters", "MACs"]
    for cost, figure in zip(COSTS, data["figures"], strict=True):
        for name, trace in zip(("s", "faces"), figure["data"], strict=False):
            found = np.column_stack([trace["x"], trace["y"]])
            wanted = np.array(front_by_hand(load(str(storage), name), cost))
            assert found == pytest.approx(wanted), (name, cost)
    first = load(str(storage), "s").points[0]  # a search evaluates the unpruned network first
    group = data["groups"][0]
    assert group["quality"] == f"PSNR-Y {first.values[0]:.1f} dB"
    assert group["rows"][0][0] == ["unpruned network", "trial 0"]
    text = " ".join(data["paragraphs"])
    assert "Share kept of PSNR-Y (s): value / the unpruned network's." in text
    assert "Share kept of Distance to the teacher (faces): (1 − value) / (1 − the unpruned network's)" in text
    assert f"mfagan pick --storage {storage} --study faces --trial N --out picked.json" in text


def test_a_mark_tells_its_trial(run: Run, storage: Path, tmp_path: Path):
    out = tmp_path / "systems.html"
    assert run("front", "--storage", storage, "--study", "faces", "--study", "s", "--out", out).status == 0
    figure = data_in(out)["figures"][0]
    lines = figure["data"][0]["hovertext"][-1].split("<br>")
    number = int(re.findall(r"^<b>faces</b>, trial (\d+)$", lines[0])[0])
    (point,) = (one for one in load(str(storage), "faces").points if one.number == number)
    assert lines[1].startswith(f"Distance to the teacher {point.values[0]:.6g}: ")
    assert lines[2].startswith(f"Latency {point.values[1]:.6g} ms: ")
    assert lines[3].startswith(f"Parameters {point.attributes['params']:,}: ")
    assert lines[4].startswith(f"MACs {point.attributes['macs']:,}: ")
    assert lines[5] == ", ".join(f"{name} {option}" for name, option in point.choice.items())


def test_studies_of_several_storages(run: Run, storage: Path, trained: Path, table: Path, tmp_path: Path):
    other = tmp_path / "other.db"
    assert run(*search_command(trained, table, other, 3)).status == 0
    out = tmp_path / "both.html"
    done = run("front", "--storage", storage, "--study", "s", "--study", f"{other}::s", "--out", out)
    assert done.status == 0, done.err
    data = data_in(out)
    assert [one["name"] for one in data["studies"]] == [
        f"{storage}::s",
        f"{other}::s",
    ]  # one system: their front
    assert f"--storage {other} --study s --trial N" in " ".join(data["studies"][0]["notes"])
    done = run("front", "--storage", storage, "--study", "faces", "--study", f"{other}::s", "--out", out)
    assert done.status == 0, done.err
    assert [one["name"] for one in data_in(out)["studies"]] == ["faces", "s"]
    message = run("front", "--study", f"{other}::s", "--out", other).message
    assert "is the study's storage: write another file" in message
    assert "'none'" in run("front", "--study", f"{other}::none", "--out", out).message


def test_other_objectives_of_one_system(run: Run, storage: Path, trained: Path, table: Path, tmp_path: Path):
    other = tmp_path / "memory.db"
    assert run(*search_command(trained, table, other, 3), "--objective", "memory").status == 0
    out = tmp_path / "both.html"
    done = run("front", "--storage", storage, "--study", "s", "--study", f"{other}::s", "--out", out)
    assert done.status == 0, done.err
    assert data_in(out)["heads"] == ["Quality kept", "Latency", "Parameters", "MACs"]


def test_a_study_without_its_unpruned_network_is_refused(
    run: Run, storage: Path, trained: Path, table: Path, tmp_path: Path
):
    other = tmp_path / "random.db"
    assert run(*search_command(trained, table, other, 2), "--sampler", "random").status == 0
    out = tmp_path / "both.html"
    message = run(
        "front", "--storage", storage, "--study", "faces", "--study", f"{other}::s", "--out", out
    ).message
    assert "study 's' has not evaluated its largest choice" in message
    assert "search again in a study of another name with a sampler that evaluates it first" in message
    assert not out.exists()


@pytest.mark.slow
def test_the_shares_are_served_while_a_study_runs(storage: Path, trained: Path, table: Path, tmp_path: Path):
    other = tmp_path / "running.db"

    def call(*arguments: object) -> list[str]:
        return [sys.executable, "-m", "mfagan", *map(str, arguments)]

    def search(n_trials: int) -> None:
        command = call(*search_command(trained, table, other, n_trials))
        subprocess.run(command, check=True, capture_output=True)

    search(2)
    words = ("--storage", storage, "--study", "faces", "--study", f"{other}::s", "--watch")
    with subprocess.Popen(
        call("front", *words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            (url,) = re.findall(r"http://\S+", process.stdout.readline())
            before = read(f"{url}data.json")
            search(20)
            for _ in range(300):
                if read(f"{url}data.json") != before:
                    break
                time.sleep(0.2)
            else:
                raise AssertionError("the new trials were never shown")
        finally:
            process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Traceback" not in err


def read(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=60) as response:
        return response.read()
