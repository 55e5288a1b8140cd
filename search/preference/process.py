"""What answers say of every point of a front, by Optuna's preferential Gaussian process."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtr
from sklearn.gaussian_process.kernels import Matern

from search.errors import SearchError

__all__ = ["Preferences", "fit_preferences"]

Array = NDArray[np.float64]

_STEPS = 100
_JITTER = 1e-8


@dataclass(frozen=True)
class Preferences:
    """How much each of n points is liked, on a scale without a unit.

    Attributes:
        mean: the expected liking (n,).
        covariance: its covariance (n, n).
        noise_variance: how far one person's answers to the same comparison vary.
    """

    mean: Array
    covariance: Array
    noise_variance: float

    def probability(self, better: int, than: int) -> float:
        """Tell how probably a point would be preferred to another in one more comparison.

        Args:
            better: the index of the one point.
            than: the index of the other.

        Returns:
            A probability; 0.5 where nothing speaks for either.
        """
        cov = self.covariance
        variance = cov[better, better] + cov[than, than] - 2 * cov[better, than]
        gap = self.mean[better] - self.mean[than]
        return float(ndtr(gap / np.sqrt(max(variance, 0.0) + self.noise_variance)))


def fit_preferences(features: Array, preferred: Sequence[tuple[int, int]]) -> Preferences:
    """Fit the Gaussian process of `optuna_dashboard.preferential` to comparisons and predict all points.

    The answers are reported to a preferential study of Optuna, whose `PreferentialGPSampler` (Takeno et al., 2023)
    fits length scales and noise to them when it is asked for a trial. It proposes trials and predicts none, so the
    liking of all points is the Laplace approximation of the posterior with these length scales and this noise (Chu and
    Ghahramani, 2005, equations 8 to 16).

    Args:
        features: what describes the points (n, k), each column scaled to [0, 1].
        preferred: pairs of indices of points, the preferred one first; one that could not be told from another
            comes in both orders.

    Returns:
        What the comparisons say of all n points.

    Raises:
        SearchError: the packages are not installed.
    """
    length_scales, noise_variance = _fit(features, preferred)
    prior = Matern(nu=1.5)(features / np.array(length_scales)) + _JITTER * np.eye(len(features))
    mean, covariance = _posterior(prior, np.array(preferred), noise_variance)
    return Preferences(mean, covariance, noise_variance)


def _fit(features: Array, preferred: Sequence[tuple[int, int]]) -> tuple[list[float], float]:
    """Length scales of the features and variance of the noise, as Optuna's sampler fits them."""
    import optuna

    from search.optuna_logging import quiet_optuna
    from search.storage.optuna_adapter import fitted_preferences

    try:
        from optuna_dashboard.preferential import create_study
        from optuna_dashboard.preferential.samplers.gp import PreferentialGPSampler
    except ImportError as error:
        raise SearchError(
            f"Optuna's preferential Gaussian process is not there ({error}): pip install 'mfagan[preference]'"
        ) from None
    names = [f"feature {i:03}" for i in range(features.shape[1])]
    space: dict[str, optuna.distributions.BaseDistribution] = {
        name: optuna.distributions.FloatDistribution(0, 1) for name in names
    }
    used = sorted({index for pair in preferred for index in pair})
    with quiet_optuna(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of BoTorch, about its own search for the next trial
        sampler = PreferentialGPSampler(seed=0)
        study = create_study(n_generate=1, sampler=sampler)
        for index in used:
            params = dict(zip(names, features[index].tolist(), strict=True))
            study.add_trial(optuna.create_trial(params=params, distributions=space, value=0.0))
        trials = study.get_trials(deepcopy=False)
        for better, worse in preferred:
            study.report_preference(trials[used.index(better)], trials[used.index(worse)])
        study.ask(space)
    return fitted_preferences(sampler)


def _posterior(prior: Array, preferred: NDArray[np.int_], noise_variance: float) -> tuple[Array, Array]:
    """Mean (n,) and covariance (n, n) of the likings, by Newton's method from the prior's mean 0.

    Args:
        prior: covariance of the likings before the answers (n, n).
        preferred: pairs of indices (m, 2), the preferred one first.
        noise_variance: of the difference of two likings.
    """
    n, m = len(prior), len(preferred)
    difference = np.zeros((m, n))  # of an answer's two likings, in units of the noise
    difference[np.arange(m), preferred[:, 0]] += 1 / np.sqrt(noise_variance)
    difference[np.arange(m), preferred[:, 1]] -= 1 / np.sqrt(noise_variance)
    precision = np.linalg.inv(prior)

    def differentiate(liking: Array) -> tuple[Array, Array]:
        """Gradient of the log posterior, and the Hessian of its negative."""
        z = difference @ liking
        slope = np.exp(-(z**2) / 2 - log_ndtr(z)) / np.sqrt(2 * np.pi)  # of log Phi(z)
        curvature = slope * (slope + z)
        gradient = difference.T @ slope - precision @ liking
        return gradient, precision + difference.T @ (curvature[:, None] * difference)

    liking = np.zeros(n)
    for _ in range(_STEPS):
        gradient, hessian = differentiate(liking)
        step = np.linalg.solve(hessian, gradient)
        liking = liking + step
        if np.max(np.abs(step)) < 1e-9:
            break
    covariance = np.linalg.inv(differentiate(liking)[1]).astype(np.float64)
    return liking, covariance
