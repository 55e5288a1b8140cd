import itertools
import json

import numpy as np
import pytest
from optuna.storages import InMemoryStorage

from search.benchmarks import racing
from search.benchmarks.scored import STEP, ScoredProblem
from search.errors import SearchError
from search.problem import Choice
from search.study import load, run
from tests.search.racing.judged import N_CASES, Judged


@pytest.fixture(scope="module")
def table() -> ScoredProblem:
    storage = InMemoryStorage()
    run(Judged(), storage, "s", None, sampler="exhaustive", batch=None)
    return ScoredProblem.from_record(load(storage, "s"), "a command", ["cost"], Judged.known_choices)


def test_a_table_holds_the_scores_of_a_study(table):
    choices: list[Choice] = [
        dict(zip(Judged.choices, steps, strict=True)) for steps in itertools.product((0, 1, 2), repeat=6)
    ]
    assert table.cases == Judged.cases
    assert table.raced == ("height",)
    for given, found in zip(table.evaluate(choices), Judged().evaluate(choices), strict=True):
        assert given.scores["height"] == pytest.approx(found.scores["height"], abs=0.51 * STEP)
        assert given.values == pytest.approx(found.values, abs=0.51 * STEP)
        assert given.fault is None


def test_what_is_written_reads_back(table, tmp_path):
    path = tmp_path / "table.npz"
    path.write_bytes(table.to_bytes())
    again = ScoredProblem.read(path)
    np.testing.assert_allclose(again.scores["height"], table.scores["height"], atol=1e-9)
    np.testing.assert_allclose(again.values, table.values, atol=1e-9)
    assert (again.choices, again.objectives, again.cases) == (table.choices, table.objectives, table.cases)
    assert (again.command, again.identity()) == ("a command", table.identity())
    assert list(again.known_choices) == list(Judged.known_choices)


@pytest.mark.parametrize("content", [None, b"", b"no table", b"PK\x03\x04"])
def test_files_that_are_no_table(content, tmp_path):
    path = tmp_path / "table.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SearchError, match=r"scored benchmark .*table\.npz: "):
        ScoredProblem.read(path)


def test_a_study_without_scores_makes_none(table):
    storage = InMemoryStorage()
    judged = Judged()
    judged.cases = ()
    judged.evaluate = lambda batch: [  # type: ignore[method-assign]
        type(one)(one.values) for one in table.evaluate(batch)
    ]
    run(judged, storage, "s", None, sampler="exhaustive", batch=None)
    with pytest.raises(SearchError, match="trial 0 of study 's' has no scores of 'height'"):
        ScoredProblem.from_record(load(storage, "s"), "a command", ["cost"])


def test_a_race_is_measured_against_the_search_without(table):
    whole, raced = racing.measure(table, "nsga2", 120, (None, 0.05), seeds=(0, 1))
    assert (whole.saved, whole.share, whole.front_share) == (0, 1, 1)
    assert 0.1 < raced.saved < 0.9
    assert 0.9 < raced.least_share <= raced.share
    assert (whole.n_trials, raced.n_trials, raced.seeds) == (120, 120, 2)
    text = racing.table_of([whole, raced])
    assert "no race" in text
    assert f"{100 * raced.saved:.1f} %" in text


def test_the_command_writes_its_figures(table, tmp_path, monkeypatch, capsys):
    path, out = tmp_path / "table.npz", tmp_path / "races.json"
    path.write_bytes(table.to_bytes())
    monkeypatch.setattr(racing, "SEARCHES", (("nsga2", 60),))
    assert racing.main([str(path), "--out", str(out), "--seeds", "1"]) == 0
    rows = json.loads(out.read_text())
    assert [row["error_probability"] for row in rows] == list(racing.ERRORS)
    assert "aim: 50 % of the work saved" in capsys.readouterr().out
    assert racing.main([str(tmp_path / "none.npz"), "--out", str(out)]) == 2
    assert len(table.cases) == N_CASES
