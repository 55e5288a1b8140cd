"""Pretrained backbones of other authors: VGG19 for the perceptual loss, AlexNet for LPIPS.

Their weights are no part of this project and are never downloaded: they are read from a given path or from
where torch.hub keeps them, and their SHA-256 is checked against the published one.
"""

import pickle
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Literal

import torch
from torch import Tensor, nn

from mfagan.checkpoint import sha256
from mfagan.errors import InputError
from mfagan.packages import refuse_import

__all__ = [
    "CONV5_4",
    "LPIPS_MIN_SIDE_PX",
    "PUBLISHED",
    "Lpips",
    "describe_missing",
    "find_weights",
    "import_torchvision",
    "load_lpips",
    "load_vgg19_features",
]

PUBLISHED = {"vgg19": "vgg19-dcbb9e9d.pth", "alexnet": "alexnet-owt-7be5be79.pth"}
"""torchvision's file names; the eight hexadecimal digits are the start of the file's SHA-256."""

CONV5_4 = 34
"""Index of conv5_4 among VGG19's layers; its activation comes after it."""

_operators: list[torch.library.Library] = []


def import_torchvision() -> ModuleType:
    """torchvision, also where its wheel from PyPI stands beside a CPU build of torch.

    That pair fails at import because torchvision's compiled operators do not load. Two of them are declared
    then (without an implementation: nothing here calls them) and the import is repeated. A torchvision that
    works is left alone. Import this way before `lpips`, which imports torchvision itself.
    """
    try:
        import torchvision
    except RuntimeError as error:
        if "torchvision::nms does not exist" not in str(error):
            raise
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        declarations = torch.library.Library("torchvision", "DEF")
        for operator in ("nms", "qnms"):
            declarations.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _operators.append(declarations)  # dropping the reference would drop the operators
        import torchvision
    return torchvision


def find_weights(name: str, path: str | Path | None = None) -> Path | None:
    """Find the weights of a backbone.

    Args:
        name: `vgg19` or `alexnet`.
        path: the file, or None to look where torch.hub keeps them: $TORCH_HOME/hub/checkpoints, by default under
            ~/.cache/torch.

    Returns:
        The file, or None if torch.hub has none.

    Raises:
        InputError: an unknown name, or `path` is not a file.
    """
    cached = _cached(name)
    if path is None:
        return cached if cached.is_file() else None
    if not Path(path).is_file():
        raise InputError(f"weights {path}: no such file; give the path of {PUBLISHED[name]}")
    return Path(path)


def describe_missing(name: str) -> str:
    """Describe which file is missing, where to put it and where it is published.

    Args:
        name: `vgg19` or `alexnet`.

    Returns:
        One line.
    """
    cached = _cached(name)
    return (
        f"{name}'s weights are missing: put {cached.name} in {cached.parent} or give its path "
        f"(published at https://download.pytorch.org/models/{cached.name})"
    )


def load_vgg19_features(path: str | Path, sha256_prefix: str | None = None) -> nn.Sequential:
    """VGG19 up to conv5_4 before its activation, frozen: (N, 3, H, W) -> (N, 512, H // 16, W // 16).

    It takes RGB normalised with ImageNet's mean and standard deviation, at least 16 x 16 px.

    Args:
        path: the file of the weights.
        sha256_prefix: what the file's SHA-256 must start with, None for the published one.

    Returns:
        The layers, in evaluation mode.

    Raises:
        InputError: no such file, another hash, not a state dict of VGG19, or torchvision is missing or broken.
    """
    state = _read_state("vgg19", path, sha256_prefix)
    _require_torchvision()
    from torchvision.models.vgg import cfgs, make_layers

    with torch.device("meta"):  # no random initialisation: it would draw from the global generator
        features = nn.Sequential(*list(make_layers(cfgs["E"]).children())[: CONV5_4 + 1])
    _copy_weights(
        features.to_empty(device="cpu"),
        state,
        {name: f"features.{name}" for name in features.state_dict()},
        path,
    )
    return features.requires_grad_(False).eval()


LPIPS_MIN_SIDE_PX = 31


class Lpips(nn.Module):
    """LPIPS v0.1 (Zhang et al. 2018), frozen.

    name: what to print beside its figures, backbone and version included.
    """

    def __init__(self, metric: nn.Module, net: str) -> None:
        super().__init__()
        self.metric = metric
        self.name = f"LPIPS {net} v0.1"

    def forward(self, images: Tensor, references: Tensor) -> Tensor:
        """The distance of images to their references.

        Args:
            images: (N, 3, H, W), RGB in [-1, 1], at least 31 px a side.
            references: of the same shape.

        Returns:
            (N,), 0 where equal.

        Raises:
            InputError: images under 31 px a side, of which AlexNet's pooling leaves nothing.
        """
        height, width = images.shape[-2:]
        if min(height, width) < LPIPS_MIN_SIDE_PX:
            raise InputError(
                f"image of {width}x{height} px: {self.name} needs {LPIPS_MIN_SIDE_PX} px a side; use larger images"
            )
        return self.metric(images, references).flatten()


def load_lpips(path: str | Path, net: Literal["alex"] = "alex", sha256_prefix: str | None = None) -> Lpips:
    """LPIPS with AlexNet's weights from a file and its linear weights from the lpips package.

    Args:
        path: the file of AlexNet's weights.
        net: the backbone; only `alex` is known.
        sha256_prefix: what the file's SHA-256 must start with, None for the published one.

    Returns:
        The metric, frozen and in evaluation mode.

    Raises:
        InputError: another net, no such file, another hash, not a state dict of AlexNet, or lpips or
            torchvision is missing or broken.
    """
    if net != "alex":
        raise InputError(f"LPIPS net {net!r}: only 'alex' is known here")
    state = _read_state("alexnet", path, sha256_prefix)
    _require_torchvision()
    try:
        import lpips
    except Exception as error:  # a broken installation fails in many ways
        raise refuse_import("lpips", error) from None

    # lpips draws AlexNet at random before the weights are copied in, and asks torchvision in outdated words.
    with torch.random.fork_rng(devices=()), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        metric = lpips.LPIPS(net=net, version="0.1", pnet_rand=True, verbose=False)
    # slice2.3.weight -> features.3.weight: lpips cuts the layers into slices and keeps their numbers.
    names = {name: f"features.{name.split('.', 1)[1]}" for name in metric.net.state_dict()}
    _copy_weights(metric.net, state, names, path)
    return Lpips(metric, net).requires_grad_(False).eval()


def _require_torchvision() -> None:
    try:
        import_torchvision()
    except Exception as error:  # a broken installation fails in many ways
        raise refuse_import("torchvision", error) from None


def _cached(name: str) -> Path:
    if name not in PUBLISHED:
        raise InputError(f"backbone {name!r}: choose from {', '.join(PUBLISHED)}")
    return Path(torch.hub.get_dir()) / "checkpoints" / PUBLISHED[name]


def _read_state(name: str, path: str | Path, sha256_prefix: str | None) -> Mapping[str, Tensor]:
    published = PUBLISHED[name]
    expected = sha256_prefix or Path(published).stem.rsplit("-", 1)[1]
    try:
        found = sha256(path)
    except OSError as error:
        raise InputError(f"weights {path}: {error.strerror}; give the path of {published}") from None
    if not found.startswith(expected):
        raise InputError(
            f"weights {path}: its SHA-256 is {found}, {expected}... is expected; download {published} again"
        )
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, OSError, EOFError, ValueError, KeyError, pickle.UnpicklingError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise InputError(
            f"weights {path}: not a PyTorch state dict ({reason:.120}); give {published}"
        ) from None
    if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
        raise InputError(f"weights {path}: holds {type(state).__name__}, not a state dict; give {published}")
    return state


def _copy_weights(
    module: nn.Module, state: Mapping[str, Tensor], names: Mapping[str, str], path: str | Path
) -> None:
    """Copy state[names[own]] to each weight of `module` by its own name; what else `state` holds is left."""
    for own, weight in module.state_dict().items():
        name = names[own]
        if name not in state:
            raise InputError(f"weights {path}: {name} is missing; give the published file")
        if state[name].shape != weight.shape:
            raise InputError(
                f"weights {path}: {name} has shape {tuple(state[name].shape)}, not {tuple(weight.shape)}; "
                f"give the published file"
            )
    module.load_state_dict({own: state[name] for own, name in names.items()})
