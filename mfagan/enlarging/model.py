"""A super-resolution network that is called on pictures: NumPy arrays, PIL images or PyTorch tensors."""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, overload

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor, nn
from torch.nn import functional as F

from mfagan.data.images import from_uint8, to_uint8
from mfagan.devices import to_device
from mfagan.enlarging.enlarger import NetworkEnlarger
from mfagan.enlarging.tiling import Tiling, enlarge_tiled
from mfagan.errors import InputError
from mfagan.graph.recording.peak_memory import estimate_peak_bytes

__all__ = ["GREY_WEIGHTS", "Model"]

_RANGE_SLACK = 1e-6
_PROBE_PX = 128
GREY_WEIGHTS = (0.299, 0.587, 0.114)
"""ITU-R BT.601 luma at full range, as Pillow's grey."""
_KNOWN_PICTURES = ("1", "L", "P", "RGB", "CMYK", "YCbCr", "HSV")
_KNOWN_PICTURES_WITH_ALPHA = ("LA", "PA", "La", "RGBA", "RGBa")


class Model:
    """A super-resolution network that is called on pictures and returns pictures of the same type.

    Pictures are RGB in [0, 1] (as 8-bit values, 0 to 255) in and out, the output is clamped to that range, and
    every size of at least 1x1 px is enlarged to `scale` times its height and width.

    | Picture | Result |
    | :--- | :--- |
    | NumPy (H, W, 3) | (scale H, scale W, 3) of the same dtype: uint8, or floats in [0, 1] |
    | NumPy (H, W) | grey, (scale H, scale W) of the same dtype |
    | NumPy (N, H, W, 3) | (N, scale H, scale W, 3) of the same dtype |
    | PIL image | upright; grey ("L") and transparency ("LA", "RGBA") stay, all else becomes "RGB" |
    | Tensor (3, H, W) | (3, scale H, scale W) of the same floating dtype on the same device |
    | Tensor (N, 3, H, W) | (N, 3, scale H, scale W) of the same floating dtype on the same device |

    `mfagan.load` makes one.

    Args:
        network: LR images (N, 3, H, W) -> HR images (N, 3, scale H, scale W), RGB in [0, 1], in evaluation mode.
        scale: enlargement of height and width.
        device: where it computes, always in float32.
        kind: the architecture's name in checkpoints.
        path: the checkpoint's file, or None.
        widths: the channel widths of an MFANet, or None if the architecture has no such list.
        min_side_px: smaller images are extended to this side by repeating their edge, and the result is cut.
    """

    input_range = (0.0, 1.0)
    output_range = (0.0, 1.0)

    def __init__(
        self,
        network: nn.Module,
        scale: int,
        *,
        device: torch.device,
        kind: str = "",
        path: Path | None = None,
        widths: tuple[int, ...] | None = None,
        min_side_px: int = 1,
    ) -> None:
        self.network = to_device(network.float().eval(), device)
        self.scale = scale
        self.device = device
        self.kind = kind
        self.path = path
        self.widths = widths
        self.any_size = AnySize(self.network, scale, min_side_px)

    @property
    def n_parameters(self) -> int:
        """Learned numbers of the network."""
        return sum(parameter.numel() for parameter in self.network.parameters())

    @property
    def bytes_per_px(self) -> float:
        """Memory that the network's activations take at their peak for each LR px, in bytes."""
        return self._peak_bytes / _PROBE_PX**2

    @cached_property
    def _peak_bytes(self) -> float:
        return estimate_peak_bytes(self.network, _PROBE_PX, _PROBE_PX)

    def __repr__(self) -> str:
        widths = "" if self.widths is None else f", widths={','.join(map(str, self.widths))}"
        file = "" if self.path is None else f", path={str(self.path)!r}"
        return (
            f"Model({self.kind}, scale={self.scale}{widths}, n_parameters={self.n_parameters:,}, "
            f"input and output RGB in [0, 1], device={self.device}{file})"
        )

    @overload
    def __call__(self, image: np.ndarray) -> np.ndarray: ...
    @overload
    def __call__(self, image: Image.Image) -> Image.Image: ...
    @overload
    def __call__(self, image: Tensor) -> Tensor: ...
    def __call__(self, image: Any) -> Any:
        """Enlarge a picture, or a batch of pictures of one size.

        Args:
            image: as the table of the class lists it.

        Returns:
            The enlarged picture, of the same type.

        Raises:
            InputError: another type, shape, dtype or pixel mode, or values outside [0, 1].
        """
        return _convert(image, self._run)

    @overload
    def upscale(self, image: np.ndarray, tiling: Tiling | None = None) -> np.ndarray: ...
    @overload
    def upscale(self, image: Image.Image, tiling: Tiling | None = None) -> Image.Image: ...
    @overload
    def upscale(self, image: Tensor, tiling: Tiling | None = None) -> Tensor: ...
    def upscale(self, image: Any, tiling: Tiling | None = None) -> Any:
        """Enlarge a picture tile by tile, in memory that does not grow with its size but for the result.

        Convolutions see the neighbouring tiles, and attention sees the statistics of the whole picture, so there are
        no seams and the result is that of a call, within a grey level (`Tiling.effort`).

        Args:
            image: as the table of the class lists it.
            tiling: how it is cut; None for tiles of 256 px.

        Returns:
            The enlarged picture, of the same type.

        Raises:
            InputError: as a call; a network whose attention works at another resolution than the picture's.
        """
        return _convert(image, lambda batch: self._run_tiled(batch, tiling))

    def start_enlarger(self) -> NetworkEnlarger:
        """What enlarges the tiles of one picture."""
        return NetworkEnlarger(self.any_size, self.scale)

    def _run(self, batch: Tensor) -> Tensor:
        """(N, 3, H, W) floats in [0, 1] -> (N, 3, scale H, scale W) float32 in [0, 1], on the model's device."""
        with torch.no_grad():
            return self.any_size(self._prepare(batch)).float().clamp(0, 1)

    def _run_tiled(self, batch: Tensor, tiling: Tiling | None) -> Tensor:
        """As `_run`, tile by tile."""
        x = self._prepare(batch)
        n, _, height, width = x.shape
        large = x.new_empty((n, 3, self.scale * height, self.scale * width))
        for lr, hr in zip(x, large, strict=True):
            enlarge_tiled(
                self.start_enlarger(),
                (height, width),
                lambda rows, columns, lr=lr: lr[:, rows, columns],
                lambda rows, columns, tile, hr=hr: hr[:, rows, columns].copy_(tile),
                tiling,
            )
        return large.clamp_(0, 1)

    def _prepare(self, batch: Tensor) -> Tensor:
        """The batch as the network takes it: checked and on the device."""
        x = batch.to(self.device, torch.float32).contiguous(memory_format=torch.channels_last)
        least, most = x.min().item(), x.max().item()
        if not -_RANGE_SLACK <= least <= most <= 1 + _RANGE_SLACK:
            raise InputError(
                f"image holds values from {least:g} to {most:g}: give floats in [0, 1] "
                "(divide by 255 or clamp them), or uint8"
            )
        return x


class AnySize(nn.Module):
    """A network that also takes images smaller than those it can compute.

    Args:
        network: (N, 3, H, W) -> (N, 3, scale H, scale W).
        scale: its enlargement.
        min_side_px: smaller images are extended to this side by repeating their edge, and the result is cut.
    """

    def __init__(self, network: nn.Module, scale: int, min_side_px: int) -> None:
        super().__init__()
        self.network = network
        self.scale = scale
        self.min_side_px = min_side_px

    def forward(self, x: Tensor) -> Tensor:
        """Enlarge images.

        Args:
            x: (N, 3, H, W).

        Returns:
            (N, 3, scale H, scale W).
        """
        height, width = x.shape[-2:]
        missing = [max(0, self.min_side_px - side) for side in (width, height)]
        if any(missing):
            x = F.pad(x, (0, missing[0], 0, missing[1]), mode="replicate")
        return self.network(x)[..., : self.scale * height, : self.scale * width]


_Run = Callable[[Tensor], Tensor]
"""(N, 3, H, W) floats in [0, 1] -> the enlarged pictures, likewise."""


def _convert(image: Any, run: _Run) -> Any:
    """Enlarge a picture of any type that is taken, and give it back in that type."""
    if isinstance(image, Tensor):
        return _enlarge_tensor(image, run)
    if isinstance(image, np.ndarray):
        return _enlarge_array(image, run)
    if isinstance(image, Image.Image):
        return _enlarge_picture(image, run)
    raise InputError(
        f"image is of type {type(image).__name__}: give a NumPy array, a PIL image or a PyTorch tensor"
    )


def _enlarge_tensor(image: Tensor, run: _Run) -> Tensor:
    if not image.is_floating_point():
        raise _refusal(image.dtype, image.shape, "give floats in [0, 1], or a NumPy array of uint8")
    if image.ndim not in (3, 4) or image.shape[-3] != 3 or not image.numel():
        raise _refusal(image.dtype, image.shape, "give (3, H, W) or (N, 3, H, W)")
    batch = image.detach() if image.ndim == 4 else image.detach()[None]
    output = run(batch).to(image.device, image.dtype)
    return output if image.ndim == 4 else output[0]


def _enlarge_array(image: np.ndarray, run: _Run) -> np.ndarray:
    if image.dtype != np.uint8 and not np.issubdtype(image.dtype, np.floating):
        raise _refusal(image.dtype, image.shape, "give uint8, or floats in [0, 1]")
    is_grey = image.ndim == 2
    if not image.size or not (is_grey or (image.ndim in (3, 4) and image.shape[-1] == 3)):
        raise _refusal(image.dtype, image.shape, "give (H, W, 3), (N, H, W, 3), or (H, W) for grey")
    pixels = torch.from_numpy(np.array(image, np.uint8 if image.dtype == np.uint8 else np.float32))
    if is_grey:
        pixels = pixels[:, :, None].expand(-1, -1, 3)
    batch = (pixels if pixels.ndim == 4 else pixels[None]).permute(0, 3, 1, 2)
    output = run(from_uint8(batch) if image.dtype == np.uint8 else batch)
    if is_grey:
        weights = torch.tensor(GREY_WEIGHTS, device=output.device)
        output = torch.einsum("nchw,c->nhw", output, weights).clamp(0, 1)
    else:
        output = output.permute(0, 2, 3, 1)
    output = to_uint8(output) if image.dtype == np.uint8 else output
    found = output.contiguous().cpu().numpy().astype(image.dtype, copy=False)
    return found if image.ndim == 4 else found[0]


def _enlarge_picture(picture: Image.Image, run: _Run) -> Image.Image:
    picture = ImageOps.exif_transpose(picture)
    if picture.mode in _KNOWN_PICTURES_WITH_ALPHA or "transparency" in picture.info:
        layered = picture.convert("LA" if picture.mode in ("LA", "La") else "RGBA")
        *_, alpha = layered.split()
        large = _enlarge_picture(layered.convert("L" if layered.mode == "LA" else "RGB"), run)
        large.putalpha(alpha.resize(large.size, Image.Resampling.BICUBIC))
        return large
    if picture.mode not in _KNOWN_PICTURES:
        raise InputError(
            f"image has pixels of Pillow's mode {picture.mode}, whose range is not known: "
            "convert it to RGB or L, or give a NumPy array of floats in [0, 1]"
        )
    eight_bit = picture.convert("L" if picture.mode in ("1", "L") else "RGB")
    return Image.fromarray(_enlarge_array(np.asarray(eight_bit), run))


def _refusal(dtype: object, shape: Any, what_to_do: str) -> InputError:
    name = str(dtype).removeprefix("torch.")
    return InputError(f"image is of dtype {name} and shape {tuple(shape)}: {what_to_do}")
