"""A translator that is called on pictures and returns pictures."""

from pathlib import Path
from typing import Any, overload

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from mfagan.coronetgan.network.costs import count_costs
from mfagan.coronetgan.network.translator import Translator
from mfagan.data.images import from_uint8, read_levels, to_uint8
from mfagan.devices import to_device
from mfagan.enlarging.model import GREY_WEIGHTS
from mfagan.errors import InputError
from mfagan.graph.costs import Costs
from mfagan.graph.operators import TransposedAt

__all__ = ["ImageTranslator"]

_RANGE_SLACK = 1e-6
_PICTURES = (1, 3)
"""Numbers of channels that a network may read or make to be called on pictures: grey ones, and RGB."""
_KNOWN_MODES = ("1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "CMYK", "YCbCr", "HSV")


class ImageTranslator:
    """A ResNet of CycleGAN or a U-Net of pix2pix, of any widths, that is called on pictures and returns pictures.

        model = mfagan.load("horse2zebra.safetensors")
        zebra = model(Image.open("horse.jpg"))      # a PIL image of the same size
        zebra = model("horse.jpg")                  # likewise

    Pictures are RGB in [0, 1] (as 8-bit values, 0 to 255) in and out, whatever the network's own range is, and keep
    their size: one that the network does not take is extended by reflection at its right and lower edge, and the
    result is cut. The statistics of an instance norm are those of the extended picture.

    | Picture | Result |
    | :--- | :--- |
    | NumPy (H, W, 3), or (H, W) for grey | (H, W, 3) of the same dtype: uint8, or floats in [0, 1] |
    | NumPy (N, H, W, 3) | (N, H, W, 3) of the same dtype |
    | PIL image, upright by its EXIF data, or the path of a picture | PIL image, RGB; transparency is left out |
    | Tensor (3, H, W) | (3, H, W) of the same floating dtype on the same device |
    | Tensor (N, 3, H, W) | (N, 3, H, W) of the same floating dtype on the same device |

    `mfagan.load` makes one.

    Args:
        network: pictures -> pictures in [-1, 1].
        device: where it computes, always in float32.
        path: the checkpoint's file, or None.

    InputError if the network reads or makes something else than pictures of 1 or 3 channels.
    """

    def __init__(self, network: Translator, *, device: torch.device, path: Path | None = None) -> None:
        for what, channels in (("reads", network.in_channels), ("makes", network.out_channels)):
            if channels not in _PICTURES:
                raise InputError(
                    f"{path or network.KIND}: the network {what} {channels} channels; give one of 1 or 3, of pictures"
                )
        self.network = to_device(network.float().eval().requires_grad_(False), device)
        self.device = device
        self.kind = network.KIND
        self.path = path

    @property
    def widths(self) -> dict[str, int]:
        """Channels of each latent."""
        return dict(self.network.widths)

    @property
    def n_parameters(self) -> int:
        """Learned numbers."""
        return sum(parameter.numel() for parameter in self.network.parameters())

    def costs(self, height: int = 256, width: int = 256) -> dict[TransposedAt, Costs]:
        """Count parameters and multiply-accumulates of one picture.

        Args:
            height: of the picture in px.
            width: likewise.

        Returns:
            The resolution at which transposed convolutions are counted -> costs.

        Raises:
            InputError: the network does not take pictures of that size.
        """
        return count_costs(self.network, height, width)

    def __repr__(self) -> str:
        file = "" if self.path is None else f", path={str(self.path)!r}"
        return (
            f"ImageTranslator({self.kind}, n_parameters={self.n_parameters:,}, "
            f"norm_at_inference={self.network.norm_at_inference!r}, input and output RGB in [0, 1], "
            f"device={self.device}{file})"
        )

    @overload
    def __call__(self, image: np.ndarray) -> np.ndarray: ...
    @overload
    def __call__(self, image: Image.Image | str | Path) -> Image.Image: ...
    @overload
    def __call__(self, image: Tensor) -> Tensor: ...
    def __call__(self, image: Any) -> Any:
        """Translate a picture, or a batch of pictures of one size.

        Args:
            image: as the table of the class lists it.

        Returns:
            The picture of the other domain, of the same size.

        Raises:
            InputError: another type, shape, dtype or pixel mode, values outside [0, 1], or a file that is no readable
                picture.
        """
        if isinstance(image, Tensor):
            return self._call_on_tensor(image)
        if isinstance(image, np.ndarray):
            return self._call_on_array(image)
        if isinstance(image, str | Path):
            return Image.fromarray(self._call_on_array(read_levels(image, min_side_px=1).transpose(1, 2, 0)))
        if isinstance(image, Image.Image):
            return Image.fromarray(self._call_on_array(_rgb_levels(image)))
        raise InputError(
            f"image is of type {type(image).__name__}: give a NumPy array, a PIL image, a PyTorch tensor or a path"
        )

    @torch.no_grad()
    def translate(self, batch: Tensor) -> Tensor:
        """Translate pictures of any size in the network's range.

        Args:
            batch: (N, 3, H, W), RGB in [-1, 1].

        Returns:
            (N, 3, H, W) float32 in [-1, 1], on the model's device.
        """
        height, width = batch.shape[-2:]
        x = batch.to(self.device, torch.float32)
        if self.network.in_channels == 1:
            x = torch.einsum("nchw,c->nhw", x, x.new_tensor(GREY_WEIGHTS))[:, None]
        x = _extend(_extend(x, -2, self.network), -1, self.network)
        y = self.network(x.contiguous(memory_format=torch.channels_last))[..., :height, :width]
        return y.expand(-1, 3, -1, -1).float()

    def _run(self, batch: Tensor) -> Tensor:
        """(N, 3, H, W) floats in [0, 1] -> the same in the other domain, on the model's device."""
        least, most = batch.min().item(), batch.max().item()
        if not -_RANGE_SLACK <= least <= most <= 1 + _RANGE_SLACK:
            raise InputError(
                f"image holds values from {least:g} to {most:g}: give floats in [0, 1] (for a network's own range "
                "add 1 and halve), or uint8"
            )
        return ((self.translate(batch * 2 - 1) + 1) / 2).clamp(0, 1)

    def _call_on_tensor(self, image: Tensor) -> Tensor:
        if (
            not image.is_floating_point()
            or image.ndim not in (3, 4)
            or image.shape[-3] != 3
            or not image.numel()
        ):
            raise _refusal(image.dtype, image.shape, "give floats in [0, 1], (3, H, W) or (N, 3, H, W)")
        batch = image.detach() if image.ndim == 4 else image.detach()[None]
        output = self._run(batch.float()).to(image.device, image.dtype)
        return output if image.ndim == 4 else output[0]

    def _call_on_array(self, image: np.ndarray) -> np.ndarray:
        in_levels = image.dtype == np.uint8
        if not in_levels and not np.issubdtype(image.dtype, np.floating):
            raise _refusal(image.dtype, image.shape, "give uint8, or floats in [0, 1]")
        if not image.size or not (image.ndim == 2 or (image.ndim in (3, 4) and image.shape[-1] == 3)):
            raise _refusal(image.dtype, image.shape, "give (H, W, 3), (N, H, W, 3), or (H, W) for grey")
        pixels = torch.from_numpy(np.array(image, np.uint8 if in_levels else np.float32))
        if image.ndim == 2:
            pixels = pixels[:, :, None].expand(-1, -1, 3)
        batch = (pixels if pixels.ndim == 4 else pixels[None]).permute(0, 3, 1, 2)
        output = self._run(from_uint8(batch) if in_levels else batch).permute(0, 2, 3, 1)
        output = to_uint8(output) if in_levels else output
        found = output.contiguous().cpu().numpy().astype(image.dtype, copy=False)
        return found if image.ndim == 4 else found[0]


def _rgb_levels(picture: Image.Image) -> np.ndarray:
    """(H, W, 3) uint8, upright."""
    if picture.mode not in _KNOWN_MODES:
        raise InputError(
            f"image has pixels of Pillow's mode {picture.mode}, whose range is not known: convert it to RGB or L, or "
            "give a NumPy array of floats in [0, 1]"
        )
    upright = ImageOps.exif_transpose(picture)
    if "transparency" in upright.info:
        upright = upright.convert("RGBA")
    return np.asarray(upright.convert("RGB"))


def _extend(x: Tensor, axis: int, network: Translator) -> Tensor:
    """Extend pictures at the end of an axis to a length that the network takes, by reflection as often as needed."""
    length = x.shape[axis]
    multiple = network.multiple_px
    wanted = max(-(-length // multiple) * multiple, network.min_side_px)
    if wanted == length:
        return x
    period = max(2 * (length - 1), 1)
    index = torch.arange(wanted, device=x.device) % period
    return x.index_select(axis, torch.minimum(index, period - index) if length > 1 else index * 0)


def _refusal(dtype: object, shape: Any, what_to_do: str) -> InputError:
    name = str(dtype).removeprefix("torch.")
    return InputError(f"image is of dtype {name} and shape {tuple(shape)}: {what_to_do}")
