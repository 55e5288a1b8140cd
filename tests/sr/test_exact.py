"""The shipped table of exact scores: it belongs to the shipped weights, and Optuna's own samplers can use it."""

import random
import warnings

import optuna
import pytest

from mfagan import checkpoint
from mfagan.data.splits import EMBEDDED, read_pairs
from mfagan.latency.priced_problem import Target
from mfagan.latency.tables import read_table
from mfagan.sr.network.mfanet import INPUT_SIZE
from mfagan.sr.network.widths import every_choice
from mfagan.sr.shipped import EXACT, LATENCY_TABLE, SUPERGENERATOR
from mfagan.sr.study.problem import SubGeneratorProblem
from search import pareto
from search.benchmarks.competitors import HubProblem
from search.benchmarks.tabular import TabularProblem

REMEDY = (
    "the weights, the latency table or the photos have changed: rebuild the table, see mfagan/sr/shipped.py"
)


@pytest.fixture(scope="module")
def exact() -> TabularProblem:
    return TabularProblem.read(EXACT)


@pytest.fixture(scope="module")
def problem() -> SubGeneratorProblem:
    pairs = read_pairs(EMBEDDED, record=checkpoint.read(SUPERGENERATOR).record)
    return SubGeneratorProblem(SUPERGENERATOR, pairs, Target(read_table(LATENCY_TABLE), INPUT_SIZE, ""))


def test_it_is_of_the_shipped_weights(exact: TabularProblem, problem: SubGeneratorProblem):
    assert exact.identity() == problem.identity(), REMEDY
    assert {name: tuple(options) for name, options in exact.choices.items()} == dict(problem.choices)
    assert exact.objectives == problem.objectives
    assert exact.known_choices == problem.known_choices
    assert EXACT.stat().st_size < 300_000


def test_its_values_are_those_of_the_problem(exact: TabularProblem, problem: SubGeneratorProblem):
    choices = random.Random(1).sample([widths.as_choice() for widths in every_choice()], 8)
    for one, other in zip(exact.evaluate(choices), problem.evaluate(choices), strict=True):
        assert one.values[0] == pytest.approx(other.values[0], abs=1e-4)
        assert one.values[1] == pytest.approx(other.values[1], abs=1e-9)
    for one, other in zip(exact.foresee(choices), problem.foresee(choices), strict=True):
        assert one.values == pytest.approx(other.values)


def test_optunas_samplers_search_it(exact: TabularProblem):
    hub = HubProblem(exact)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        study = optuna.create_study(directions=hub.directions, sampler=optuna.samplers.RandomSampler(seed=0))
        study.optimize(hub, n_trials=20)
    assert len(study.trials) == 20
    directions = [objective.direction for objective in exact.objectives]
    for trial in study.best_trials:
        assert not any(pareto.dominates(other.values, trial.values, directions) for other in study.trials)
