import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution

from search.samplers.nsga2 import NSGA2, left_in_generation

SPACE = {
    "a": CategoricalDistribution((1, 2, 3)),
    "b": CategoricalDistribution(("x", "y")),
    "only": CategoricalDistribution((7,)),
}


def small_study(n_trials: int, population: int = 4) -> optuna.Study:
    study = optuna.create_study(directions=["maximize", "minimize"])
    for draw in range(n_trials):
        study.sampler = NSGA2(population, SPACE, 5, draw)
        trial = study.ask(dict(SPACE))
        study.tell(trial, [trial.params["a"], trial.params["a"] * (trial.params["b"] == "x")])
    return study


def test_a_draw_depends_on_seed_and_place_alone():
    def first(entropy: int, draw: int) -> list[dict]:
        studies = [optuna.create_study(directions=["maximize", "minimize"]) for _ in range(2)]
        for study in studies:
            study.sampler = NSGA2(4, SPACE, entropy, draw)
        return [study.ask(dict(SPACE)).params for study in studies]

    draws = [first(entropy, draw) for entropy in range(4) for draw in range(8)]
    assert all(one == other for one, other in draws)
    assert len({tuple(one.items()) for one, _ in draws}) == 6


def test_mutation_is_not_tied_to_selection():
    """With one random state for both, every mutated copy of a parent would get nearly the same option."""
    study = optuna.create_study(directions=["maximize", "minimize"])
    selected, mutated = [], []
    for draw in range(400):
        study.sampler = sampler = NSGA2(4, SPACE, 0, draw)
        selected.append(sampler._rng.rng.rand())
        mutated.append(study.ask(dict(SPACE)).params["a"] == 1)
    assert 100 < sum(mutated) < 170
    assert abs(np.corrcoef(selected, mutated)[0, 1]) < 0.2  # 4 standard deviations; 0.6 with one state


@pytest.mark.parametrize(("n_finished", "left"), [(0, 4), (1, 3), (3, 1), (4, 4), (5, 3), (8, 4), (11, 1)])
def test_left_in_generation(n_finished, left):
    assert left_in_generation(small_study(n_finished).trials, 4) == left


def test_a_taken_choice_is_never_drawn():
    """Six choices: each is drawn once, the last ones too, when nearly every child is taken."""
    for entropy in range(20):
        study, taken = optuna.create_study(directions=["maximize", "minimize"]), set()
        for draw in range(6):
            study.sampler = NSGA2(2, SPACE, entropy, draw, taken)
            trial = study.ask(dict(SPACE))
            taken.add(tuple(trial.params.values()))
            study.tell(trial, [trial.params["a"], trial.params["a"]])
        assert len(taken) == 6


def test_known_choices_come_first_as_members_of_the_first_generation():
    known = [{"a": 3, "b": "y", "only": 7}, {"a": 1, "b": "x", "only": 7}]
    study = optuna.create_study(directions=["maximize", "minimize"])
    taken = set()
    for draw in range(3):
        study.sampler = NSGA2(4, SPACE, 0, draw, taken, known)
        trial = study.ask(dict(SPACE))
        taken.add(tuple(trial.params.values()))
        study.tell(trial, [1, 1])
    assert [trial.params for trial in study.trials[:2]] == known
    assert study.trials[2].params not in known
    assert {trial.system_attrs["NSGA2:generation"] for trial in study.trials} == {0}


def test_generations_have_the_size_of_the_population():
    key = "NSGA2:generation"
    assert [trial.system_attrs[key] for trial in small_study(12).trials] == [0] * 4 + [1] * 4 + [2] * 4
