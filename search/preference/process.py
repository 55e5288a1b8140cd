"""What answers say of every point of a front: Optuna's preferential Gaussian process, asked about given points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from search.errors import SearchError

__all__ = ["Preferences", "fit_preferences"]

Array = NDArray[np.float64]

_CYCLES = 20
"""Of expectation propagation over the answers for the prediction; the fit itself takes two, as Optuna has it."""


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

    It has a Matern 3/2 kernel with a length scale for each feature, and priors of both and of the noise as
    `PreferentialGPSampler` sets them (Takeno et al., 2023); its hyperparameters are fitted by expectation propagation,
    whose posterior is what is returned. The sampler itself proposes a next trial from a random draw of that
    posterior and has no public function that predicts given points, so its process is called directly.

    Args:
        features: what describes the points (n, k), each column scaled to [0, 1].
        preferred: pairs of indices of points, the preferred one first; one that could not be told from another
            comes in both orders.

    Returns:
        What the comparisons say of all n points.

    Raises:
        SearchError: the packages are not installed, or others than those that this was written for.
    """
    try:
        import gpytorch
        import torch
        from optuna_dashboard.preferential.samplers.gp import _orthants_MVN_EP, _PreferentialGP
    except ImportError as error:
        raise SearchError(
            f"Optuna's preferential Gaussian process is not there ({error}): pip install 'mfagan[preference]'"
        ) from None
    used = sorted({index for pair in preferred for index in pair})
    rows = torch.tensor(features, dtype=torch.float64)
    kernel = gpytorch.kernels.MaternKernel(
        nu=1.5,
        ard_num_dims=rows.shape[1],
        lengthscale_prior=gpytorch.priors.GammaPrior(5.0, 10.0),
        lengthscale_constraint=gpytorch.constraints.GreaterThan(
            0.0,
            transform=torch.exp,  # pyright: ignore[reportArgumentType] - any callable, as in Optuna
            inv_transform=torch.log,
        ),
    )
    process = _PreferentialGP(kernel, gpytorch.priors.GammaPrior(5.0, 50.0), rows.shape[1])
    among_used = torch.tensor([[used.index(a), used.index(b)] for a, b in preferred], dtype=torch.int32)
    process.fit_params_EP(rows[used], among_used)
    with torch.no_grad():
        noise = process.log_noise.exp()
        prior = kernel(rows, rows).to_dense()
        pairs = torch.tensor(preferred, dtype=torch.int32)
        mean, covariance, _ = _orthants_MVN_EP(prior, pairs, noise, _CYCLES)
    return Preferences(mean.numpy(), covariance.numpy(), float(noise))
