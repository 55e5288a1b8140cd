import sys

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import log_ndtr

from search.errors import SearchError
from search.preference.process import _posterior, fit_preferences

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


def test_the_posterior_is_that_of_the_prior_where_nothing_was_compared():
    far = np.append(FEATURES, [[40.0]], axis=0)
    liking = fit_preferences(far, UPWARDS)
    assert liking.mean[5] == pytest.approx(0, abs=1e-6)
    assert liking.covariance[5, 5] == pytest.approx(1, abs=1e-6)


def test_one_answer_between_two_points_gives_the_mode_that_a_search_finds():
    prior = np.array([[1.0, 0.4], [0.4, 1.0]])
    mean, covariance = _posterior(prior, np.array([[0, 1]]), 0.1)
    inverse = np.linalg.inv(prior)

    def loss(f: np.ndarray) -> float:
        return f @ inverse @ f / 2 - log_ndtr((f[0] - f[1]) / 0.1**0.5)

    assert mean == pytest.approx(minimize(loss, [0.0, 0.0], tol=1e-12).x, abs=1e-5)
    assert np.linalg.eigvalsh(covariance).min() > 0
    assert np.linalg.det(covariance) < np.linalg.det(prior)


def test_the_length_scales_and_the_noise_are_those_of_optunas_sampler():
    """The sharper the answers separate neighbours, the smaller is the noise that the sampler finds."""
    certain = fit_preferences(FEATURES, UPWARDS * 4)
    doubtful = fit_preferences(FEATURES, [*UPWARDS, *((worse, better) for better, worse in UPWARDS)])
    assert certain.noise_variance < doubtful.noise_variance


def test_without_the_packages_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "optuna_dashboard.preferential.samplers.gp", None)
    with pytest.raises(SearchError, match=r"is not there \(.*\): pip install 'mfagan\[preference\]'"):
        fit_preferences(FEATURES, UPWARDS)
