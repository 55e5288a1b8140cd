"""A study's figures as optuna-dashboard shows them."""

import builtins
import contextlib
import itertools
import json
import logging
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.request import urlopen

import optuna
import pytest

from search.pareto import front
from search.problem import Choice, Point
from search.report.dashboard import show_figures
from search.study import load
from tests import ROOT
from tests.search.ladder import Ladder
from tests.search.toy import Lens, searched

FIGURES = ["effects", "hypervolume", "importances", "parallel-coordinates", "pareto-front"]


def stored(storage: Path) -> dict:
    """The study's system attributes that belong to the dashboard."""
    study = optuna.load_study(study_name="toy", storage=f"sqlite:///{storage}")
    attributes = study._storage.get_study_system_attrs(study._study_id)
    return {key: value for key, value in attributes.items() if key.startswith("dashboard:")}


@contextlib.contextmanager
def served(storage: Path) -> Iterator[str]:
    """The address of a real optuna-dashboard of this SQLite file."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    code = f"import optuna_dashboard\noptuna_dashboard.run_server('sqlite:///{storage}', port={port})"
    server = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()


def fetch(address: str, seconds: float = 120) -> dict:
    deadline = time.monotonic() + seconds
    while True:
        try:
            with urlopen(address, timeout=30) as answer:
                return json.load(answer)
        except OSError:  # not listening yet
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


@pytest.mark.slow
def test_optuna_dashboard_shows_the_figures_of_a_search(tmp_path):
    storage = tmp_path / "study.db"
    command = [sys.executable, "-m", "search", "run", "tests.search.toy:build_limited"]
    command += ["--storage", str(storage), "--study", "toy", "--population", "20"]
    for trials in ("40", "60"):  # the second one's figures take the first one's place
        subprocess.run([*command, "--trials", trials], cwd=ROOT, check=True, capture_output=True)
    with served(storage) as address:
        (study,) = fetch(f"{address}/api/studies")["study_summaries"]
        details = fetch(f"{address}/api/studies/{study['study_id']}")
    shown = {one["id"]: json.loads(one["graph_object"]) for one in details["plotly_graph_objects"]}
    assert sorted(shown) == FIGURES
    assert all(figure["layout"]["paper_bgcolor"] == "white" for figure in shown.values())
    assert shown["hypervolume"]["data"][0]["x"][-1] == 60
    assert "sharpness (lp/mm)" in {bars["name"] for bars in shown["importances"]["data"]}
    figure = shown["pareto-front"]
    record = load(str(storage), "toy")
    best = front(record.points, record.objectives)
    traces = {trace["name"].partition(" (")[0]: trace for trace in figure["data"]}
    assert traces["Pareto front"]["x"] == [point.values[1] for point in best]
    assert traces["Pareto front"]["y"] == [point.values[0] for point in best]
    assert sum(len(trace["x"]) for trace in traces.values()) == len(details["trials"]) == 60
    assert "<b>elements</b>" in traces["Pareto front"]["hovertext"][0]
    assert all(re.fullmatch(r"trial \d+", text) for text in traces["dominated"]["hovertext"])
    assert figure["layout"]["xaxis"]["title"]["text"] == "weight (g)"


def test_the_figures_of_a_large_study_stay_small(tmp_path):
    record = searched(tmp_path / "study.db", 3)
    ladder, points = Ladder(), list[Point]()
    for number, steps in enumerate(itertools.product((0, 1, 2), repeat=6)):
        choice: Choice = dict(zip(ladder.choices, steps, strict=True))
        points.append(Point(number, choice, ladder.score(steps).values, {"wood": "ash"}))
    space = {name: tuple(steps) for name, steps in ladder.choices.items()}
    large = replace(record, objectives=ladder.objectives, choices=space, points=tuple(points))
    show_figures(str(tmp_path / "study.db"), large)
    assert 10_000 < sum(map(len, stored(tmp_path / "study.db").values())) < 150_000


def test_a_study_of_one_objective_has_the_figures_that_need_no_front(tmp_path):
    record = searched(tmp_path / "study.db", 3)
    points = tuple(replace(point, values=point.values[:1]) for point in record.points)
    show_figures(str(tmp_path / "study.db"), replace(record, objectives=record.objectives[:1], points=points))
    names = {key.split(":")[2] for key in stored(tmp_path / "study.db")}
    assert sorted(names) == ["effects", "importances", "parallel-coordinates"]


def test_without_optuna_dashboard_nothing_is_kept(tmp_path, monkeypatch, caplog):
    record = searched(tmp_path / "study.db", 3)
    really = builtins.__import__

    def absent(name, *rest):
        if name == "optuna_dashboard":
            raise ImportError(name)
        return really(name, *rest)

    monkeypatch.setattr(builtins, "__import__", absent)
    show_figures(str(tmp_path / "study.db"), record)
    assert stored(tmp_path / "study.db") == {}
    assert caplog.records == []


def test_a_storage_that_is_gone_is_said_on_the_log(tmp_path, caplog):
    record = searched(tmp_path / "study.db", 3, Lens())
    with caplog.at_level(logging.WARNING, "search"):
        show_figures(str(tmp_path / "absent.db"), record)
    assert "not kept for optuna-dashboard: there is no storage" in caplog.text
    assert not (tmp_path / "absent.db").exists()
