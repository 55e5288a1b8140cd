"""Every competitor on a small table, and any Problem under Optuna's own study."""

import json

import numpy as np
import optuna
import pytest

from search.benchmarks import compare as compare_module
from search.benchmarks.compare import SamplerScores, compare, shares, table_of
from search.benchmarks.competitors import COMPETITORS, HubProblem
from search.benchmarks.ofa_evolution import BUDGETS, evolve
from search.benchmarks.tabular import TabularProblem
from search.errors import SearchError
from tests.search.toy import Lens


@pytest.fixture(scope="module")
def table() -> TabularProblem:
    """3^5 choices whose sum and weighted sum are in conflict."""
    choices = dict.fromkeys("abcde", (1, 2, 4))
    grid = np.stack(np.meshgrid(*choices.values(), indexing="ij"), axis=-1).reshape(-1, 5)
    gain = np.sqrt(grid).sum(axis=1) + 0.3 * grid[:, 0] * (grid[:, 1] > 1)
    price = grid @ [3.0, 1.0, 2.0, 1.5, 1.2]
    lens = Lens()
    return TabularProblem(
        choices,
        lens.objectives,
        {"sharpness": gain.tolist(), "weight": price.tolist()},
        "python -m lenses",
        foreseen=["weight"],
        known_choices=[dict.fromkeys(choices, 1), {"a": 1, "b": 4, "c": 1, "d": 4, "e": 4}],
    )


@pytest.fixture
def file(table, tmp_path):
    path = tmp_path / "lenses.json"
    path.write_text(table.to_json())
    return path


@pytest.mark.parametrize("name", COMPETITORS)
def test_a_competitor_finds_more_the_more_it_evaluates(name, table):
    n_trials = 16 if name == "optuna-gp" else 120
    rows = COMPETITORS[name].search(table, 3, n_trials)
    assert len(rows) == n_trials
    assert {table.row(choice) for choice in table.known_choices} <= set(rows[: 2 * len(BUDGETS)])
    counts = (4, 8, 16, n_trials)
    found = shares(table, rows, counts)
    assert found == sorted(found)
    assert found[0] >= 0
    assert found[-1] <= 1
    assert found[-1] > 0.6
    assert list(COMPETITORS[name].search(table, 3, 12)) == list(rows[:12]) or name == "pymoo-nsga2"


def test_ours_never_repeats_a_choice_and_stops_when_none_is_left(table):
    rows = COMPETITORS["front"].search(table, 0, 300)
    assert len(rows) == len(set(rows)) == 3**5
    assert shares(table, rows, [3**5, 1000]) == pytest.approx([1, 1])


def test_the_evolution_keeps_to_its_budgets(table):
    rows = evolve(table, 1000, np.random.default_rng(0))
    weight = table.values[:, 1]
    for turn, share in enumerate(BUDGETS):
        assert weight[rows[turn :: len(BUDGETS)]].max() <= np.quantile(weight, share)
    late = table.values[rows[900:], 0].mean()
    assert late > table.values[rows[:100], 0].mean()


def test_compare_gives_medians_over_seeds(file, table):
    reported: list[tuple[int, int, str]] = []
    (row,) = compare(
        file, ["optuna-random"], seeds=3, counts=(10, 20), report=lambda *one: reported.append(one)
    )
    every = [
        shares(table, COMPETITORS["optuna-random"].search(table, seed, 20), (10, 20)) for seed in range(3)
    ]
    assert row.shares == tuple(np.median(every, axis=0))
    assert (row.name, row.ours, row.seeds) == ("optuna-random", False, 3)
    assert [one[:2] for one in reported] == [(1, 3), (2, 3), (3, 3)]
    assert {one[2] for one in reported} == {f"optuna-random, seed {seed}" for seed in range(3)}


def test_the_table_has_ours_first():
    rows = [
        SamplerScores("tpe", False, 3, (100, 200), (0.5, None)),
        SamplerScores("front", True, 10, (100, 200), (0.98765, 1.0)),
    ]
    assert table_of(rows).splitlines() == [
        "sampler       seeds      100       200",
        "front (ours)     10  98.77 %  100.00 %",
        "tpe               3  50.00 %         -",
    ]


def test_command(file, tmp_path, capsys):
    out = tmp_path / "shares.json"
    assert compare_module.main([str(file), "--out", str(out), "--seeds", "1", "--only", "ofa-evolution"]) == 0
    assert "ofa-evolution" in capsys.readouterr().out
    (row,) = json.loads(out.read_text())["rows"]
    assert row["name"] == "ofa-evolution"
    assert row["seeds"] == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "luck"], "'luck' is no sampler of the comparison"),
        (["--seeds", "0"], "seeds is 0"),
        (["--seed"], "No such option: --seed"),
        (["--seed"], "see python -m search benchmark --help"),
    ],
)
def test_bad_input_is_one_line(file, tmp_path, capsys, arguments, message):
    assert compare_module.main([str(file), "--out", str(tmp_path / "x.json"), *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_evolution_needs_a_budget(table):
    unpriced = TabularProblem(
        table.choices, table.objectives, {"sharpness": [1.0] * 243, "weight": [1.0] * 243}, "python -m lenses"
    )
    with pytest.raises(SearchError, match="one of them foreseen"):
        evolve(unpriced, 10, np.random.default_rng(0))
    with pytest.raises(SearchError, match="hypervolume is 0"):
        shares(unpriced, [0], [1])


def test_any_problem_runs_under_optuna():
    lens = Lens(max_weight_g=100.0)
    hub = HubProblem(lens)
    study = optuna.create_study(directions=hub.directions, sampler=optuna.samplers.RandomSampler(seed=0))
    study.optimize(hub, n_trials=12)
    assert list(hub.search_space) == list(lens.choices)
    for trial in study.trials:
        evaluation = lens.score(trial.params)
        assert tuple(trial.values) == evaluation.values
        assert trial.constraints == evaluation.constraints
