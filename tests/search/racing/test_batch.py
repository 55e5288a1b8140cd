import itertools
import re

import numpy as np
import pytest

from search.checking.answers import evaluate_batch
from search.errors import SearchError
from search.pareto import dominates
from search.problem import Choice, Evaluation, Known, Point
from search.racing.batch import Dropped, check_raced, race_batch
from search.racing.settings import Race
from tests.search.ladder import Ladder
from tests.search.racing.judged import N_CASES, Judged

GRID: list[Choice] = [
    dict(zip(Judged.choices, steps, strict=True)) for steps in itertools.product((0, 1, 2), repeat=6)
]
DIRECTIONS = [objective.direction for objective in Judged.objectives]


def finished(problem: Judged, choices) -> list[Point]:
    return [
        Point(
            i,
            choice,
            result.values,
            scores={k: tuple(v) for k, v in result.scores.items()},
            feasible=result.feasible,
        )
        for i, (choice, result) in enumerate(zip(choices, evaluate_batch(problem, choices), strict=True))
        if isinstance(result, Evaluation)
    ]


def raced(problem: Judged, batch, history, race: Race | None = None, seed: int = 0):
    rng = np.random.default_rng(seed)
    return race_batch(problem, batch, problem.foresee(batch), history, race or Race(), rng)


def test_without_history_nothing_is_dropped():
    problem = Judged()
    assert raced(problem, GRID[:50], []) == evaluate_batch(Judged(), GRID[:50])


def test_what_is_left_has_the_values_of_an_evaluation_and_saves_work():
    problem = Judged()
    history = finished(problem, GRID[::7])
    problem.calls.clear()
    results = raced(problem, GRID, history)
    whole = evaluate_batch(Judged(), GRID)
    kept = [(one, other) for one, other in zip(results, whole, strict=True) if isinstance(one, Evaluation)]
    assert all(one == other for one, other in kept)
    assert 0 < len(kept) < len(GRID) / 2
    assert problem.scored() < 0.6 * len(GRID) * N_CASES


def test_a_dropped_choice_is_dominated_by_its_rival_and_keeps_its_scores():
    problem = Judged()
    history = finished(problem, GRID[::7])
    results = raced(problem, GRID, history)
    n_dropped = 0
    for choice, result in zip(GRID, results, strict=True):
        if isinstance(result, Dropped):
            n_dropped += 1
            (rival,) = [point for point in history if point.number == result.rival]
            assert dominates(rival.values, result.values, DIRECTIONS)
            assert result.values[1] == problem.foresee([choice])[0].values["cost"]
            assert len(result.cases) in Race().looks(N_CASES)
            heights = tuple(problem.height_on(choice, case) for case in result.cases)
            assert result.scores == {"height": heights}
    assert n_dropped > 100


def test_the_result_depends_on_choice_and_seed_alone():
    problem = Judged()
    history = finished(problem, GRID[::7])
    some = GRID[100:160]
    together = raced(problem, some, history)
    assert [raced(problem, [choice], history)[0] for choice in some] == together
    assert raced(problem, some, history, seed=1) != together


@pytest.mark.parametrize("error", [0.05, 0.3])
def test_a_better_choice_is_dropped_no_oftener_than_the_error_probability(error):
    """Simulated scores: over random orders of the cases, of those that are better than their rival."""
    problem = Judged(noise=2.0)
    history = finished(problem, GRID[::5])
    whole = evaluate_batch(problem, GRID)
    heights = {}
    for point in history:
        cost, height = point.values[1], point.values[0]
        heights[cost] = max(height, heights.get(cost, -np.inf))
    better = [
        choice
        for choice, result in zip(GRID, whole, strict=True)
        if isinstance(result, Evaluation)
        and result.values[0]
        > max((h for cost, h in heights.items() if cost <= result.values[1]), default=np.inf)
    ]
    assert len(better) > 20
    n_seeds = 40
    n_wrong = sum(
        isinstance(result, Dropped)
        for seed in range(n_seeds)
        for result in raced(problem, better, history, Race(error), seed)
    )
    share = n_wrong / (n_seeds * len(better))
    assert error / 30 < share <= error


def test_choices_foreseen_to_be_infeasible_are_dropped_at_the_first_look():
    problem = Judged(max_cost=6.0)
    history = finished(problem, GRID[::7])
    results = raced(problem, GRID, history)
    for known, result in zip(problem.foresee(GRID), results, strict=True):
        if known.constraints["cost"] > 0:
            assert isinstance(result, Dropped)
            assert len(result.cases) == Race().first_look
    assert all(isinstance(result, Evaluation) for result in raced(problem, GRID[:9], []))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "Judged.score_cases returned None: return the scores of height for each choice"),
        ({"cost": [1.0]}, "return the scores of height"),
        ({"height": []}, r"return a score on each of \d+ cases"),
        ({"height": [float("nan")] * 4}, "a score of 'height' is no finite number"),
    ],
)
def test_faulty_scores_are_those_of_their_choice_alone(answer, words):
    problem = Judged()
    whole = problem.score_cases

    def score(batch, cases):
        return [
            answer if choice == GRID[3] else one
            for choice, one in zip(batch, whole(batch, cases), strict=True)
        ]

    problem.score_cases = score  # type: ignore[method-assign]
    results = raced(problem, GRID[:6], [])
    faults = [result for result in results if isinstance(result, str)]
    assert len(faults) == 1
    assert isinstance(results[3], str)
    assert re.search(words, faults[0])


def test_problems_that_cannot_be_raced():
    with pytest.raises(SearchError, match="Ladder cannot be raced: it does not score case by case"):
        check_raced(Ladder(), Race())
    problem = Judged()
    problem.raced = ("width",)
    with pytest.raises(SearchError, match=r"Judged.raced holds 'width': it must be one of height, cost"):
        check_raced(problem, Race())
    with pytest.raises(
        SearchError, match="it scores on 24 cases, and nothing is dropped before 24; score on more"
    ):
        check_raced(Judged(), Race(first_look=24))
    problem = Judged()
    problem.foresee = lambda batch: [Known()] * len(batch)  # type: ignore[method-assign]
    with pytest.raises(SearchError, match="'cost' is neither foreseen nor scored case by case"):
        raced(problem, GRID[:3], [])
