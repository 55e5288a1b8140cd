"""Studies that are raced."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import optuna
import pytest
from optuna.storages import InMemoryStorage
from optuna.trial import TrialState

from search import samplers
from search.benchmarks.tabular import TabularProblem
from search.errors import SearchError
from search.pareto import front
from search.problem import count_choices
from search.racing.settings import Race
from search.report.html_page import front_page
from search.study import Progress, StudyRecord, load, run
from search.testing import ProblemContract
from tests.search.ladder import Ladder
from tests.search.racing.judged import N_CASES, Judged
from tests.search.toy import Lens

RACE = Race(0.05)


class TestJudged(ProblemContract):
    @pytest.fixture
    def problem(self) -> Judged:
        return Judged()


@pytest.fixture
def storage() -> InMemoryStorage:
    return InMemoryStorage()


def searched(
    storage: str | InMemoryStorage, n_trials: int | None, problem: Judged | None = None, **options
) -> StudyRecord:
    run(problem or Judged(), storage, "s", n_trials, **{"race": RACE, **options})
    return load(storage, "s")


def test_a_race_is_recorded(storage):
    problem, reports = Judged(), []
    record = searched(storage, 200, problem, report=reports.append)
    assert record.race == RACE
    assert record.n_trials == record.n_unique_trials == 200
    assert len(record.points) + len(record.pruned) == 200
    assert 50 < len(record.pruned) < 190
    seen = N_CASES * len(record.points) + sum(len(point.cases) for point in record.pruned)
    assert seen == problem.scored()
    assert reports[-1].n_finished == 200
    assert reports[-1].n_dropped == len(record.pruned)
    assert reports[-1].saved == pytest.approx(1 - seen / (200 * N_CASES))
    for point in record.points:
        assert point.values == problem.evaluate([point.choice])[0].values
        assert len(point.scores["height"]) == N_CASES
        assert point.cases == ()
    for point in record.pruned:
        assert len(point.scores["height"]) == len(point.cases) < N_CASES


def test_dropped_trials_are_optunas_pruned_ones(tmp_path):
    record = searched(str(tmp_path / "study.db"), 60)
    study = optuna.load_study(study_name="s", storage=f"sqlite:///{tmp_path / 'study.db'}")
    pruned = study.get_trials(states=[TrialState.PRUNED])
    assert [trial.number for trial in pruned] == [point.number for point in record.pruned]
    assert [tuple(trial.values) for trial in pruned] == [point.values for point in record.pruned]
    best = {point.number for point in front(record.points, record.objectives)}
    assert {trial.number for trial in study.best_trials} == best
    numbers = [trial.system_attrs["search:rival"] for trial in pruned]
    assert {study.trials[number].state for number in numbers} == {TrialState.COMPLETE}


@pytest.mark.parametrize("sampler", samplers.NAMES)
def test_stopped_and_continued_equals_at_once(sampler):
    """Stopped within a generation and a batch: choices, what was dropped, and after how many cases."""
    found = []
    for stops in ((57,), (23, 57)):
        storage = InMemoryStorage()
        for stop in stops:
            searched(storage, stop, sampler=sampler, batch=6)
        record = load(storage, "s")
        found.append((record.points, record.pruned))
    assert found[0] == found[1]


def test_killed_and_continued(tmp_path):
    problem = Judged()

    def stop(index: int) -> None:
        if index == 30:
            raise KeyboardInterrupt

    problem.before_call = stop
    with pytest.raises(KeyboardInterrupt):
        searched(f"journal://{tmp_path / 'killed'}", 120, problem)
    before = load(f"journal://{tmp_path / 'killed'}", "s")
    assert 0 < before.n_trials < 120
    killed = searched(f"journal://{tmp_path / 'killed'}", 120)
    whole = searched(f"journal://{tmp_path / 'whole'}", 120)

    def seen(record: StudyRecord) -> set:
        points = (*record.points, *record.pruned)
        return {(tuple(point.choice.values()), point.values, point.cases) for point in points}

    assert seen(killed) == seen(whole)


def test_no_choice_is_evaluated_twice_and_the_space_ends(storage):
    """Also those that were dropped."""
    problem, reports = Judged(), []
    record = searched(storage, None, problem, sampler="exhaustive", report=reports.append)
    first = [tuple(choice.values()) for batch, cases in problem.calls if len(cases) == 4 for choice in batch]
    assert len(first) == len(set(first)) == record.n_unique_trials == count_choices(problem) == 729
    assert reports[-1].exhausted
    run(problem, storage, "s", None, sampler="nsga2", race=RACE, report=reports.append)
    assert reports[-1] == Progress(
        729, 729, max(point.values[0] for point in record.points), True, len(record.pruned), reports[-1].saved
    )


def test_exhaustive_racing_keeps_the_front():
    whole = searched(InMemoryStorage(), None, sampler="exhaustive", race=None)
    problem = Judged()
    record = searched(InMemoryStorage(), None, problem, sampler="exhaustive")
    exact = {point.values for point in front(whole.points, whole.objectives)}
    kept = {point.values for point in front(record.points, record.objectives)}
    assert len(exact - kept) <= 0.1 * len(exact)
    assert problem.scored() < 0.99 * 729 * N_CASES


def test_a_study_is_not_continued_with_another_race(storage):
    searched(storage, 20)
    for race, words in (
        (None, "is raced with error probability 0.05 from 4 cases on, this search is not raced"),
        (Race(0.1), "this search is raced with error probability 0.1 from 4 cases on"),
    ):
        with pytest.raises(SearchError, match=words):
            searched(storage, 30, race=race)
    run(Judged(), storage, "plain", 5)
    with pytest.raises(SearchError, match="is not raced, this search is raced with error"):
        run(Judged(), storage, "plain", 9, race=RACE)
    assert load(storage, "plain").race is None


def test_problems_that_cannot_be_raced_leave_nothing_behind(tmp_path):
    for problem in (Ladder(), Lens()):
        with pytest.raises(SearchError, match="cannot be raced"):
            run(problem, str(tmp_path / "study.db"), "s", 20, race=RACE)
    with pytest.raises(SearchError, match=r"race is 0\.05: give a search\.Race, or None"):
        run(Judged(), str(tmp_path / "study.db"), "s", 20, race=0.05)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_readers_of_a_raced_study(storage):
    record = searched(storage, None, sampler="exhaustive")
    assert {point.number for point in front(record.points, record.objectives)} <= {
        p.number for p in record.points
    }
    assert str(len(record.points)) in front_page(record)
    with pytest.raises(SearchError, match=r"study 's' was raced and dropped \d+ of its choices"):
        TabularProblem.from_record(record, "command")


@pytest.mark.slow
def test_several_workers_share_a_race(tmp_path):
    storage = f"journal://{tmp_path / 'study.log'}"
    program = (
        "import sys; from search import Race, run; from tests.search.racing.judged import Judged;"
        "run(Judged(), sys.argv[1], 's', 300, seed=int(sys.argv[2]), race=Race(0.05), lease_s=60)"
    )
    workers = [
        subprocess.Popen([sys.executable, "-c", program, storage, str(seed)], cwd=Path(__file__).parents[3])
        for seed in range(2)
    ]
    assert [worker.wait(timeout=300) for worker in workers] == [0, 0]
    record = load(storage, "s")
    assert record.n_trials == record.n_unique_trials == 300
    assert 0 < len(record.pruned) < 300
    assert np.isfinite([point.values for point in record.pruned]).all()
