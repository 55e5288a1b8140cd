"""Pretrained backbones of other authors: VGG19 or VGG16 for the perceptual loss, AlexNet for LPIPS.

Their weights are no part of this project and are downloaded only by `mfagan weights get`: they are read from a given
path or from where torch.hub keeps them, and their SHA-256 is checked against those of the files known here.
"""

import hashlib
import pickle
import sys
import warnings
from collections.abc import Collection, Mapping
from pathlib import Path
from types import ModuleType
from typing import Literal

import torch
from safetensors import SafetensorError
from safetensors.torch import load as decode
from torch import Tensor, nn

from mfagan.checkpoint import sha256
from mfagan.errors import InputError
from mfagan.networks.vgg import VggBackbone, VggFeatures
from mfagan.packages import refuse_import

__all__ = [
    "CONVOLUTIONS",
    "LPIPS_MIN_SIDE_PX",
    "PUBLISHED",
    "Lpips",
    "describe_missing",
    "find_weights",
    "import_torchvision",
    "known_files",
    "load_lpips",
    "load_vgg",
    "weights_folder",
]

PUBLISHED = {
    "vgg19": "vgg19-dcbb9e9d.pth",
    "vgg16": "vgg16-397923af.pth",
    "alexnet": "alexnet-owt-7be5be79.pth",
}
"""torchvision's file names; the eight hexadecimal digits are the start of the file's SHA-256."""
CONVOLUTIONS = {
    "vgg16": ("vgg16-features-fp16.safetensors", "f0fa35ab"),
    "alexnet": ("alexnet-features.pth", "32f45cf7"),
}
"""Backbone -> a file of its convolutions alone, without the classifier, and the start of that file's SHA-256.

AlexNet's are torchvision's own numbers, VGG16's are rounded to half precision.
"""

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


def known_files(name: str) -> dict[str, str]:
    """The files of a backbone's weights that are known here.

    Args:
        name: `vgg19`, `vgg16` or `alexnet`.

    Returns:
        The name of a file, torchvision's first -> the start of its SHA-256.

    Raises:
        InputError: an unknown name.
    """
    if name not in PUBLISHED:
        raise InputError(f"backbone {name!r}: choose from {', '.join(PUBLISHED)}")
    published = PUBLISHED[name]
    files = {published: Path(published).stem.rsplit("-", 1)[1]}
    if name in CONVOLUTIONS:
        other, prefix = CONVOLUTIONS[name]
        files[other] = prefix
    return files


def weights_folder() -> Path:
    """Where torch.hub keeps weights: $TORCH_HOME/hub/checkpoints, by default under ~/.cache/torch."""
    return Path(torch.hub.get_dir()) / "checkpoints"


def find_weights(name: str, path: str | Path | None = None) -> Path | None:
    """Find the weights of a backbone.

    Args:
        name: `vgg19`, `vgg16` or `alexnet`.
        path: the file, or None to look in `weights_folder` for the first of `known_files`.

    Returns:
        The file, or None if there is none.

    Raises:
        InputError: an unknown name, or `path` is not a file.
    """
    files = known_files(name)
    if path is None:
        found = [weights_folder() / file for file in files if (weights_folder() / file).is_file()]
        return found[0] if found else None
    if not Path(path).is_file():
        raise InputError(f"weights {path}: no such file; give the path of {' or '.join(files)}")
    return Path(path)


def describe_missing(name: str) -> str:
    """Describe which file is missing, where to put it and where it is published.

    Args:
        name: `vgg19`, `vgg16` or `alexnet`.

    Returns:
        One line.

    Raises:
        InputError: an unknown name.
    """
    published = next(iter(known_files(name)))
    return (
        f"{name}'s weights are missing: download them with `mfagan weights get {name}`, or put {published} in "
        f"{weights_folder()} or give its path (published at https://download.pytorch.org/models/{published})"
    )


def load_vgg(
    backbone: VggBackbone, path: str | Path, layers: Collection[str], sha256_prefix: str | None = None
) -> VggFeatures:
    """Load a VGG up to the last of the layers that are read, frozen.

    Args:
        backbone: which VGG.
        path: the file of its weights, of any precision.
        layers: names of the convolutions to read, at least one, such as `conv5_4`.
        sha256_prefix: what the file's SHA-256 must start with, None for that of one of `known_files`.

    Returns:
        The layers in evaluation mode, in single precision.

    Raises:
        InputError: a layer that the VGG does not have, no such file, another hash, or not a state dict of the VGG.
    """
    with torch.device("meta"):  # no random initialisation: it would draw from the global generator
        features = VggFeatures(backbone, layers)
    state = _read_state(backbone, path, sha256_prefix)
    _copy_weights(
        features.to_empty(device="cpu"), state, {name: name for name in features.state_dict()}, path
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

    def sha256(self) -> str:
        """The SHA-256 of its weights and their names, by which studies know it."""
        weights = hashlib.sha256()
        for name, tensor in self.state_dict().items():
            weights.update(name.encode() + tensor.numpy().tobytes())
        return weights.hexdigest()


def load_lpips(path: str | Path, net: Literal["alex"] = "alex", sha256_prefix: str | None = None) -> Lpips:
    """LPIPS with AlexNet's weights from a file and its linear weights from the lpips package.

    Args:
        path: the file of AlexNet's weights.
        net: the backbone; only `alex` is known.
        sha256_prefix: what the file's SHA-256 must start with, None for that of one of `known_files`.

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


def _read_state(name: str, path: str | Path, sha256_prefix: str | None) -> Mapping[str, Tensor]:
    files = known_files(name)
    expected = [sha256_prefix] if sha256_prefix else list(files.values())
    named = " or ".join(files)
    try:
        found = sha256(path)
    except OSError as error:
        raise InputError(f"weights {path}: {error.strerror}; give the path of {named}") from None
    if not found.startswith(tuple(expected)):
        raise InputError(
            f"weights {path}: its SHA-256 is {found}, {' or '.join(f'{one}...' for one in expected)} is expected; "
            f"give the file {named}, which `mfagan weights get {name}` downloads"
        )
    try:
        if Path(path).suffix == ".safetensors":
            return decode(Path(path).read_bytes())
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (
        RuntimeError,
        OSError,
        EOFError,
        ValueError,
        KeyError,
        pickle.UnpicklingError,
        SafetensorError,
    ) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise InputError(f"weights {path}: not a PyTorch state dict ({reason:.120}); give {named}") from None
    if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
        raise InputError(f"weights {path}: holds {type(state).__name__}, not a state dict; give {named}")
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
