"""A Gaussian process over candidates: hyper-parameters from scikit-learn, predictions for all of them at once."""

from __future__ import annotations

import warnings
from typing import cast

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, cholesky, solve_triangular
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Kernel, Matern, WhiteKernel

__all__ = ["Process", "fit_kernel"]

Array = NDArray[np.float64]

_PER_SCALE = 3  # trials per feature before each feature gets a length scale of its own: fewer overfit


def fit_kernel(inputs: Array, values: Array, scale: float) -> Kernel:
    """Fit the hyper-parameters of a Gaussian process: a Matern 5/2 signal and white noise.

    Args:
        inputs: features (n, n_features).
        values: losses (n,).
        scale: the length scale to begin with.

    Returns:
        The kernel.
    """
    n_scales = inputs.shape[1] if len(inputs) >= _PER_SCALE * inputs.shape[1] else 1
    scales = np.full(n_scales, scale)
    signal = ConstantKernel(1.0, (1e-2, 1e3)) * Matern(scales, (0.3, 30.0), nu=2.5)  # pyright: ignore[reportArgumentType]
    process = GaussianProcessRegressor(signal + WhiteKernel(1e-3, (1e-6, 1.0)), alpha=1e-10)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # length scales at their bounds
        process.fit(inputs, (values - values.mean()) / (values.std() or 1.0))
    return cast(Kernel, process.kernel_)


class Process:
    """A Gaussian process conditioned on the losses of some candidates.

    Attributes:
        mean: the predicted loss (n,) of each candidate.
    """

    def __init__(self, kernel: Kernel, inputs: Array, tried: NDArray[np.intp], values: Array) -> None:
        """Condition the process.

        Args:
            kernel: what `fit_kernel` returned.
            inputs: features (n, n_features) of all candidates.
            tried: indices (m,) of the candidates whose losses are known.
            values: their losses (m,).
        """
        self._signal, noise = kernel.k1, kernel.k2.noise_level  # type: ignore[attr-defined]
        self._noise = float(noise) + 1e-10
        self._inputs = inputs
        self._centre, self._scale = float(values.mean()), float(values.std()) or 1.0
        covariance = self._signal(inputs[tried]) + self._noise * np.eye(len(tried))
        lower = cholesky(covariance, lower=True)
        across = self._signal(inputs[tried], inputs)
        weights = cho_solve((lower, True), (values - self._centre) / self._scale)
        self.mean = self._centre + self._scale * (weights @ across)
        self._explained = solve_triangular(lower, across, lower=True)
        self._variance = self._signal.diag(inputs) - np.sum(self._explained**2, axis=0)

    def deviation(self, waiting: NDArray[np.intp]) -> Array:
        """Predict standard deviations as they will be when further candidates are observed.

        Args:
            waiting: indices of these candidates.

        Returns:
            The standard deviation (n,) of each candidate, in the losses' unit.
        """
        variance = self._variance
        if len(waiting):
            across = self._signal(self._inputs[waiting], self._inputs)
            across -= self._explained[:, waiting].T @ self._explained
            lower = cholesky(across[:, waiting] + self._noise * np.eye(len(waiting)), lower=True)
            variance = variance - np.sum(solve_triangular(lower, across, lower=True) ** 2, axis=0)
        return self._scale * np.sqrt(np.maximum(variance, 1e-12))
