"""MobileStyleGAN's student: it predicts the wavelet transform of the image (Belousov 2021).

    constant 512x4x4 -> dense 3x3 conv -> head, then for each resolution: inverse wavelet transform -> separable conv a
    -> separable conv b -> head

Its channels are the teacher's without the last resolution: the last head's inverse transform makes the image at twice
the size of the last feature map. The other heads serve training alone.
"""

import copy
from collections.abc import Sequence
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from mfagan.errors import InputError
from mfagan.graph.operators import Activation, Block
from mfagan.graph.recorder import OperatorRecorder
from mfagan.mobilestylegan.network.layers.geometry import (
    BANDS,
    count_rows,
    noise_sides,
    require_channels,
    require_size,
    resolutions,
)
from mfagan.mobilestylegan.network.layers.noise import Noise, resolve_noise
from mfagan.mobilestylegan.network.layers.styles import Styles, spread_rows, write_rows
from mfagan.mobilestylegan.network.student.block import StudentBlock
from mfagan.mobilestylegan.network.student.layers import Demodulation, DenseConv, Head, require_demodulation

__all__ = ["EveryHead", "Heads", "RowLayout", "Student"]

Heads = Literal["all", "last"]
"""all: the training form, with a head at each resolution; last: the inference form."""
RowLayout = Literal["ours", "authors"]
"""Which rows of W+ the layers read. ours: StyleGAN2's, which projectors write: block i reads 2i + 1 (up and conv a),
2i + 2 (conv b), 2i + 3 (head). authors: 3i + 1, 3i + 2, 3i + 3. Row 0 goes to the first convolution, row 1 to its head.
The same for a single style."""


class Student(nn.Module):
    """Styles -> images in [-1, 1], which it may exceed a little."""

    def __init__(
        self,
        channels: Sequence[int],
        style_dim: int = 512,
        *,
        demodulation: Demodulation = "style",
        rows: RowLayout = "ours",
        heads: Heads = "all",
        full_channels: Sequence[int] | None = None,
    ) -> None:
        """Make an untrained network.

        Args:
            channels: At 4, 8, ..., size / 2 px, multiples of 4.
            style_dim: Numbers of a style.
            demodulation: As in `Demodulation`.
            rows: As in `RowLayout`.
            heads: As in `Heads`.
            full_channels: The channels of the network whose slice this is; None if it is no slice.

        Raises:
            InputError: Channels, a size or an option that it does not take.
        """
        super().__init__()
        self.channels = require_channels(channels, "student", BANDS)
        self.full_channels = require_channels(full_channels or channels, "student", BANDS)
        pairs = zip(self.channels, self.full_channels, strict=False)
        if len(self.full_channels) != len(self.channels) or any(a > b for a, b in pairs):
            raise InputError(
                f"student: channels {', '.join(map(str, self.channels))} are no slice of "
                f"{', '.join(map(str, self.full_channels))}"
            )
        self.size = require_size(4 << len(self.channels))
        self.style_dim = style_dim
        self.demodulation: Demodulation = require_demodulation(demodulation)
        if rows not in get_args(RowLayout):
            raise InputError(f"rows {rows!r}: give {' or '.join(get_args(RowLayout))}")
        if heads not in get_args(Heads):
            raise InputError(f"heads {heads!r}: give {' or '.join(get_args(Heads))}")
        self.rows: RowLayout = rows
        self.heads_kind: Heads = heads
        first = self.channels[0]
        self.constant = nn.Parameter(torch.randn(1, first, 4, 4))
        self.first = DenseConv(first, first, style_dim, self.demodulation)
        self.body = nn.ModuleList(
            StudentBlock(before, after, style_dim, self.demodulation)
            for before, after in zip(self.channels, self.channels[1:], strict=False)
        )
        every = zip(self.sides, self.channels, self.full_channels, strict=True)
        self.heads = nn.ModuleDict(
            {
                str(side): Head(width, style_dim, full)
                for side, width, full in every
                if heads == "all" or side == self.sides[-1]
            }
        )

    @property
    def sides(self) -> tuple[int, ...]:
        """Sides of the feature maps in px, smallest first."""
        return resolutions(len(self.channels))

    @property
    def noise_sides(self) -> tuple[int, ...]:
        """Sides of the noise maps in px, in the order they are read: the teacher's without the last two."""
        return noise_sides(len(self.channels))

    @property
    def allowed_rows(self) -> tuple[int, ...]:
        """Counts of rows that a W+ may have: the teacher's, or those that are read."""
        n = len(self.channels)
        return (3 * (n - 1) + 2,) if self.rows == "authors" else (count_rows(self.size), 2 * n)

    def rows_of(self, number: int) -> tuple[int, int, int]:
        """The rows of W+ that a block reads.

        Args:
            number: The block, counted from 0.

        Returns:
            The rows of up and conv a, of conv b, and of the head after it.
        """
        first = (2 if self.rows == "ours" else 3) * number + 1
        return first, first + 1, first + 2

    def config(self) -> dict[str, object]:
        """The arguments that rebuild it, as plain data."""
        return {
            "channels": list(self.channels),
            "style_dim": self.style_dim,
            "demodulation": self.demodulation,
            "rows": self.rows,
            "heads": self.heads_kind,
            "full_channels": list(self.full_channels),
        }

    def forward(self, w: Tensor, noise: Noise = "const") -> Tensor:
        """Make images, by the last head alone.

        Args:
            w: Styles (N, style_dim) for all layers, or W+ (N, rows, style_dim), whose rows are the teacher's.
            noise: A mode, or the maps themselves; a teacher's may be given.

        Returns:
            (N, 3, size, size), not clamped.

        Raises:
            InputError: Styles or noise of another shape.
        """
        w, maps = self.prepare(w, noise)
        x = self.begin(w, maps)
        for number in range(len(self.body)):
            x = self.advance(x, number, w, maps)
        head = self.heads[str(self.sides[-1])]
        assert isinstance(head, Head)
        return head.haar(self.bands(x, len(self.body), w))

    def forward_heads(self, w: Tensor, noise: Noise = "const") -> tuple[Tensor, ...]:
        """Predict the wavelet transforms of all heads, for training.

        Args:
            w: As in `forward`.
            noise: As in `forward`.

        Returns:
            Bands in group order, (N, 12, side, side) each, smallest first; `inverse_haar` gives their images.

        Raises:
            InputError: As `forward`; or the network has the last head alone.
        """
        if len(self.heads) < len(self.channels):
            raise InputError("student: it has the last head alone; train the form with all heads")
        w, maps = self.prepare(w, noise)
        x = self.begin(w, maps)
        found = [self.bands(x, 0, w)]
        for number in range(len(self.body)):
            x = self.advance(x, number, w, maps)
            found.append(self.bands(x, number + 1, w))
        return tuple(found)

    def prepare(self, w: Tensor, noise: Noise = "const") -> tuple[Tensor, list[Tensor | None]]:
        """The rows of W+ and the noise maps that `begin`, `advance` and `bands` take.

        Args:
            w: As in `forward`.
            noise: As in `forward`.

        Returns:
            W+ (N, rows, style_dim), and the maps in the order they are read.

        Raises:
            InputError: As `forward`.
        """
        rows = spread_rows(w, self.style_dim, self.allowed_rows, f"student of {self.size} px")
        return rows, resolve_noise(noise, self.noise_sides, rows)

    def begin(self, w: Tensor, maps: Sequence[Tensor | None]) -> Tensor:
        """Run the first convolution.

        Args:
            w: From `prepare`.
            maps: From `prepare`.

        Returns:
            (N, C, 4, 4).
        """
        return self.first(self.constant, w[:, 0], maps[0])

    def advance(self, x: Tensor, number: int, w: Tensor, maps: Sequence[Tensor | None]) -> Tensor:
        """Run one block.

        Args:
            x: What `begin` or the block before made.
            number: The block, counted from 0.
            w: From `prepare`.
            maps: From `prepare`.

        Returns:
            The feature map at twice the size.
        """
        a, b, _ = self.rows_of(number)
        return self.body[number](x, (w[:, a], w[:, b]), maps[2 * number + 1 : 2 * number + 3])

    def bands(self, x: Tensor, number: int, w: Tensor) -> Tensor:
        """Run one head.

        Args:
            x: The feature map of its resolution.
            number: The resolution, counted from 0 for 4 px.
            w: From `prepare`.

        Returns:
            Bands in group order, (N, 12, side, side).
        """
        return self.heads[str(self.sides[number])](x, w[:, self.head_row(number)])

    def head_row(self, number: int) -> int:
        """The row of W+ that a head reads.

        Args:
            number: The resolution, counted from 0 for 4 px.
        """
        return self.rows_of(number - 1)[2] if number else 1

    def inference_form(self) -> "Student":
        """A copy that has the last head alone."""
        form = copy.deepcopy(self)
        last = str(self.sides[-1])
        form.heads = nn.ModuleDict({last: form.heads[last]})
        form.heads_kind = "last"
        return form

    def blocks(
        self, noise: Literal["const", "zero"] = "const", heads: Heads = "last", styles: Styles = "rows"
    ) -> list[Block]:
        """The operators of one image, in look-up-table blocks.

        Args:
            noise: The mode of noise.
            heads: Whether the auxiliary heads are listed.
            styles: What the inputs are.
        """
        recorder, noisy = OperatorRecorder(), noise == "const"
        rows = write_rows(recorder, styles, self.allowed_rows[0], self.style_dim)
        x: Activation = self.first.write_operators(recorder, None, rows[0], "first", noisy)
        recorder.close_block(f"first c={self.channels[0]} {self.sides[0]}px")
        for number, (width, side) in enumerate(zip(self.channels, self.sides, strict=True)):
            if number:
                a, b, _ = self.rows_of(number - 1)
                block = self.body[number - 1]
                assert isinstance(block, StudentBlock)
                x = block.write_operators(recorder, x, (rows[a], rows[b]), f"body.{number - 1}", noisy)
                recorder.close_block(f"block in={self.channels[number - 1]} out={width} {side}px")
            if heads == "all" or side == self.sides[-1]:
                head = self.heads[str(side)]
                assert isinstance(head, Head)
                head.write_operators(recorder, x, rows[self.head_row(number)], f"heads.{side}")
                recorder.close_block(f"head in={width} {side}px")
        return recorder.blocks

    def constants(self, noise: Literal["const", "zero"] = "const") -> dict[str, Tensor]:
        """The weights that its operators name, as `mfagan.graph.module.OperatorModule` takes them.

        Args:
            noise: The mode of noise.
        """
        maps = resolve_noise(noise, self.noise_sides, self.constant)
        found = {"constant": self.constant[0]} | self.first.constants("first", maps[0])
        for number, block in enumerate(self.body):
            assert isinstance(block, StudentBlock)
            found |= block.constants(f"body.{number}", maps[2 * number + 1 : 2 * number + 3])
        for side, head in self.heads.items():
            assert isinstance(head, Head)
            found |= head.constants(f"heads.{side}")
        return found


class EveryHead(nn.Module):
    """The training form of a student as a module, whose output is that of `Student.forward_heads`.

    Args:
        student: It has all heads.
    """

    def __init__(self, student: Student) -> None:
        super().__init__()
        self.student = student

    def forward(self, w: Tensor, noise: Noise = "const") -> tuple[Tensor, ...]:
        """Predict the wavelet transforms of all heads."""
        return self.student.forward_heads(w, noise)
