"""What `import mfagan` gives: load, upscale, costs, export."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from mfagan.coronetgan.kinds import refuse_enlarging as refuse_translator
from mfagan.coronetgan.translating.image_translator import ImageTranslator
from mfagan.enlarging.model import Model
from mfagan.enlarging.tiling import Tiling
from mfagan.errors import InputError
from mfagan.mobilestylegan.kinds import refuse_enlarging as refuse_generator
from mfagan.mobilestylegan.sampling.image_generator import ImageGenerator
from mfagan.registry import export_network, load_model, open_model
from mfagan.shipped import list_shipped

if TYPE_CHECKING:
    import numpy as np
    import torch
    from PIL import Image
    from torch import Tensor

    from mfagan.graph.costs import Costs

__all__ = [
    "Exported",
    "ImageGenerator",
    "ImageTranslator",
    "Model",
    "Tiling",
    "costs",
    "export",
    "load",
    "upscale",
]

DEFAULT_MODEL = "supergenerator"
_MIN_SIDE_PX = 4


@dataclass(frozen=True)
class Exported:
    """A file that `mfagan.export` wrote.

    Args:
        path: the file.
        size: (height, width) in px of the LR images that it enlarges, or None for any.
        n_bytes: its length.
        max_abs_difference: its largest absolute difference from PyTorch on photos, values in [0, 1].
        lost_db: PSNR-Y that it loses against PyTorch, averaged over the photos.
    """

    path: Path
    size: tuple[int, int] | None
    n_bytes: int
    max_abs_difference: float
    lost_db: float


@overload
def load(
    path: None = None,
    widths: str | int | Sequence[int] | None = None,
    device: "str | torch.device | None" = None,
) -> Model: ...
@overload
def load(
    path: str | Path | None = None,
    widths: str | int | Sequence[int] | None = None,
    device: "str | torch.device | None" = None,
) -> Any: ...
def load(
    path: str | Path | None = None,
    widths: str | int | Sequence[int] | None = None,
    device: "str | torch.device | None" = None,
) -> Model | ImageGenerator | ImageTranslator:
    """Load a network that is called: on pictures, to enlarge or to translate them, or on seeds, to make some.

    Args:
        path: a checkpoint, another author's file of weights (.pth or .safetensors, see `docs/results.md`), or the name
            of a shipped model; None for the shipped SuperGenerator.
        widths: the slice of a weight-shared network, as numbers or as text with commas; None for the whole network. Of
            a SuperGenerator eight widths in channels (trunk, CFAB 1 to 6, fusion), or one for all; of a MobileStyleGAN
            one for each resolution; of a translator one for each choice of its search.
        device: where it computes, such as "cpu" or "cuda:1"; None for CUDA if there is one and the CPU otherwise.

    Returns:
        Of a super-resolution network a `mfagan.Model`: `model(image)` enlarges a NumPy array, a PIL image or a PyTorch
        tensor. Of a StyleGAN2 or a MobileStyleGAN a `mfagan.ImageGenerator`: `model(seeds=[0, 1, 2], psi=0.7)` makes
        pictures. Of a ResNet of CycleGAN or a U-Net of pix2pix a `mfagan.ImageTranslator`: `model(image)` gives the
        picture in the other domain. The file decides which, so type checkers know only the default model's class.

    Raises:
        InputError: no such file, no checkpoint of a generator, widths that do not fit, a device that cannot be used.
    """
    return open_model(_find(path), _as_text(widths), "auto" if device is None else str(device))


@overload
def upscale(image: "str | Path | Image.Image", model: Model | str | Path | None = None) -> "Image.Image": ...
@overload
def upscale(image: "np.ndarray", model: Model | str | Path | None = None) -> "np.ndarray": ...
@overload
def upscale(image: "Tensor", model: Model | str | Path | None = None) -> "Tensor": ...
def upscale(image: Any, model: Model | str | Path | None = None) -> Any:
    """Enlarge a picture, in tiles if it is large (`Model.upscale`).

    Args:
        image: a NumPy array, a PIL image or a PyTorch tensor as `mfagan.Model` takes it, or the path of a picture,
            whose transparency is left out.
        model: what `mfagan.load` gave or takes; None for the shipped SuperGenerator, which is loaded once.

    Returns:
        The enlarged picture, of the same type; a PIL image for a path.

    Raises:
        InputError: as `mfagan.load` and `mfagan.Model`; a file that is no readable picture.
    """
    network = _as_model(model, "upscale")
    if isinstance(image, str | Path):
        from PIL import Image

        from mfagan.data.images import read_levels

        return network.upscale(Image.fromarray(read_levels(image, min_side_px=1).transpose(1, 2, 0)))
    return network.upscale(image)


def costs(model: Model | str | Path | None = None, size: tuple[int, int] = (128, 128)) -> "Costs":
    """Count what one image costs: parameters, multiply-accumulates, FLOPs and memory traffic.

    Args:
        model: what `mfagan.load` gave or takes.
        size: (height, width) of the LR image in px; the default is the MFAGAN paper's.

    Returns:
        The costs, from a trace of the network's forward pass without computing it.

    Raises:
        InputError: as `mfagan.load`; a size under 4x4 px.
    """
    from mfagan.graph.costs import trace_costs

    return trace_costs(_as_model(model, "costs").network, *_as_size(size))


def export(
    model: Model | str | Path | None,
    out: str | Path,
    size: tuple[int, int] | None = (128, 128),
    photo: str | Path | None = None,
    *,
    format: str = "tflite",
    precision: str = "fp32",
    pixels: str = "float",
) -> Exported:
    """Write a model as a TensorFlow Lite or ONNX file, after comparing what it computes with PyTorch.

    A model card is written beside it, as `OUT.card.json`.

    Args:
        model: what `mfagan.load` gave or takes.
        out: the file to write; an existing one is replaced once the check has passed.
        size: (height, width) in px of the LR images that the file enlarges; None for any, in ONNX alone.
        photo: the picture of the check; None for the two bundled validation photographs.
        format: "tflite" or "onnx".
        precision: "fp32"; "fp16", which halves the file; "int8", calibrated on the six other bundled photographs; in
            TFLite "dynamic" too, weights in 8 bits.
        pixels: what the file's pictures are made of: "float" in [0, 1], or "uint8".

    Returns:
        The file and its largest difference from PyTorch.

    Raises:
        InputError: as `mfagan.load`; a size under 4x4 px; a format or precision that is not known; a file that cannot
            be written or is the model's own; a kind of network that cannot be exported; a check that fails.
    """
    from mfagan import checkpoint
    from mfagan.deploy.about.model_card import card_path
    from mfagan.deploy.target import ExportTarget
    from mfagan.evaluation.calibration import read_calibration
    from mfagan.evaluation.fidelity import read_photos
    from mfagan.files import require_place
    from mfagan.graph.passes import passes_for

    found, lr_size = _as_model(model, "export"), None if size is None else _as_size(size)
    target = ExportTarget(format, precision, lr_size, pixels, passes_for(precision))
    path = require_place(out, found.path, photo)
    require_place(card_path(path), found.path, photo)
    sha256 = None if found.path is None else checkpoint.sha256(found.path)
    record = {} if found.path is None else checkpoint.read_record(found.path)
    calibration = read_calibration(None, found.scale) if precision == "int8" else []
    made = export_network(found.network, target, read_photos(photo, found.scale), calibration, sha256)
    made.write(path, found.kind, {"widths": found.widths, "scale": found.scale}, record)
    fidelity = made.fidelity
    return Exported(path, lr_size, len(made.content), fidelity.max_abs_difference, fidelity.mean_lost_db)


def _find(path: str | Path | None) -> Path:
    """The file of a model that is given by its path or by the name of a shipped one."""
    name = DEFAULT_MODEL if path is None else path
    shipped = list_shipped()
    if not Path(name).exists() and str(name) not in shipped and not Path(name).suffix:
        raise InputError(
            f"model {str(name)!r}: no such file; give a checkpoint, or the name of a shipped model "
            f"({', '.join(shipped)})"
        )
    return Path(name) if Path(name).is_file() else shipped.get(str(name), Path(name))


def _as_model(model: Model | str | Path | None, command: str) -> Model:
    """A model that enlarges pictures; others are refused, with what to use in the command's place."""
    if model is None:
        return _load_default()
    if isinstance(model, ImageGenerator):
        raise refuse_generator(model.kind, model.path or "FILE", command)
    if isinstance(model, ImageTranslator):
        raise refuse_translator(model.kind, model.path or "FILE", command)
    return model if isinstance(model, Model) else load_model(_find(model), command=command)


@cache
def _load_default() -> Model:
    return load()


def _as_text(widths: str | int | Sequence[int] | None) -> str | None:
    if widths is None or isinstance(widths, str):
        return widths
    return str(widths) if isinstance(widths, int) else ",".join(map(str, widths))


def _as_size(size: tuple[int, int]) -> tuple[int, int]:
    try:
        height, width = (int(side) for side in size)
    except (TypeError, ValueError):
        height = width = 0
    if min(height, width) < _MIN_SIDE_PX:
        raise InputError(f"size {size!r}: give (height, width) in px, at least 4x4, such as (128, 128)")
    return height, width
