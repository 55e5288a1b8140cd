"""Pretrained backbones, from files the user has: VGG19 for the perceptual loss, AlexNet for LPIPS.

They are no part of the project and never downloaded. A file is looked for at an explicit path or under its
published name in `$TORCH_HOME/hub/checkpoints`; the eight hexadecimal digits in the published name are the start of
its SHA-256, which is checked.
"""

import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor, nn

from mfagan.checkpoint import sha256
from mfagan.errors import InputError

PUBLISHED = {"vgg19": "vgg19-dcbb9e9d.pth", "alexnet": "alexnet-owt-7be5be79.pth"}
"""Torchvision's names of the weight files."""

CONV5_4 = 34
"""Index of VGG19's conv5_4 among its feature layers."""

_MISSING_OPERATORS = {
    "nms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}
_kept_libraries: list[torch.library.Library] = []


def find_weights(name: str, path: str | Path | None = None) -> Path | None:
    """The weight file of a backbone: `path`, which must exist, or the one in the cache, or None."""
    if path is not None:
        if not Path(path).is_file():
            raise InputError(f"weights {path}: no such file; {name} needs {PUBLISHED[name]}")
        return Path(path)
    cached = _cache() / PUBLISHED[name]
    return cached if cached.is_file() else None


def describe_missing(name: str) -> str:
    """One line that says which file is missing and where to put it."""
    return f"{name}'s weights are absent; put torchvision's {PUBLISHED[name]} into {_cache()}"


def load_vgg19_features(path: str | Path, sha256_prefix: str | None = None) -> nn.Sequential:
    """VGG19's layers up to conv5_4 before activation: (N, 3, H, W) -> (N, 512, H / 16, W / 16).

    InputError where the file's hash does not start with `sha256_prefix` (default: the published one) or it holds
    another network.
    """
    state = _read_state(path, sha256_prefix or _published_hash("vgg19"))
    import_torchvision()
    from torchvision.models.vgg import cfgs, make_layers

    features = make_layers(cfgs["E"])[: CONV5_4 + 1]
    for layer in features:
        if isinstance(layer, nn.ReLU):
            layer.inplace = False
    _load_features(features, state, path)
    return features.eval()


def load_lpips(path: str | Path, sha256_prefix: str | None = None) -> Callable[[Tensor, Tensor], Tensor]:
    """LPIPS v0.1 with AlexNet: its own linear weights from the lpips package, the backbone from `path`.

    Takes two of (N, 3, H, W), RGB in [-1, 1]. Errors as `load_vgg19_features`.
    """
    state = _read_state(path, sha256_prefix or _published_hash("alexnet"))
    import_torchvision()
    import lpips

    metric = lpips.LPIPS(net="alex", version="0.1", pnet_rand=True, verbose=False)
    # lpips keeps AlexNet's feature layers in five slices, each under its original number.
    layers = nn.Sequential()
    for part in (getattr(metric.net, f"slice{i}") for i in range(1, 6)):
        for number, layer in part.named_children():
            layers.add_module(number, layer)
    _load_features(layers, state, path)
    return metric.eval().requires_grad_(False)


def import_torchvision() -> ModuleType:
    """Torchvision, also where its wheel does not fit the installed torch.

    PyPI's wheel beside a CPU build of torch lacks the compiled operators that its import registers; defining their
    signatures first mends it. Nothing is defined where the import works.
    """
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as error:
        if "operator torchvision::nms does not exist" not in str(error):
            raise
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]
    library = torch.library.Library("torchvision", "DEF")
    for name, signature in _MISSING_OPERATORS.items():
        library.define(name + signature)
    _kept_libraries.append(library)  # the definitions live as long as the library object
    return importlib.import_module("torchvision")


def _cache() -> Path:
    home = os.environ.get("TORCH_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "torch"
    return Path(home).expanduser() / "hub" / "checkpoints"


def _published_hash(name: str) -> str:
    return PUBLISHED[name].rpartition("-")[2].removesuffix(".pth")


def _read_state(path: str | Path, sha256_prefix: str) -> dict[str, Tensor]:
    found = sha256(path)
    if not found.startswith(sha256_prefix):
        raise InputError(
            f"weights {path}: its sha256 starts with {found[: len(sha256_prefix)]}, the published file's with "
            f"{sha256_prefix}; get the file again"
        )
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch.load reports damage with many types
        raise InputError(f"weights {path}: not a readable PyTorch file ({' '.join(str(error).split())[:120]})") from None


def _load_features(layers: nn.Sequential, state: dict[str, Tensor], path: str | Path) -> None:
    wanted = {f"features.{name}": parameter for name, parameter in layers.state_dict().items()}
    for name, parameter in wanted.items():
        if name not in state or state[name].shape != parameter.shape:
            raise InputError(f"weights {path}: {name} of shape {tuple(parameter.shape)} is not in it; give the right file")
    layers.load_state_dict({name: state[f"features.{name}"] for name in layers.state_dict()})
