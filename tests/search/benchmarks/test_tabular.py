"""A table of every choice's values: read, written, and taken from an exhausted study."""

import json

import pytest

from search.benchmarks.tabular import TabularProblem
from search.errors import SearchError
from search.problem import Objective
from tests.search.toy import Lens, searched

FACTS = {
    "format": "tabular-benchmark/1",
    "command": "python -m bakery.table",
    "identity": {"flour_sha256": "ab"},
    "choices": {"hours": [1, 2, 3], "flour": ["rye", "wheat"]},
    "objectives": [
        {"name": "taste", "direction": "maximize", "unit": ""},
        {"name": "price", "direction": "minimize", "unit": "EUR"},
    ],
    "foreseen": ["price"],
    "known_choices": [{"hours": 1, "flour": "rye"}],
    "values": {"taste": [1, 2, 3, 4, 5.5, 6], "price": [2, 1, 4, 3, 6, 5]},
}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "bread.json"
    path.write_text(json.dumps(FACTS))
    return path


def test_the_last_choice_changes_fastest(file):
    table = TabularProblem.read(file)
    evaluations = table.evaluate([{"hours": 1, "flour": "wheat"}, {"hours": 3, "flour": "rye"}])
    assert [evaluation.values for evaluation in evaluations] == [(2, 1), (5.5, 6)]
    assert [dict(f.values) for f in table.foresee([{"hours": 2, "flour": "rye"}])] == [{"price": 4}]
    assert table.objectives[1] == Objective("price", "minimize", "EUR")
    assert table.identity() == {"flour_sha256": "ab"}
    assert table.known_choices == ({"hours": 1, "flour": "rye"},)


def test_what_is_written_reads_back(file, tmp_path):
    table = TabularProblem.read(file)
    again = tmp_path / "again.json"
    again.write_text(table.to_json())
    assert json.loads(again.read_text()) == FACTS
    assert TabularProblem.read(again).to_json() == table.to_json()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "tabular-benchmark/2"}, "format is 'tabular-benchmark/2'"),
        ({"values": {"taste": [1, 2], "price": [2, 1, 4, 3, 6, 5]}}, "taste has 2 values for 6 choices"),
        (
            {"values": {"taste": [1, 2, 3, 4, 5, 6]}},
            "the values are of taste, the objectives are taste, price",
        ),
        ({"values": {"taste": ["x"], "price": []}}, r"values.taste.0 is 'x'"),
        ({"foreseen": ["smell"]}, "foreseen holds 'smell': it must be one of taste, price"),
        ({"choices": {"hours": [1, 1]}}, "repeats a value"),
        ({"known_choices": [{"hours": 9, "flour": "rye"}]}, "give every choice one of its values"),
    ],
)
def test_what_is_wrong_is_named(file, change, message):
    file.write_text(json.dumps(FACTS | change))
    with pytest.raises(SearchError, match=message) as caught:
        TabularProblem.read(file)
    assert str(file) in str(caught.value)


def test_no_file_or_no_json(file):
    with pytest.raises(SearchError, match="no such file"):
        TabularProblem.read(file.parent / "none.json")
    file.write_text("{")
    with pytest.raises(SearchError, match="not a JSON file"):
        TabularProblem.read(file)
    with pytest.raises(SearchError, match="cannot be read"):
        TabularProblem.read(file.parent)


def test_an_exhausted_study_makes_a_table(tmp_path):
    problem = Lens()
    table = TabularProblem.from_record(searched(tmp_path / "all.db", 90), "run it again", ["weight"])
    every = [table.space.choice(key) for key in table.space.grid()]
    expected = problem.evaluate(every)
    assert [evaluation.values for evaluation in table.evaluate(every)] == [e.values for e in expected]
    assert table.identity() == problem.identity()


def test_a_study_with_gaps_makes_none(tmp_path):
    with pytest.raises(SearchError, match=r"has 60 of 90 choices.*search on"):
        TabularProblem.from_record(searched(tmp_path / "some.db", 60), "run it again")


def test_a_study_with_infeasible_trials_makes_none(tmp_path):
    record = searched(tmp_path / "all.db", 90, Lens(max_weight_g=50.0))
    with pytest.raises(SearchError, match="is infeasible: search without constraints"):
        TabularProblem.from_record(record, "run it again")
