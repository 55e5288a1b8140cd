"""Pictures that compare images: the same detail of several images side by side, with names below."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from mfagan.data.images import from_uint8, to_uint8

__all__ = ["Square", "busiest_square", "captioned_sheet", "comparison_row", "side_by_side", "stack"]

_CAPTION_PX = 28
_LINE_PX = 20
_GAP_PX = 8
_FONT_PX = 16
_FRAME = "#e03131"
_TILE_PX = (96, 256)
"""Side of a sheet's pictures: smaller ones are enlarged to the first, larger ones reduced to the second."""


class Square(NamedTuple):
    """A square of an image.

    Args:
        top: its first row, in px.
        left: its first column, in px.
        side: its side, in px.
    """

    top: int
    left: int
    side: int

    def cut(self, image: Tensor) -> Tensor:
        """Cut the square out of an image.

        Args:
            image: (3, H, W).

        Returns:
            (3, side, side), a view.
        """
        return image[:, self.top : self.top + self.side, self.left : self.left + self.side]


def side_by_side(images: Mapping[str, Tensor], detail_px: int = 256, zoom: int = 2) -> Tensor:
    """Show the same detail of several images side by side, with their names below.

    Args:
        images: name -> image (3, H, W), RGB in [0, 1], all of one size; the detail is where the last varies most.
        detail_px: side of the detail, in px of the images.
        zoom: how many px of the picture show one px of the images.

    Returns:
        The picture (3, h, w), RGB in [0, 1].
    """
    square = busiest_square(list(images.values())[-1], detail_px)
    tile = square.side * zoom
    sheet = Image.new("RGB", ((tile + _GAP_PX) * len(images) - _GAP_PX, tile + _CAPTION_PX), "white")
    for i, (name, image) in enumerate(images.items()):
        _paste_tile(sheet, i * (tile + _GAP_PX), square.cut(image), tile, [name])
    return from_uint8(_as_tensor(sheet))


def comparison_row(
    original: Tensor, captioned: Sequence[tuple[str, Tensor]], detail_px: int = 96, zoom: int = 2
) -> Tensor:
    """Show an original with a marked square, and that detail of several images (the paper's figure 7).

    Rows of the same number of images have the same size.

    Args:
        original: (3, H, W), RGB in [0, 1]; the square is where it varies most.
        captioned: (caption, image) of each detail, images of the original's size. Lines of a caption that are too
            long are cut.
        detail_px: side of the detail, in px of the images.
        zoom: how many px of the row show one px of the images.

    Returns:
        The row, uint8 (3, h, w).
    """
    square = busiest_square(original, detail_px)
    tile = detail_px * zoom
    lines = max(caption.count("\n") + 1 for caption, _ in captioned)
    whole = tile * 3 // 2
    size = (whole + (_GAP_PX + tile) * len(captioned), tile + lines * _LINE_PX + _GAP_PX)
    row = Image.new("RGB", size, "white")
    row.paste(_marked(original, square, whole, tile), (0, 0))
    for i, (caption, image) in enumerate(captioned):
        left = whole + _GAP_PX + i * (tile + _GAP_PX)
        _paste_tile(row, left, square.cut(image), tile, caption.split("\n"))
    return _as_tensor(row)


def captioned_sheet(
    title: str, captioned: Sequence[tuple[str, Sequence[Tensor]]], columns: int = 8
) -> Tensor:
    """Show many pictures in a grid, with a title above and a caption below each.

    Args:
        title: one line, which is cut if it is too long.
        captioned: caption and pictures (3, H, H), RGB in [0, 1], all of one size; those of one caption stand below one
            another, as many of each. Pictures from 96 to 256 px are shown as they are, smaller ones enlarged pixel by
            pixel, larger ones reduced.
        columns: how many captions stand beside one another at most.

    Returns:
        The sheet (3, h, w), RGB in [0, 1].
    """
    side = captioned[0][1][0].shape[-1]
    tile = min(_TILE_PX[1], side * max(1, -(-_TILE_PX[0] // side)))
    reduced = Image.Resampling.LANCZOS if tile < side else Image.Resampling.NEAREST
    rows: list[Tensor] = []
    width = (tile + _GAP_PX) * min(columns, len(captioned)) - _GAP_PX
    header = Image.new("RGB", (width, _CAPTION_PX), "white")
    _write(header, 0, 0, title, width)
    rows.append(_as_tensor(header))
    for start in range(0, len(captioned), columns):
        shown = captioned[start : start + columns]
        height = tile * len(shown[0][1])
        row = Image.new("RGB", (width, height + _CAPTION_PX), "white")
        for i, (caption, pictures) in enumerate(shown):
            left = i * (tile + _GAP_PX)
            for j, picture in enumerate(pictures):
                row.paste(_as_picture(picture).resize((tile, tile), reduced), (left, j * tile))
            _write(row, left, height, caption, tile)
        rows.append(_as_tensor(row))
    return stack(rows)


def stack(rows: Sequence[Tensor]) -> Tensor:
    """Put rows below one another.

    Args:
        rows: uint8 (3, h, w) each; the shorter are filled with white.

    Returns:
        The picture (3, H, W), RGB in [0, 1].
    """
    width = max(row.shape[2] for row in rows)
    filled = [torch.nn.functional.pad(row, (0, width - row.shape[2]), value=255) for row in rows]
    return from_uint8(torch.cat(filled, 1))


def busiest_square(image: Tensor, detail_px: int) -> Square:
    """Find the square of an image that changes most from pixel to pixel.

    Args:
        image: (3, H, W), RGB in [0, 1].
        detail_px: side of the square in px; at most the image's shorter side is used.

    Returns:
        The square.
    """
    side = min(detail_px, *image.shape[-2:])
    grey = image.mean(0)
    change = torch.zeros_like(grey)
    change[:, 1:] += (grey[:, 1:] - grey[:, :-1]).abs()
    change[1:] += (grey[1:] - grey[:-1]).abs()
    stride = max(1, side // 8)
    means = torch.nn.functional.avg_pool2d(change[None], side, stride)[0]
    row, column = divmod(int(means.argmax()), means.shape[1])
    return Square(row * stride, column * stride, side)


def _paste_tile(sheet: Image.Image, left: int, detail: Tensor, tile: int, lines: list[str]) -> None:
    picture = _as_picture(detail).resize((tile, tile), Image.Resampling.NEAREST)
    sheet.paste(picture, (left, 0))
    for i, text in enumerate(lines):
        _write(sheet, left, tile + i * _LINE_PX, text, tile)


def _write(sheet: Image.Image, left: int, top: int, text: str, width: int) -> None:
    """Write a line of text, cut to a width."""
    font = ImageFont.load_default(_FONT_PX)
    while len(text) > 1 and font.getlength(text) > width - 8:
        text = text.removesuffix("…")[:-1] + "…"
    ImageDraw.Draw(sheet).text((left + 4, top + 4), text, fill="black", font=font)


def _marked(image: Tensor, square: Square, width: int, height: int) -> Image.Image:
    """The whole image, as large as (width, height) allows, centred on white, with the square framed."""
    scale = min(width / image.shape[2], height / image.shape[1])
    size = (max(1, round(image.shape[2] * scale)), max(1, round(image.shape[1] * scale)))
    small = _as_picture(image).resize(size, Image.Resampling.LANCZOS)
    corners = (square.left, square.top, square.left + square.side, square.top + square.side)
    box = [min(round(edge * scale), limit - 1) for edge, limit in zip(corners, size * 2, strict=True)]
    for colour, thickness in (("white", 4), (_FRAME, 2)):
        ImageDraw.Draw(small).rectangle(box, outline=colour, width=thickness)
    canvas = Image.new("RGB", (width, height), "white")
    canvas.paste(small, ((width - size[0]) // 2, (height - size[1]) // 2))
    return canvas


def _as_picture(image: Tensor) -> Image.Image:
    return Image.fromarray(to_uint8(image).permute(1, 2, 0).contiguous().cpu().numpy())


def _as_tensor(picture: Image.Image) -> Tensor:
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1)
