import sys

import numpy as np
import pytest

from search.errors import SearchError
from search.preference.process import fit_preferences

FEATURES = np.linspace(0, 1, 5)[:, None]
UPWARDS = [(4, 0), (3, 1), (4, 2), (2, 0), (1, 0), (3, 2)]


def test_the_order_of_consistent_answers_is_found():
    liking = fit_preferences(FEATURES, UPWARDS)
    assert np.argsort(liking.mean).tolist() == [0, 1, 2, 3, 4]
    assert liking.probability(4, 0) > 0.9
    assert liking.probability(4, 0) + liking.probability(0, 4) == pytest.approx(1)
    assert liking.probability(2, 2) == 0.5


def test_answers_that_contradict_each_other_say_nothing():
    liking = fit_preferences(FEATURES, [*UPWARDS, *((worse, better) for better, worse in UPWARDS)])
    for one in range(5):
        assert liking.probability(one, 0) == pytest.approx(0.5, abs=0.02)


def test_points_that_were_not_compared_are_predicted_from_their_neighbours():
    between = np.append(FEATURES, [[0.9]], axis=0)
    liking = fit_preferences(between, UPWARDS)
    assert liking.mean[3] < liking.mean[5] < liking.mean[4] + 0.1
    assert liking.covariance[5, 5] > liking.covariance[4, 4]


def test_it_is_the_process_of_optunas_sampler():
    """The sampler, fed through Optuna's public functions, fits the same process to the same answers."""
    import optuna
    from optuna_dashboard.preferential import create_study
    from optuna_dashboard.preferential.samplers.gp import PreferentialGPSampler

    space: dict[str, optuna.distributions.BaseDistribution] = {
        "x": optuna.distributions.FloatDistribution(0, 1)
    }
    sampler = PreferentialGPSampler(seed=0)
    study = create_study(n_generate=1, sampler=sampler)
    study.add_trials(
        [optuna.create_trial(params={"x": float(x)}, distributions=space, value=0.0) for x in FEATURES[:, 0]]
    )
    trials = study.get_trials()
    for better, worse in UPWARDS:
        study.report_preference(trials[better], trials[worse])
    study.ask(space)
    assert sampler._gp is not None
    ours = fit_preferences(FEATURES, UPWARDS)
    assert ours.noise_variance == pytest.approx(float(sampler._gp.log_noise.exp()), rel=1e-6)


def test_without_the_packages_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "gpytorch", None)
    with pytest.raises(SearchError, match=r"is not there \(.*\): pip install 'mfagan\[preference\]'"):
        fit_preferences(FEATURES, UPWARDS)
