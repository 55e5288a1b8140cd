"""Enlarging a picture tile by tile, in bounded memory and with the result of the whole picture.

Two things tell a tile from the whole picture. Convolutions at its border see padding instead of its neighbours, so each
tile is read with an overlap that is cut off afterwards. Channel gates see the statistics of the tile instead of the
picture's, so a first pass collects these, and the next one computes with them.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from mfagan.enlarging.enlarger import Enlarger
from mfagan.errors import InputError
from mfagan.progress import ProgressCallback, ignore_progress

__all__ = ["OVERLAP_PX", "Effort", "Tile", "Tiling", "enlarge_tiled", "list_tiles"]

OVERLAP_PX = 36
"""How far MFANet sees, in LR px: it has 36 convolutions of 3x3 px in sequence."""
Effort = Literal["fast", "normal", "exact"]
"""How the statistics of the picture are found.

normal: in one pass over all tiles, each with its own gates. fast: in one pass over the middle of every tile.
exact: in passes with the gates of the pass before, until they stay.
"""

_MAX_PASSES = 8
_SETTLED = 1e-4
"""Largest change of a gate, which is between 0 and 1, from which on another pass changes nothing that is seen."""
_SAMPLED = 3
"""The fast way looks at one in so many rows and columns."""
_MIN_SAMPLED_PX = 64
_SAMPLED_OVERLAP_PX = 16
"""Without it padding would spoil the statistics: on two photographs the difference is 0.5 to 0.9 grey levels with 16 px
and 2.5 to 4.5 without."""

ReadTile = Callable[[slice, slice], Tensor]
"""Rows and columns of the LR picture -> (3, h, w), RGB in [0, 1]."""
WriteTile = Callable[[slice, slice, Tensor], object]
"""Takes rows and columns of the HR picture, and what stands there: (3, h, w), RGB in [0, 1]."""


@dataclass(frozen=True)
class Tiling:
    """How a picture is cut into tiles.

    Args:
        tile_px: largest side of a tile in LR px, without the overlap; at least 1.
        overlap_px: LR px around a tile that are computed and cut off; at least 0.
        effort: how exact the result is: fast, normal (within a grey level of the whole picture's) or exact.
    """

    tile_px: int = 256
    overlap_px: int = OVERLAP_PX
    effort: Effort = "normal"

    def __post_init__(self) -> None:
        if self.tile_px < 1:
            raise InputError(f"tile of {self.tile_px} px: give at least 1")
        if self.overlap_px < 0:
            raise InputError(f"overlap of {self.overlap_px} px: give at least 0")


@dataclass(frozen=True)
class Tile:
    """A part of a picture."""

    rows: slice
    """Its rows in LR px."""
    columns: slice
    """Its columns in LR px."""
    read_rows: slice
    """The rows that are computed, with the overlap."""
    read_columns: slice
    """The columns that are computed."""

    def core(self, scale: int = 1) -> tuple[slice, slice]:
        """Where the tile lies in what is computed.

        Args:
            scale: enlargement of what is computed.

        Returns:
            Rows and columns, counted from the first one that is computed.
        """
        return (
            _shifted(self.rows, -self.read_rows.start, scale),
            _shifted(self.columns, -self.read_columns.start, scale),
        )

    def sampled(self) -> "Tile":
        """The middle third of the tile, with a smaller overlap: what the fast way looks at."""
        rows, columns = _middle(self.rows), _middle(self.columns)
        return Tile(rows, columns, _widened(rows, self.read_rows), _widened(columns, self.read_columns))


def list_tiles(height: int, width: int, tiling: Tiling) -> list[Tile]:
    """Cut a picture into tiles of nearly one size, row by row.

    Args:
        height: of the LR picture in px.
        width: likewise.
        tiling: how it is cut.

    Returns:
        Tiles that cover it without covering anything twice.
    """
    rows, columns = _cut(height, tiling), _cut(width, tiling)
    return [
        Tile(row, column, read_row, read_column) for row, read_row in rows for column, read_column in columns
    ]


def enlarge_tiled(
    enlarger: Enlarger,
    size: tuple[int, int],
    read: ReadTile,
    write: WriteTile,
    tiling: Tiling | None = None,
    report: ProgressCallback = ignore_progress,
) -> None:
    """Enlarge a picture tile by tile.

    Args:
        enlarger: what computes a tile; it has seen no other picture.
        size: (height, width) of the LR picture in px.
        read: gives a part of the LR picture, on the enlarger's device.
        write: takes a part of the HR picture; tiles come row by row, from left to right.
        tiling: how it is cut; None for the default.
        report: called after every tile with the tiles that are done and all that are known.

    Raises:
        InputError: the enlarger cannot compute tiles of a picture.
    """
    tiling = tiling or Tiling()
    tiles = list_tiles(*size, tiling)
    collecting = tiling.effort if enlarger.sees_whole and len(tiles) > 1 else "none"
    passes = {"none": 0, "fast": 1, "normal": 1, "exact": 2}[collecting]
    progress = _Progress(report, len(tiles), passes + 1)
    change = 1.0
    for done in range(_MAX_PASSES):
        if done >= passes and (collecting != "exact" or change <= _SETTLED):
            break
        for tile in tiles:
            part = tile.sampled() if collecting == "fast" else tile
            enlarger.collect(read(part.read_rows, part.read_columns), part.core())
            progress.advance(done + 2)
        change = enlarger.settle()
    scale = enlarger.scale
    for tile in tiles:
        large = enlarger.enlarge(read(tile.read_rows, tile.read_columns))
        write(_shifted(tile.rows, 0, scale), _shifted(tile.columns, 0, scale), large[:, *tile.core(scale)])
        progress.advance(0)


@dataclass
class _Progress:
    """Counts tiles over all passes."""

    report: ProgressCallback
    n_tiles: int
    n_passes: int
    _done: int = 0

    def advance(self, least_passes: int) -> None:
        """One more tile is done.

        Args:
            least_passes: how many passes there are at least, as far as is known.
        """
        self.n_passes = max(self.n_passes, least_passes)
        self._done += 1
        self.report(self._done, self.n_tiles * self.n_passes, "")


def _cut(length: int, tiling: Tiling) -> list[tuple[slice, slice]]:
    """Parts of nearly one length, each without and with the overlap.

    What is computed has one length for all parts, more than the overlap asks for at the ends: then every tile needs
    memory of the same sizes, and the allocator gives it what the tile before freed.
    """
    n = -(-length // tiling.tile_px)
    bounds = [length * i // n for i in range(n + 1)]
    seen = min(length, -(-length // n) + 2 * tiling.overlap_px)
    starts = [min(max(0, start - tiling.overlap_px), length - seen) for start in bounds[:-1]]
    return [
        (slice(start, stop), slice(first, first + seen))
        for (start, stop), first in zip(itertools.pairwise(bounds), starts, strict=True)
    ]


def _middle(part: slice) -> slice:
    length = part.stop - part.start
    kept = min(length, max(_MIN_SAMPLED_PX, length // _SAMPLED))
    start = part.start + (length - kept) // 2
    return slice(start, start + kept)


def _widened(part: slice, within: slice) -> slice:
    return slice(
        max(within.start, part.start - _SAMPLED_OVERLAP_PX), min(within.stop, part.stop + _SAMPLED_OVERLAP_PX)
    )


def _shifted(part: slice, by: int, scale: int) -> slice:
    return slice((part.start + by) * scale, (part.stop + by) * scale)
