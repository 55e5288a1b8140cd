"""Enlarging a picture tile by tile, in bounded memory and with the result of the whole picture.

Two things tell a tile from the whole picture. Convolutions at its border see padding instead of its neighbours, so each
tile is read with an overlap that is cut off afterwards. Channel gates see the statistics of the tile instead of the
picture's, so a first pass collects these, and the next one computes with them.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor, nn

from mfagan.errors import InputError
from mfagan.networks.channel_gate import ChannelGate
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
    network: nn.Module,
    size: tuple[int, int],
    scale: int,
    read: ReadTile,
    write: WriteTile,
    tiling: Tiling | None = None,
    report: ProgressCallback = ignore_progress,
) -> None:
    """Enlarge a picture tile by tile.

    Args:
        network: LR pictures (1, 3, h, w) -> (1, 3, scale h, scale w), in evaluation mode.
        size: (height, width) of the LR picture in px.
        scale: enlargement.
        read: gives a part of the LR picture, on the network's device.
        write: takes a part of the HR picture; tiles come row by row, from left to right.
        tiling: how it is cut; None for the default.
        report: called after every tile with the tiles that are done and all that are known.

    Raises:
        InputError: a layer with channel gates works at another resolution than the picture's.
    """
    tiling = tiling or Tiling()
    tiles = list_tiles(*size, tiling)
    layers = {name: one for name, one in network.named_modules() if isinstance(one, ChannelGate)}
    gates = _Gates(layers)
    collecting = tiling.effort if layers and len(tiles) > 1 else "none"
    passes = {"none": 0, "fast": 1, "normal": 1, "exact": 2}[collecting]
    progress = _Progress(report, len(tiles), passes + 1)
    with torch.inference_mode():
        for done in range(_MAX_PASSES):
            if done >= passes and (collecting != "exact" or gates.change <= _SETTLED):
                break
            for tile in tiles:
                part = tile.sampled() if collecting == "fast" else tile
                with gates.collect(part):
                    network(read(part.read_rows, part.read_columns)[None])
                progress.advance(done + 2)
            gates.settle()
        for tile in tiles:
            with gates.apply():
                large = network(read(tile.read_rows, tile.read_columns)[None])[0]
            write(
                _shifted(tile.rows, 0, scale), _shifted(tile.columns, 0, scale), large[:, *tile.core(scale)]
            )
            progress.advance(0)


@dataclass
class _Moments:
    """Mean and variance of each channel over parts of a picture (Chan, Golub and LeVeque 1983), in float64."""

    n: int = 0
    mean: Tensor | float = 0.0
    squares: Tensor | float = 0.0
    """Sum of the squared differences from the mean."""

    def add(self, x: Tensor) -> None:
        """Take in a part (1, C, h, w)."""
        n = x.shape[-2] * x.shape[-1]
        variance, mean = torch.var_mean(x, (2, 3), correction=0, keepdim=True)  # (1, C, 1, 1)
        mean, squares = mean.double(), variance.double() * n
        apart = mean - self.mean
        total = self.n + n
        self.squares = self.squares + squares + apart.square() * (self.n * n / total)
        self.mean = self.mean + apart * (n / total)
        self.n = total


@dataclass
class _Gates:
    """The channel gates of a picture, collected tile by tile."""

    layers: Mapping[str, ChannelGate]
    """The layers that have gates, by name."""
    change: float = field(default=1.0, init=False)
    """Largest difference of a gate from what it was before it was collected last."""
    _factors: dict[str, Tensor] = field(default_factory=dict, init=False)
    _moments: dict[str, _Moments] = field(default_factory=dict, init=False)

    @contextmanager
    def collect(self, tile: Tile) -> Iterator[None]:
        """Let the layers compute as under `apply`, and take in what they see of a tile.

        Args:
            tile: what the network is called on in this context.
        """
        height, width = (seen.stop - seen.start for seen in (tile.read_rows, tile.read_columns))

        def take_in(name: str, x: Tensor) -> None:
            if x.shape[-2:] != (height, width):
                raise InputError(
                    f"layer {name} sees {x.shape[-1]}x{x.shape[-2]} px of a tile of {width}x{height}: this network "
                    "cannot enlarge pictures in tiles; allow more memory"
                )
            self._moments.setdefault(name, _Moments()).add(x[..., *tile.core()])

        with self._replaced(take_in):
            yield

    @contextmanager
    def apply(self) -> Iterator[None]:
        """Let the layers compute with the gates that are settled; without any, with those of what they see."""
        with self._replaced(None):
            yield

    def settle(self) -> None:
        """Compute the gates from what has been collected since the last time."""
        found: dict[str, Tensor] = {}
        for name, moments in self._moments.items():
            assert isinstance(moments.mean, Tensor)
            assert isinstance(moments.squares, Tensor)
            layer = self.layers[name]
            dtype = next(layer.parameters()).dtype
            variance = moments.squares / moments.n
            found[name] = layer.gate(moments.mean.to(dtype), variance.to(dtype))
        changes = [
            (factors - self._factors[name]).abs().max().item() if name in self._factors else 1.0
            for name, factors in found.items()
        ]
        self.change = max(changes, default=0.0)
        self._factors, self._moments = found, {}

    @contextmanager
    def _replaced(self, take_in: Callable[[str, Tensor], None] | None) -> Iterator[None]:
        def forward_of(name: str, layer: ChannelGate) -> Callable[[Tensor], Tensor]:
            own = layer.forward

            def forward(x: Tensor) -> Tensor:
                if take_in is not None:
                    take_in(name, x)
                return x * self._factors[name] if name in self._factors else own(x)

            return forward

        # In the place of the method, and not a hook after it, so that a gate is not computed in vain.
        with ExitStack() as replaced:
            for name, layer in self.layers.items():
                vars(layer)["forward"] = forward_of(name, layer)
                replaced.callback(vars(layer).pop, "forward")
            yield


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
