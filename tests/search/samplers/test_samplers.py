"""The samplers but `front`, each drawing as a study does, without a storage."""

import itertools
import math
from collections.abc import Sequence

import numpy as np
import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.samplers.nsgaii._elite_population_selection_strategy import (
    NSGAIIElitePopulationSelectionStrategy as OptunasElites,
)
from optuna.trial import create_trial

from search.errors import SearchError
from search.problem import Evaluation, Objective, Point, Problem
from search.samplers import NAMES, default_trials, make_sampler
from search.samplers.base import Key, Sampler, Space
from search.samplers.nsga2 import NSGA2

PLAIN = ("nsga2", "tpe", "random", "exhaustive")


class Grid(Problem):
    """Any choices; sums of the places of the options, weighed in two ways."""

    objectives = (Objective("gain", "maximize"), Objective("cost", "minimize"))

    def __init__(self, **choices):
        self.choices = choices

    def evaluate(self, batch):
        return [self.score(choice) for choice in batch]

    def score(self, choice):
        places = [options.index(choice[name]) for name, options in self.choices.items()]
        return Evaluation((float(sum(places)), float(sum(i * p for i, p in enumerate(places)))))


def mixed() -> Grid:
    """48 choices of every type."""
    return Grid(a=(1, 2, 3, 4), glass=("crown", "flint"), d_mm=(0.5, 1.5, 2.5), only=(7,), b=(0, 1))


def points_of(problem: Grid, keys: Sequence[Key]) -> tuple[Point, ...]:
    space = Space(problem.choices)
    choices = [space.choice(key) for key in keys]
    return tuple(Point(i, choice, problem.score(choice).values) for i, choice in enumerate(choices))


def drawn_by(sampler: Sampler, problem: Grid, n: int, seed: int = 0, start: Sequence[Key] = ()) -> list[Key]:
    """The keys after `start`, as a study of one worker draws them: the history grows by whole generations."""
    keys, history = list(start), points_of(problem, start)
    for draw in range(len(keys), len(keys) + n):
        n_seen = sampler.generation * (draw // sampler.generation)
        if n_seen != len(history):
            history = points_of(problem, keys[:n_seen])
        keys.append(sampler.draw(history, set(keys), np.random.default_rng((seed, draw))))
    return keys[len(start) :]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", PLAIN)
def test_every_choice_is_drawn_once_until_none_is_left(name, seed):
    problem = mixed()
    keys = drawn_by(make_sampler(name, problem, population=6), problem, 48, seed)
    assert sorted(map(repr, keys)) == sorted(map(repr, itertools.product(*problem.choices.values())))


@pytest.mark.parametrize("name", PLAIN)
def test_what_others_took_is_left_out(name):
    problem = mixed()
    sampler = make_sampler(name, problem, population=6)
    every = list(sampler.space.grid())
    history = points_of(problem, every[:12])
    for left in (every[-1], every[20]):
        taken = set(every) - {left}
        assert sampler.draw(history, taken, np.random.default_rng(0)) == left


@pytest.mark.parametrize("name", PLAIN)
def test_a_draw_depends_on_history_taken_and_random_state_alone(name):
    """So a study that was stopped at any place and continued, with a new sampler, goes the same way."""
    problem = mixed()
    keys = drawn_by(make_sampler(name, problem, population=6), problem, 40)
    for stop in (1, 6, 13, 25):
        again = make_sampler(name, problem, population=6)
        assert drawn_by(again, problem, 40 - stop, start=keys[:stop]) == keys[stop:]


@pytest.mark.parametrize("name", ["nsga2", "tpe", "random"])
def test_seeds_differ(name):
    problem = mixed()
    one, other = (drawn_by(make_sampler(name, problem, population=6), problem, 20, seed) for seed in (0, 1))
    assert one != other


@pytest.mark.parametrize(("name", "generation"), [("nsga2", 7), ("tpe", 10), ("random", 50)])
def test_sizes_of_generations(name, generation):
    assert make_sampler(name, mixed(), population=7).generation == generation


def test_known_choices_start_the_samplers_that_learn():
    assert [make_sampler(name, mixed()).starts_known for name in PLAIN] == [True, True, False, False]


def test_the_last_of_a_large_space_is_found():
    space = Space(dict.fromkeys("abcdefg", (0, 1, 2)))
    every = list(space.grid())
    taken = set(every) - {every[1234]}
    assert space.untaken(every[0], taken, np.random.default_rng(0)) == every[1234]


# NSGA-II


OUTCOMES = st.tuples(
    st.integers(0, 5), st.integers(0, 5), st.sampled_from([0.0, 0.0, 0.0, 1e-9, 0.5, 0.5, 2.0])
)


@settings(max_examples=300, deadline=None)
@given(st.lists(OUTCOMES, min_size=1, max_size=60), st.integers(2, 12))
def test_parents_are_optunas_elites_of_the_whole_history(outcomes, population):
    """Ranks, crowding distances and ties, of infeasible points too."""
    problem = Grid(a=(0, 1))
    history = [
        Point(i, {"a": i % 2}, (float(gain), float(cost)), {}, violation == 0, violation)
        for i, (gain, cost, violation) in enumerate(outcomes)
    ]
    trials = [create_trial(values=p.values, constraints={"limit": p.violation}) for p in history]
    for number, trial in enumerate(trials):
        trial.number = number
    study = optuna.create_study(directions=["maximize", "minimize"])
    elites = OptunasElites(population_size=math.ceil(1.5 * population))(study, trials)
    assert [t.number for t in NSGA2(problem, population)._select(history)] == sorted(
        trial.number for trial in elites
    )


def test_parents_come_from_all_generations():
    problem = mixed()
    sampler = NSGA2(problem, 6)
    keys = drawn_by(sampler, problem, 40)
    early = {trial.number for trial in sampler._select(points_of(problem, keys[:36]))} & set(range(30))
    assert early


def two_parents() -> tuple[NSGA2, tuple[Point, ...]]:
    """(0, 0) and (9, 9), of which neither is better."""
    sampler = NSGA2(Grid(x=tuple(range(10)), y=tuple(range(10))), 2)
    history = (Point(0, {"x": 0, "y": 0}, (0.0, 0.0)), Point(1, {"x": 9, "y": 9}, (1.0, 1.0)))
    return sampler, history


def test_children_keep_their_parents_values_but_for_mutations():
    sampler, history = two_parents()
    keys = [sampler.draw(history, set(), np.random.default_rng(i)) for i in range(400)]
    inherited = sum(value in (0, 9) for key in keys for value in key) / 800
    assert 0.55 < inherited < 0.65  # a half, and a fifth of the other half by rng
    assert {(0, 9), (9, 0)} & set(keys)  # crossed


def test_mutation_is_not_tied_to_selection():
    """With one random state for both, every mutated copy of a parent would get nearly the same option."""
    sampler, history = two_parents()
    keys = [sampler.draw(history, set(), np.random.default_rng(i)) for i in range(3000)]
    mutated = [(x, y == 9) for x, y in keys if x not in (0, 9) and y in (0, 9)]
    assert len(mutated) > 200
    counts = np.bincount([x for x, _ in mutated], minlength=10)[1:9]
    assert counts.min() > 0.4 * counts.mean()
    assert abs(np.corrcoef(np.array(mutated, dtype=float).T)[0, 1]) < 0.2  # at least 3 standard deviations


def test_a_population_of_one_is_refused():
    with pytest.raises(SearchError, match="population is 1: it must be at least 2"):
        make_sampler("nsga2", mixed(), population=1)


# TPE


def test_tpe_prefers_what_was_good():
    """By rng the sum of eight values from 0 to 2 is 8."""
    problem = Grid(**dict.fromkeys("abcdefgh", (0, 1, 2)))
    problem.objectives = (Objective("gain", "maximize"), Objective("same", "minimize"))
    scored = problem.score
    problem.score = lambda choice: Evaluation((scored(choice).values[0], 0.0))
    keys = drawn_by(make_sampler("tpe", problem), problem, 60)
    gains = [problem.score(Space(problem.choices).choice(key)).values[0] for key in keys]
    assert np.mean(gains[40:]) > np.mean(gains[:10]) + 3


# all choices in turn


def test_exhaustive_goes_in_the_order_of_the_grid():
    problem = mixed()
    sampler = make_sampler("exhaustive", problem)
    every = list(itertools.product(*problem.choices.values()))
    assert drawn_by(sampler, problem, 48) == every
    taken = set(every[1:4])
    sampler = make_sampler("exhaustive", problem)
    first = sampler.draw((), taken, np.random.default_rng(0))
    assert (first, sampler.draw((), taken | {first}, np.random.default_rng(0))) == (every[0], every[4])


def test_exhaustive_comes_back_for_what_another_worker_gave_up():
    problem = mixed()
    sampler = make_sampler("exhaustive", problem)
    every = list(sampler.space.grid())
    rng = np.random.default_rng(0)
    assert sampler.draw((), set(every[:5]), rng) == every[5]
    assert sampler.draw((), set(every) - {every[2]}, rng) == every[2]
    assert sampler.draw(points_of(problem, every[5:6]), set(every[:2]), rng) == every[2]


@pytest.mark.parametrize(
    ("lengths", "generation"),
    [((6, 5, 3), 90), ((3,) * 6, 243), ((9, 8, 200), 200), ((4, 300), 300), ((4, 300, 1), 300), ((2,), 2)],
)
def test_a_generation_of_exhaustive_shares_its_first_values(lengths, generation):
    problem = Grid(**{f"c{i}": tuple(range(length)) for i, length in enumerate(lengths)})
    sampler = make_sampler("exhaustive", problem)
    assert sampler.generation == generation
    n_free = next(n for n in range(len(lengths) + 1) if np.prod(lengths[n:], dtype=int) == generation)
    keys = list(sampler.space.grid())
    for start in range(0, len(keys), generation):
        assert len({key[:n_free] for key in keys[start : start + generation]}) == 1


# by name


@pytest.mark.parametrize("name", PLAIN)
def test_names(name):
    assert name in NAMES
    assert type(make_sampler(name, mixed())).__name__.lower() == name
    assert default_trials(name) == (None if name == "exhaustive" else 200)


def test_unknown_names():
    with pytest.raises(SearchError, match="sampler 'annealing' is not known: choose from nsga2, front, tpe,"):
        make_sampler("annealing", mixed())


def test_scattered_exhaustive_draws_every_choice_in_small_generations():
    problem = Grid(**{f"c{i}": (0, 1, 2) for i in range(6)})
    sampler = make_sampler("exhaustive", problem, scattered=True)
    assert sampler.generation == 81
    taken: dict[Key, None] = {}
    while len(taken) < 729:
        taken[sampler.draw((), taken, np.random.default_rng(0))] = None
    prefixes = [key[:2] for key in taken]
    assert [prefix for prefix, _ in itertools.groupby(prefixes)] == list(dict.fromkeys(prefixes))
    assert list(dict.fromkeys(prefixes)) != sorted(set(prefixes))
