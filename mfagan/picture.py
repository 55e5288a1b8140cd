"""Pictures for people: the same detail of several images side by side, with names under them."""

from collections.abc import Mapping

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from mfagan.images import from_uint8, to_uint8

_CAPTION_PX = 28
_GAP_PX = 8


def side_by_side(images: Mapping[str, Tensor], detail_px: int = 256, zoom: int = 2) -> Tensor:
    """Name -> image (3, H, W), all of one size -> one picture (3, h, w), RGB in [0, 1].

    Shows the square detail of `detail_px` in which the last image varies most, each pixel `zoom` times enlarged.
    """
    last = list(images.values())[-1]
    top, left, side = _busiest(last, detail_px)
    tile = side * zoom
    sheet = Image.new("RGB", ((tile + _GAP_PX) * len(images) - _GAP_PX, tile + _CAPTION_PX), "white")
    draw = ImageDraw.Draw(sheet)
    for i, (name, image) in enumerate(images.items()):
        detail = to_uint8(image[:, top : top + side, left : left + side]).permute(1, 2, 0).numpy()
        x = i * (tile + _GAP_PX)
        sheet.paste(Image.fromarray(detail).resize((tile, tile), Image.Resampling.NEAREST), (x, 0))
        draw.text((x + 4, tile + 4), name, fill="black", font=ImageFont.load_default(16))
    return from_uint8(torch.from_numpy(np.array(sheet)).permute(2, 0, 1))


def _busiest(image: Tensor, detail_px: int) -> tuple[int, int, int]:
    """Top, left and side of the square whose brightness changes most from pixel to pixel."""
    side = min(detail_px, *image.shape[-2:])
    grey = image.mean(0)
    change = torch.zeros_like(grey)
    change[:, 1:] += (grey[:, 1:] - grey[:, :-1]).abs()
    change[1:] += (grey[1:] - grey[:-1]).abs()
    stride = max(1, side // 8)
    means = torch.nn.functional.avg_pool2d(change[None], side, stride)[0]
    row, column = divmod(int(means.argmax()), means.shape[1])
    return row * stride, column * stride, side
