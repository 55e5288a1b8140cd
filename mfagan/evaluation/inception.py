"""FID and KID: how far the pictures of a generator are from others in the features of Inception-v3.

torch-fidelity computes both, FID as its authors did in TensorFlow: pictures of 8 bits, enlarged to 299 px by
TensorFlow 1's bilinear method, 2,048 features. The weights are read from a file and never downloaded.
"""

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mfagan.checkpoint import sha256
from mfagan.data.images import to_uint8
from mfagan.errors import InputError
from mfagan.packages import refuse_import
from mfagan.pretrained import import_torchvision, read_state, weights_folder

__all__ = [
    "FILES",
    "InceptionFeatures",
    "describe_missing",
    "find_inception",
    "frechet_distance",
    "kernel_distance",
]

FILES = ("pt_inception-2015-12-05-6726825d.pth", "weights-inception-2015-12-05-6726825d.pth")
"""Names of the published weights, pytorch-fid's and torch-fidelity's; the last digits begin the file's SHA-256."""
_SHA256 = "6726825d"
_LAYER = "2048"
_SUBSETS, _SUBSET = 100, 1000
"""Of KID (Binkowski et al. 2018): the mean over random subsets, of at most so many pictures."""


def find_inception(path: Path | None = None) -> Path | None:
    """Find Inception's weights.

    Args:
        path: the file, or None to look in torch.hub's folder.

    Returns:
        The file, or None if there is none.

    Raises:
        InputError: `path` is no file.
    """
    if path is not None and not path.is_file():
        raise InputError(f"weights {path}: no such file; give the path of {' or '.join(FILES)}")
    places = [path] if path is not None else [weights_folder() / name for name in FILES]
    return next((one for one in places if one.is_file()), None)


def describe_missing() -> str:
    """Describe which file is missing and where to put it, in one line."""
    return (
        f"Inception's weights are missing: put {FILES[0]} in {weights_folder()} or give its path (published at "
        f"https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/{FILES[0]})"
    )


class InceptionFeatures:
    """Inception-v3 up to its last pooling."""

    def __init__(self, path: Path, device: torch.device) -> None:
        """Load it.

        Args:
            path: its weights. Weights that are not the published ones, such as random ones, are taken: their
                distances are no FID and no KID, and `is_published` is False.
            device: where it computes.

        Raises:
            InputError: the file is not a state dict of it, or torch-fidelity is missing or broken.
        """
        state = read_state(path, FILES[0])
        self.sha256 = digest = sha256(path)
        """Of the file of weights."""
        self.is_published = digest.startswith(_SHA256)
        library = _import_torch_fidelity()
        # torch-fidelity unpickles what it is given, so it is given what was read as plain data.
        content = io.BytesIO()
        torch.save(dict(state), content)
        content.seek(0)
        try:
            with torch.random.fork_rng(
                devices=()
            ):  # its layers are drawn at random before the weights are copied
                network = library.FeatureExtractorInceptionV3(
                    "inception-v3-compat", [_LAYER], feature_extractor_weights_path=content
                )
        except RuntimeError as error:
            reason = " ".join(str(error).split())
            raise InputError(f"weights {path}: not Inception's ({reason:.160}); give {FILES[0]}") from None
        self._network = network.to(device)
        self._device = device
        what = "published weights" if self.is_published else "other weights, so not FID and not KID"
        self.name = (
            f"Inception-v3 with {what} ({path.name}, SHA-256 {digest[:8]}...), torch-fidelity "
            f"{library.__version__}, pictures of 8 bits resized to 299 px by TensorFlow 1's bilinear method"
        )
        """What to print beside the figures."""

    @torch.no_grad()
    def __call__(self, pictures: Iterable[Tensor]) -> Tensor:
        """Compute the features of pictures.

        Args:
            pictures: batches (N, 3, H, W), RGB in [0, 1].

        Returns:
            (pictures, 2048), on the CPU.
        """
        return torch.cat([self._network(to_uint8(one).to(self._device))[0].cpu() for one in pictures])


def frechet_distance(one: Tensor, other: Tensor) -> float:
    """The Frechet distance of two normal distributions that are fitted to features; FID, of Inception's.

    Args:
        one: features of pictures, (N, features), N at least 2. Fewer pictures than features overestimate it.
        other: features of others.

    Returns:
        The distance, 0 for the same mean and covariance.

    Raises:
        InputError: fewer than 2 pictures.
    """
    metric = _import_torch_fidelity().metric_fid
    for features in (one, other):
        _require_two(features)
    if len(one) + len(other) < one.shape[1]:  # the same distance in the space that the features span, sooner
        basis = torch.linalg.qr(torch.cat([one, other]).double().T).Q
        one, other = one.double() @ basis, other.double() @ basis
    fitted = [{"mu": mean, "sigma": covariance} for mean, covariance in map(_fit, (one, other))]
    return metric.fid_statistics_to_metric(*fitted, verbose=False)[metric.KEY_METRIC_FID]


def kernel_distance(one: Tensor, other: Tensor, seed: int = 0) -> float:
    """The squared maximum mean discrepancy of features by the kernel (x y / features + 1)^3; KID, of Inception's.

    It is unbiased, so that it can be compared between small sets, and may be a little below 0.

    Args:
        one: features of pictures, (N, features), N at least 2.
        other: features of others.
        seed: of the subsets, whose mean it is.

    Returns:
        The distance.

    Raises:
        InputError: fewer than 2 pictures.
    """
    metric = _import_torch_fidelity().metric_kid
    for features in (one, other):
        _require_two(features)
    found = metric.kid_features_to_metric(
        one.double(),
        other.double(),
        kid_subsets=_SUBSETS,
        kid_subset_size=min(_SUBSET, len(one), len(other)),
        rng_seed=seed,
        verbose=False,
    )
    return found[metric.KEY_METRIC_KID_MEAN]


def _fit(features: Tensor) -> tuple[np.ndarray, np.ndarray]:
    x = features.double().numpy()
    return x.mean(0), np.atleast_2d(np.cov(x, rowvar=False))


def _require_two(features: Tensor) -> None:
    if len(features) < 2:
        raise InputError(f"{len(features)} pictures: give at least 2 to compare distributions")


def _import_torch_fidelity() -> Any:
    try:
        import_torchvision()  # torch-fidelity imports it
        import torch_fidelity

        return torch_fidelity
    except Exception as error:  # a broken installation fails in many ways
        raise refuse_import("'mfagan[fid]'", error) from None
