"""The sampler that models what is not foreseen, on spaces whose every value is known."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from search import pareto
from search.errors import SearchError
from search.problem import Choice, Evaluation, Known, Objective, Point, Problem, Value
from search.samplers import candidates, front, hypervolume_improvement
from search.samplers.base import Key, Sampler, Space
from search.samplers.front import Front
from search.samplers.random_exhaustive import Random

COATINGS = {"none": 0.0, "single": 0.3, "broadband": 0.9}


class Mirror(Problem):
    """Reflectivity is learned, with an interaction of layers and coating; the price is foreseen."""

    choices: Mapping[str, Sequence[Value]] = {
        "layers": (1, 2, 4, 8),
        "polish": (0.5, 1.0, 2.0),
        "coating": tuple(COATINGS),
        "size": (1, 2, 3),
    }
    objectives = (Objective("reflectivity", "maximize", "%"), Objective("price", "minimize", "EUR"))
    foreseen: tuple[str, ...] = ("price",)

    def __init__(self, max_price: float | None = None) -> None:
        self.max_price = max_price

    def score(self, choice: Choice) -> dict[str, float]:
        layers, polish, size = (float(choice[name]) for name in ("layers", "polish", "size"))
        coating = COATINGS[str(choice["coating"])]
        return {
            "reflectivity": 80
            + 4 * np.log2(layers) * (1 + coating)
            - 1.5 * abs(polish - 1)
            + 3 * coating
            - size,
            "price": 10 + 3 * layers + 5 / polish + 20 * coating + 4 * size,
            "weight": size**2 * (2 + layers / 8),
        }

    def limits(self, choice: Choice) -> dict[str, float]:
        return {} if self.max_price is None else {"price": self.score(choice)["price"] - self.max_price}

    def evaluate(self, batch: Sequence[Choice]) -> list[Evaluation]:
        names = [objective.name for objective in self.objectives]
        return [Evaluation(tuple(self.score(c)[n] for n in names), {}, self.limits(c)) for c in batch]

    def foresee(self, batch: Sequence[Choice]) -> list[Known]:
        return [Known({n: self.score(c)[n] for n in self.foreseen}, {}, self.limits(c)) for c in batch]


class Heavy(Mirror):
    """A third objective."""

    objectives = (*Mirror.objectives, Objective("weight", "minimize", "kg"))


def drawn(sampler: Sampler, n_trials: int, seed: int = 0) -> list[Point]:
    """The points of a study of `n_trials`."""
    points: list[Point] = []
    taken: set[Key] = set()
    for draw in range(n_trials):
        history = points[: sampler.generation * (draw // sampler.generation)]
        key = sampler.draw(history, taken, np.random.default_rng((seed, draw)))
        assert key not in taken
        taken.add(key)
        choice = sampler.space.choice(key)
        evaluation = sampler.problem.evaluate([choice])[0]
        violation = sum(max(0.0, value) for value in evaluation.constraints.values())
        points.append(Point(draw, choice, evaluation.values, {}, evaluation.feasible, violation))
    return points


def share(problem: Problem, points: Sequence[Point]) -> float:
    """The part of the feasible choices' hypervolume, from the worst of all values."""
    names, directions = list(problem.choices), [o.direction for o in problem.objectives]
    keys = itertools.product(*problem.choices.values())
    every = problem.evaluate([dict(zip(names, key, strict=True)) for key in keys])
    rows = pareto.losses([e.values for e in every], directions)
    worst = rows.max(axis=0) * [-1 if d == "maximize" else 1 for d in directions]
    exact, found = (
        pareto.hypervolume([e.values for e in some if e.feasible], directions, worst)
        for some in (every, points)
    )
    return found / exact


def random_share(problem: Problem, n_trials: int, seed: int) -> float:
    rng = np.random.default_rng(seed)
    keys = list(itertools.product(*problem.choices.values()))
    picked = [dict(zip(problem.choices, keys[i], strict=True)) for i in rng.permutation(len(keys))[:n_trials]]
    evaluations = problem.evaluate(picked)
    return share(
        problem, [Point(i, c, e.values) for i, (c, e) in enumerate(zip(picked, evaluations, strict=True))]
    )


@pytest.mark.parametrize("kind", [Mirror, Heavy])
def test_finds_more_of_the_front_than_random_draws(kind):
    problem = kind()
    found = [share(problem, drawn(Front(problem), 40, seed)) for seed in range(2)]
    assert min(found) > 0.97
    assert np.median(found) > np.median([random_share(problem, 40, seed) for seed in range(10)])


def test_several_objectives_can_be_learned():
    class Unpriced(Heavy):
        foreseen = ("weight",)

    assert share(Unpriced(), drawn(Front(Unpriced()), 40)) > 0.9


def test_goes_the_same_way_when_it_starts_anew_within_a_generation():
    points = drawn(Front(Mirror(), generation=5), 30)
    taken = {tuple(point.choice.values()) for point in points[:27]}
    again = Front(Mirror(), generation=5).draw(points[:25], taken, np.random.default_rng((0, 27)))
    assert again == tuple(points[27].choice.values())
    assert drawn(Front(Mirror(), generation=5), 30) == points
    assert drawn(Front(Mirror(), generation=5), 30, seed=1) != points


def test_draws_every_choice_once():
    sampler = Front(Mirror())
    assert len(drawn(sampler, sampler.space.size)) == 4 * 3 * 3 * 3


def test_what_is_foreseen_to_be_infeasible_comes_last():
    problem = Mirror(max_price=40.0)
    sampler = Front(problem)
    every = [sampler.space.choice(key) for key in itertools.product(*sampler.space.options)]
    n_feasible = sum(evaluation.feasible for evaluation in problem.evaluate(every))
    points = drawn(sampler, n_feasible + 3)
    assert 20 < n_feasible < sampler.space.size
    assert [point.feasible for point in points] == [True] * n_feasible + [False] * 3


def test_a_draw_is_spread_from_those_of_its_generation():
    """Draws that nobody has evaluated yet make what they would tell less worth knowing."""
    points = drawn(Front(Mirror(), generation=10), 20)
    assert len({tuple(point.choice.values()) for point in points[10:]}) == 10
    sampler = Front(Mirror(), generation=10)
    alone = sampler.draw(
        points[:10], {tuple(p.choice.values()) for p in points[:10]}, np.random.default_rng(0)
    )
    second = sampler.draw(
        points[:10], {tuple(p.choice.values()) for p in points[:10]} | {alone}, np.random.default_rng(0)
    )
    assert second != alone


@pytest.mark.parametrize(
    ("known", "message"), [((), "use nsga2"), (("reflectivity", "price"), "nothing to learn")]
)
def test_needs_something_foreseen_and_something_to_learn(known, message):
    problem = Mirror()
    problem.foreseen = known
    with pytest.raises(SearchError, match=message):
        Front(problem)


@pytest.fixture
def pooled(monkeypatch) -> None:
    """As if the 108 choices were more than can be scored at once."""
    monkeypatch.setattr(front, "MAX_CHOICES", 100)
    monkeypatch.setattr(candidates, "POOL", 40)


@pytest.mark.parametrize("kind", [Mirror, Heavy])
def test_a_pool_of_a_larger_space_finds_as_much(pooled, kind):
    found = [share(kind(), drawn(Front(kind()), 40, seed)) for seed in range(2)]
    assert min(found) > 0.97


def test_a_pool_draws_every_choice_once_and_what_is_infeasible_late(pooled):
    points = drawn(Front(Mirror(max_price=40.0)), 108)
    n_feasible = sum(point.feasible for point in points)
    assert 20 < n_feasible < 108
    assert all(point.feasible for point in points[: n_feasible // 2])


def test_a_pool_goes_the_same_way_when_it_starts_anew_within_a_generation(pooled):
    points = drawn(Front(Mirror(), generation=5), 30)
    taken = {tuple(point.choice.values()) for point in points[:27]}
    again = Front(Mirror(), generation=5).draw(points[:25], taken, np.random.default_rng((0, 27)))
    assert again == tuple(points[27].choice.values())


@pytest.mark.parametrize("told_at_first", [True, False])
def test_an_objective_of_which_only_some_pools_are_told(pooled, told_at_first):
    """Which is known stays as it was at the start, or an error says what is missing."""

    class Sometimes(Heavy):
        foreseen = ("price", "weight")
        told = told_at_first

        def foresee(self, batch: Sequence[Choice]) -> list[Known]:
            every = super().foresee(batch)
            return every if self.told else [Known({}), *every[1:]]

    problem = Sometimes()
    problem.foreseen = ("price", "weight") if told_at_first else ("price",)
    problem.told = True
    sampler = Front(problem)
    problem.foreseen, problem.told = ("price", "weight"), not told_at_first
    points = drawn(Front(Heavy()), 15)
    if told_at_first:
        with pytest.raises(SearchError, match="price is foreseen for other choices, not for"):
            sampler.draw(points, set(), np.random.default_rng(0))
    else:
        assert sampler.draw(points, set(), np.random.default_rng(0))


class Ladder(Problem):
    """5^20 choices, each step of a weight of its own; a pair of neighbours is worth more together."""

    choices: Mapping[str, Sequence[Value]] = {f"step_{i:02}": (0, 1, 2, 3, 4) for i in range(20)}
    objectives = (Objective("height", "maximize"), Objective("price", "minimize"))
    known_choices = ()

    def __init__(self, max_price: float = 200.0) -> None:
        self.max_price = max_price

    def evaluate(self, batch: Sequence[Choice]) -> list[Evaluation]:
        return [
            Evaluation((self.height(choice), self.price(choice)), {}, self.limit(choice)) for choice in batch
        ]

    def foresee(self, batch: Sequence[Choice]) -> list[Known]:
        return [Known({"price": self.price(choice)}, {}, self.limit(choice)) for choice in batch]

    def limit(self, choice: Choice) -> dict[str, float]:
        return {"price": self.price(choice) - self.max_price}

    def height(self, choice: Choice) -> float:
        steps = np.array(list(choice.values()), dtype=float)
        return float(
            np.sum(np.sqrt(steps) * np.linspace(0.2, 2, 20)) + 0.2 * np.sum(steps[1:] * steps[:-1]) / 4
        )

    def price(self, choice: Choice) -> float:
        return float(np.dot(np.array(list(choice.values()), dtype=float), 1 + np.arange(20) % 3))


def test_a_space_of_many_more_choices_than_can_be_scored(monkeypatch):
    monkeypatch.setattr(candidates, "POOL", 2_000)
    problem, reference = Ladder(), [0.0, 160.0]
    size = [
        pareto.hypervolume([point.values for point in points], ["maximize", "minimize"], reference)
        for points in (drawn(Front(problem), 60), drawn(Random(problem), 600))
    ]
    assert size[0] > 1.15 * size[1]


def test_a_ceiling_that_one_draw_in_millions_keeps():
    problem = Ladder(max_price=12)
    space, rng = Space(problem.choices), np.random.default_rng(0)
    drawn_at_random = [space.choice(space.draw(rng)) for _ in range(10_000)]
    assert not any(evaluation.feasible for evaluation in problem.evaluate(drawn_at_random))
    assert all(point.feasible for point in drawn(Front(problem), 40))


def test_expected_improvement_in_closed_form_is_the_sampled_one():
    rows = np.array([[0.2, 0.7], [0.5, 0.3], [0.6, 0.9]])
    reference = np.array([1.0, 1.0])
    mean = np.array([[0.1, 0.8], [0.4, 0.5], [0.9, 0.2], [0.3, 0.9]])
    deviation = np.array([0.1, 0.2, 0.3, 0.05])
    rng = np.random.default_rng(0)
    before = pareto.hypervolume(rows, ["minimize"] * 2, reference.tolist())
    sampled = [
        np.mean(
            [
                pareto.hypervolume([*rows, [m[0], m[1] + s * z]], ["minimize"] * 2, reference.tolist())
                - before
                for z in rng.standard_normal(3000)
            ]
        )
        for m, s in zip(mean, deviation, strict=True)
    ]
    closed = hypervolume_improvement.improvement_2d(rows, reference, mean, deviation)
    general = hypervolume_improvement.improvement(
        rows, np.zeros(2), reference, mean, np.stack([np.zeros(4), deviation], axis=1)
    )
    np.testing.assert_allclose(closed, sampled, atol=0.005)
    np.testing.assert_allclose(general, closed, atol=0.005)


class Surprising(Mirror):
    """Its constraint shows after the evaluation alone."""

    def foresee(self, batch: Sequence[Choice]) -> list[Known]:
        return [Known(dict(f.values)) for f in super().foresee(batch)]


@pytest.mark.parametrize("max_price", [26.0, 32.0, 40.0])
def test_constraints_that_are_not_foreseen_are_learned(max_price):
    problem = Surprising(max_price)
    assert np.median([share(problem, drawn(Front(problem), 20, seed)) for seed in range(3)]) > 0.99


def test_where_nothing_is_feasible_it_goes_on():
    assert not any(point.feasible for point in drawn(Front(Surprising(max_price=1.0)), 30))


@pytest.mark.parametrize("options", [(3, 1, 2), (7,), (0.5, -1, 10), range(65), ("a",), ("none", 1, 2.5)])
def test_features_are_steps_of_numbers_and_columns_of_texts(options):
    rows = candidates.features_of(options)
    apart = np.sum((rows[:, None] - rows) ** 2, axis=-1)
    if any(isinstance(option, str) for option in options):
        expected = 1 - np.eye(len(options))
    else:
        rank = np.argsort(np.argsort(options))
        expected = abs(rank[:, None] - rank)
    np.testing.assert_allclose(apart, expected, atol=1e-12)


@pytest.mark.filterwarnings("error")
def test_many_options_of_one_choice_take_no_more_features_than_some():
    numbers = candidates.features_of(range(50_000))
    assert numbers.shape == (50_000, 64)
    apart = np.sum((numbers - numbers[0]) ** 2, axis=1)
    np.testing.assert_allclose(apart[[25_000, -1]], [25_000, 49_999], rtol=0.02)
    assert np.all(np.diff(apart) > 0)
    texts = candidates.features_of([*map(str, range(500)), 7])
    apart = np.sum((texts[1:] - texts[0]) ** 2, axis=1)
    assert texts.shape == (501, 64)
    assert 0.3 < apart.min() < apart.mean() < apart.max() < 2


def test_a_choice_of_many_options_can_be_searched():
    class Dial(Mirror):
        choices: Mapping[str, Sequence[Value]] = {**Mirror.choices, "size": range(1, 30_001)}

        def score(self, choice: Choice) -> dict[str, float]:
            return super().score({**choice, "size": int(choice["size"]) / 10_000})

    points = drawn(Front(Dial()), 20)
    assert len({point.choice["size"] for point in points}) > 5
