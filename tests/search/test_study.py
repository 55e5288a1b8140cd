import contextlib
import itertools
import logging
import re
import sqlite3
import warnings
from pathlib import Path

import numpy as np
import optuna
import pytest

from search import samplers
from search.errors import SearchError
from search.pareto import front, hypervolume
from search.problem import Evaluation, Known, Objective
from search.study import Progress, StudyRecord, load, run
from tests.search.ladder import Ladder
from tests.search.toy import Lens, searched

SERVER = "postgresql+psycopg://user:s3cret@127.0.0.1:1/db"


@pytest.fixture
def storage(tmp_path) -> str:
    return str(tmp_path / "study.db")


def choices_of(record: StudyRecord) -> list[dict]:
    return [point.choice for point in record.points]


def states(storage: str) -> list[str]:
    with contextlib.closing(sqlite3.connect(storage)) as database:
        return [state for (state,) in database.execute("SELECT state FROM trials ORDER BY number")]


def test_a_search_is_recorded(storage):
    lens = Lens(max_weight_g=100)
    record = searched(storage, 30, lens)
    assert (record.name, record.n_trials, len(record.points)) == ("toy", 30, 30)
    assert record.objectives == lens.objectives
    assert record.choices == lens.choices
    assert list(record.choices) == list(lens.choices)
    assert record.identity == {"maker": "toy works"}
    assert [point.number for point in record.points] == list(range(30))
    for point in record.points:
        scored = lens.score(point.choice)
        assert point.values == scored.values
        assert point.attributes == scored.attributes
        assert point.feasible == scored.feasible
        assert {name: type(value) for name, value in point.choice.items()} == {
            "elements": int,
            "diameter_mm": float,
            "glass": str,
        }
    assert {point.feasible for point in record.points} == {True, False}


def test_the_search_beats_chance(tmp_path):
    ladder = Ladder()
    grid = [
        dict(zip(ladder.choices, values, strict=True)) for values in itertools.product((0, 1, 2), repeat=6)
    ]
    directions = [objective.direction for objective in ladder.objectives]
    values = [ladder.score(list(choice.values())).values for choice in grid]
    reference = (0.0, max(cost for _, cost in values))
    shares = []
    for seed in range(3):
        run(ladder, str(tmp_path / f"{seed}.db"), "s", 150, population=20, seed=seed)
        points = load(str(tmp_path / f"{seed}.db"), "s").points
        drawn = np.random.default_rng(seed).choice(len(grid), 150, replace=False)
        shares.append(
            [
                hypervolume(some, directions, reference) / hypervolume(values, directions, reference)
                for some in ([point.values for point in points], [values[i] for i in drawn])
            ]
        )
    searched_share, random_share = np.median(shares, axis=0)
    assert searched_share > random_share + 0.01
    assert searched_share > 0.95


class DearLadder(Ladder):
    """Only ladders that cost at least `least` will do."""

    known_choices = ()

    def __init__(self, least):
        self.least = least

    def score(self, steps):
        values = super().score(steps).values
        return Evaluation(values, constraints={"cost": self.least - values[1]})


def test_constraints_steer_the_search(tmp_path):
    def share_dear(name: str, least: float) -> float:
        run(DearLadder(least), str(tmp_path / name), "s", 120, population=20)
        costs = [point.values[1] for point in load(str(tmp_path / name), "s").points[60:]]
        return sum(cost >= 14 for cost in costs) / len(costs)

    assert share_dear("limited.db", 14) > 2 * share_dear("free.db", 0)


def test_dashboards_see_names_and_facts(storage):
    searched(storage, 3)
    study = optuna.load_study(study_name="toy", storage=f"sqlite:///{storage}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert study.metric_names == ["sharpness", "weight"]
    assert study.user_attrs["search:problem"]["objectives"][1] == {
        "name": "weight",
        "direction": "minimize",
        "unit": "g",
        "title": "",
    }
    assert study.trials[0].user_attrs["volume_mm3"] > 0


def test_stopped_and_continued_equals_at_once(tmp_path):
    at_once = searched(tmp_path / "once.db", 80, population=50)
    for stop in (40, 80):
        continued = searched(tmp_path / "twice.db", stop, population=50, batch=7)
    assert continued.points == at_once.points
    assert searched(tmp_path / "seed.db", 10, population=50, seed=1).points != at_once.points[:10]


@pytest.mark.parametrize("sampler", samplers.NAMES)
def test_every_sampler_goes_the_same_way_when_stopped(tmp_path, sampler):
    """Stopped within a generation and a batch."""
    records = []
    for name, stops in (("once", (57,)), ("twice", (23, 57))):
        storage = f"journal://{tmp_path / name}"
        for stop in stops:
            run(Ladder(), storage, "s", stop, sampler=sampler, batch=6)
        records.append(load(storage, "s"))
    assert records[0].points == records[1].points
    assert records[0].n_unique_trials == 57


def test_without_a_seed_every_run_differs(tmp_path):
    runs = []
    for name in ("a.db", "b.db"):
        run(Lens(), str(tmp_path / name), "toy", 20, seed=None)
        runs.append(choices_of(load(str(tmp_path / name), "toy")))
    assert runs[0] != runs[1]


def test_a_complete_study_returns_at_once(storage):
    searched(storage, 12)
    lens, reports = Lens(), []
    run(lens, storage, "toy", 12, population=20, report=reports.append)
    run(lens, storage, "toy", 5, population=20)
    assert lens.batches == []
    assert len(reports) == 1
    assert reports[0].n_finished == 12


def test_no_choice_is_evaluated_twice(storage):
    lens = Lens()
    record = searched(storage, 60, lens)
    searched(storage, 70, lens)
    seen = [tuple(choice.values()) for batch in lens.batches for choice in batch]
    assert len(seen) == len(set(seen)) == 70
    assert record.n_unique_trials == record.n_trials == 60


def test_an_exhausted_space_ends_the_study_and_says_so(storage):
    lens = Lens()
    reports: list[Progress] = []
    run(lens, storage, "toy", 1000, population=20, report=reports.append)
    assert [progress.exhausted for progress in reports[-2:]] == [False, True]
    assert (
        load(storage, "toy").n_unique_trials == load(storage, "toy").n_trials == reports[-1].n_finished == 90
    )
    run(lens, storage, "toy", 1000, population=20, report=reports.append)
    assert reports[-1].exhausted
    assert sum(map(len, lens.batches)) == 90


def test_known_choices_are_evaluated_first(storage):
    lens = Lens()
    lens.known_choices = [
        {"elements": 6, "diameter_mm": 25.0, "glass": "flint"},
        {"elements": 1, "diameter_mm": 10.0, "glass": "crown"},
    ]
    record = searched(storage, 30, lens)
    assert choices_of(record)[:2] == lens.known_choices
    assert record.n_unique_trials == 30
    lens.known_choices = [{"elements": 7, "diameter_mm": 25.0, "glass": "flint"}]
    with pytest.raises(SearchError, match="known_choices holds"):
        searched(storage, 40, lens)


def test_batches_stay_in_a_generation(storage):
    reports: list[Progress] = []
    run(Lens(), storage, "toy", 50, population=20, batch=15, report=reports.append)
    assert [progress.n_finished for progress in reports] == [0, 15, 20, 35, 40, 50]


def test_reports_tell_the_best_feasible_value(storage):
    lens, reports = Lens(max_weight_g=60), []
    run(lens, storage, "toy", 40, population=20, report=reports.append)
    assert reports[0] == Progress(0, 40, None)
    points = load(storage, "toy").points
    best = max(point.values[0] for point in points if point.feasible)
    assert reports[-1] == Progress(40, 40, best)
    assert best < max(point.values[0] for point in points)
    run(lens, storage, "toy", 40, report=reports.append)
    assert reports[-1] == Progress(40, 40, best)


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_killed_and_continued(tmp_path, error):
    storage = str(tmp_path / "killed.db")
    lens = Lens()

    def stop(index: int) -> None:
        if index == 2:  # the first batch of the second generation: its parents are stored already
            raise error("by the test")

    lens.before_batch = stop
    with pytest.raises(error, match="by the test"):
        run(lens, storage, "toy", 40, population=20)
    n_told = sum(state == "COMPLETE" for state in states(storage))
    assert n_told == 20
    assert states(storage)[n_told:] == ["FAIL"] * 10
    record = searched(storage, 40)
    assert record.n_trials == 40
    whole = searched(tmp_path / "whole.db", 40)
    assert choices_of(record) == choices_of(whole)
    assert "RUNNING" not in states(storage)


@pytest.mark.parametrize(
    ("results", "words"),
    [
        ([], "Lens.evaluate returned 0 results for 10 choices"),
        ([Evaluation((1.0,))] * 10, "return Evaluations of 2 values"),
        ([(1.0, 2.0)] * 10, "returned (1.0, 2.0)"),
    ],
)
def test_evaluations_that_are_all_of_the_wrong_shape(storage, results, words):
    lens = Lens()
    lens.evaluate = lambda batch: results  # type: ignore[method-assign]
    with pytest.raises(SearchError, match=re.escape(words)):
        run(lens, storage, "toy", 10, population=20)
    assert states(storage) == ["FAIL"] * 10


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (Evaluation((1.0,)), "return Evaluations of 2 values"),
        (Evaluation((1.0, 2.0, 3.0)), "return Evaluations of 2 values"),
        (None, "Odd.evaluate returned None: return one Evaluation for each choice"),
        ("nothing", "Odd.evaluate returned 'nothing': return one Evaluation"),
        (Evaluation((1.0, 2.0), {"loss": float("nan")}), "attribute 'loss' is nan, which JSON cannot hold"),
    ],
)
@pytest.mark.parametrize("batch", [1, 10])
def test_one_result_of_the_wrong_shape_fails_its_own_trial(storage, caplog, wrong, words, batch):
    """Also if it is the first of the study, and after the study was stopped."""
    first = {"elements": 6, "diameter_mm": 25.0, "glass": "flint"}

    class Odd(Lens):
        known_choices = (first,)

        def evaluate(self, batch):
            found = super().evaluate(batch)
            return [wrong if choice == first else one for choice, one in zip(batch, found, strict=True)]

    problem = Odd()
    run(problem, storage, "toy", 10, population=5, batch=batch)
    assert f"choice {first!r}: " in caplog.text
    assert words in caplog.text
    run(problem, storage, "toy", 20, population=5, batch=batch)
    record = load(storage, "toy")
    assert record.n_trials == record.n_unique_trials == 20
    assert sum(choice == first for given in problem.batches for choice in given) == 1


def test_what_evaluate_raises_names_its_choices(storage):
    class Broken(Lens):
        def score(self, choice):
            raise ZeroDivisionError("by the test")

    with pytest.raises(ZeroDivisionError, match="by the test") as caught:
        run(Broken(), storage, "toy", 10, batch=2)
    (note,) = caught.value.__notes__
    assert re.fullmatch(r"raised by Broken\.evaluate for (\{'elements': [^}]*\}(, )?){2}", note)


@pytest.mark.parametrize("sampler", ["nsga2", "front"])
@pytest.mark.parametrize(
    ("results", "words"),
    [
        (None, "Ladder.foresee returned 0 results for"),
        ([Known({"cost": 1.0})], "Ladder.foresee returned 1 results for"),
        ({"cost": 1.0}, "Ladder.foresee returned {'cost': 1.0}: return one Known"),
        (
            Known({"cost": 1.0}, {"n": np.int64(1)}),  # type: ignore[dict-item]
            "attribute 'n' is np.int64(1), which JSON cannot hold",
        ),
        (Known({"cost": 1.0}, {}, {"limit": float("nan")}), "constraint 'limit' is nan"),
    ],
)
def test_what_is_foreseen_in_the_wrong_shape(storage, sampler, results, words):
    ladder = Ladder()
    several = results is None or isinstance(results, list)
    ladder.foresee = lambda batch: results if several else [results] * len(batch)  # type: ignore[method-assign]
    with pytest.raises(SearchError, match=re.escape(words)):
        run(ladder, storage, "toy", 10, sampler=sampler)
    assert not Path(storage).exists() or states(storage) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n_trials": 0}, "n_trials is 0"),
        ({"population": 1}, "population is 1"),
        ({"batch": 0}, "batch is 0"),
        ({"lease_s": 0.5}, "lease_s is 0.5: it must be at least 1"),
        ({"lease_s": float("inf")}, "lease_s is inf: it must be at most 604800, a week"),
        ({"lease_s": float("nan")}, "lease_s is nan: it must be at most 604800, a week"),
        ({"seed": -1}, "seed is -1"),
        ({"n_trials": 2.5}, "n_trials is 2.5: it must be a whole number"),
        ({"batch": "10"}, "batch is '10': it must be a whole number"),
        ({"population": None}, "population is None: it must be a whole number"),
        ({"sampler": "luck"}, "sampler 'luck' is not known: choose from nsga2"),
    ],
)
def test_bad_numbers(storage, options, words):
    with pytest.raises(SearchError, match=words):
        run(Lens(), storage, "toy", **{"n_trials": 10, **options})
    assert not Path(storage).exists()


def another_direction(lens: Lens) -> None:
    lens.objectives = (lens.objectives[0], Objective("weight", "maximize", "g"))


def another_unit(lens: Lens) -> None:
    lens.objectives = (lens.objectives[0], Objective("weight", "minimize", "kg"))


def one_objective(lens: Lens) -> None:
    lens.objectives = lens.objectives[:1]


def another_choice(lens: Lens) -> None:
    lens.choices = {**lens.choices, "elements": (1, 2, 3)}


def one_choice_more(lens: Lens) -> None:
    lens.choices = {**lens.choices, "coating": ("none", "multi")}


def another_maker(lens: Lens) -> None:
    lens.maker = "a rival"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (another_direction, "weight minimize g, this problem sharpness maximize lp/mm, weight maximize g:"),
        (another_unit, "weight minimize g, this problem sharpness maximize lp/mm, weight minimize kg:"),
        (one_objective, "weight minimize g, this problem sharpness maximize lp/mm:"),
        (another_choice, "choices 'elements' = [1, 2, 3, 4, 5, 6], this problem [1, 2, 3]:"),
        (one_choice_more, "choices 'coating' = None, this problem ['none', 'multi']:"),
        (another_maker, "identity 'maker' = 'toy works', this problem 'a rival':"),
    ],
)
def test_a_study_of_another_problem(storage, change, words):
    searched(storage, 3)
    lens = Lens()
    change(lens)
    with pytest.raises(SearchError, match=re.escape(words) + " use another study name") as caught:
        run(lens, storage, "toy", 6)
    assert "study 'toy' in " in str(caught.value)
    assert states(storage) == ["COMPLETE"] * 3


def test_a_study_of_another_program(storage):
    study = optuna.create_study(
        storage=f"sqlite:///{storage}", study_name="toy", directions=["maximize", "minimize"]
    )
    study.add_trial(optuna.trial.create_trial(values=[1, 2]))
    for call in (lambda: run(Lens(), storage, "toy", 3), lambda: load(storage, "toy")):
        with pytest.raises(SearchError, match="was not written by this search"):
            call()


def test_killed_before_the_facts_were_stored(storage):
    optuna.create_study(storage=f"sqlite:///{storage}", study_name="toy", directions=["maximize", "minimize"])
    assert searched(storage, 3).n_trials == 3


def test_loading_creates_nothing(tmp_path, storage):
    with pytest.raises(SearchError, match=re.escape(f"there is no storage {storage}")):
        load(storage, "toy")
    assert list(tmp_path.iterdir()) == []


def test_loading_a_study_that_is_not_there(storage):
    searched(storage, 2)
    run(Lens(), storage, "second", 2)
    before = Path(storage).read_bytes()
    with pytest.raises(SearchError, match=r"no study 'third': it holds ('second', 'toy'|'toy', 'second');"):
        load(storage, "third")
    assert Path(storage).read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"this is a text, not a database\n" * 100])
def test_a_file_that_is_no_storage(storage, content):
    Path(storage).write_bytes(content)
    with pytest.raises(SearchError, match="does not work") as caught:
        load(storage, "toy")
    assert storage in str(caught.value)
    assert "\n" not in str(caught.value)
    assert Path(storage).read_bytes() == content
    if content:
        with pytest.raises(SearchError, match="file is not a database"):
            run(Lens(), storage, "toy", 3)
        assert Path(storage).read_bytes() == content


def test_another_sqlite_file(storage):
    with contextlib.closing(sqlite3.connect(storage)) as database:
        database.execute("CREATE TABLE notes (text)")
    before = Path(storage).read_bytes()
    with pytest.raises(SearchError, match="no such table"):
        load(storage, "toy")
    assert Path(storage).read_bytes() == before


def test_no_such_folder(tmp_path):
    with pytest.raises(SearchError, match="folder that does not exist"):
        run(Lens(), str(tmp_path / "none" / "study.db"), "toy", 3)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("storage", "words"),
    [
        (SERVER, r"postgresql\+psycopg://user:\*\*\*@127\.0\.0\.1:1/db does not work \(connection failed"),
        ("mysql+nodriver://user:s3cret@127.0.0.1/db", "does not work"),
        ("mysql+aiomysql://user:s3cret@127.0.0.1/db", "needs a driver: No module named 'aiomysql'"),
    ],
)
def test_unreachable_storages(storage, words, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    for call in (lambda: run(Lens(), storage, "toy", 3), lambda: load(storage, "toy")):
        with pytest.raises(SearchError, match=words) as caught:
            call()
        assert "\n" not in str(caught.value)
        assert "s3cret" not in str(caught.value)
    assert "s3cret" not in caplog.text + "".join(capfd.readouterr())


def test_quiet_and_optuna_left_as_it_was(storage, capfd):
    optuna.logging.set_verbosity(optuna.logging.INFO)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        searched(storage, 25)
    assert capfd.readouterr() == ("", "")
    assert optuna.logging.get_verbosity() == optuna.logging.INFO


def test_three_objectives_work(storage):
    lens = Lens()
    lens.objectives = (*lens.objectives, Objective("cost", "minimize"))

    def evaluate(batch):
        scored = [lens.score(choice) for choice in batch]
        return [Evaluation((*s.values, float(i))) for i, s in enumerate(scored)]

    lens.evaluate = evaluate  # type: ignore[method-assign]
    record = searched(storage, 20, lens)
    assert len(record.points[0].values) == 3
    assert front(record.points, record.objectives)
