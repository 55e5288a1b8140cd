"""StyleGAN2's synthesis network, the teacher (Karras et al. 2020, figures 2 (c) and 7 (b): output skips).

    constant 512x4x4 -> conv -> toRGB, then for each resolution: up-sampling conv -> conv -> toRGB, which is added to
    the enlarged image so far.

Row 0 of W+ goes to the first convolution and row 1 to its toRGB; block i (from 0) reads rows 2i + 1, 2i + 2, and
2i + 3 for its toRGB.
"""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from mfagan.graph.operators import Activation, Block
from mfagan.graph.recorder import OperatorRecorder
from mfagan.mobilestylegan.network.layers.geometry import (
    count_rows,
    noise_sides,
    require_channels,
    require_size,
    resolutions,
)
from mfagan.mobilestylegan.network.layers.noise import Noise, resolve_noise
from mfagan.mobilestylegan.network.layers.styles import Styles, spread_rows, write_rows
from mfagan.mobilestylegan.network.teacher.layers import StyledConv, ToRGB

__all__ = ["Synthesis"]


class Synthesis(nn.Module):
    """Styles -> images in [-1, 1], which it may exceed a little."""

    def __init__(self, channels: Sequence[int], style_dim: int = 512) -> None:
        """Make an untrained network.

        Args:
            channels: At 4, 8, ..., size px; `standard_channels` gives the published ones.
            style_dim: Numbers of a style.

        Raises:
            InputError: Channels that are not positive, or a size that is not one from 16 to 1024 px.
        """
        super().__init__()
        self.channels = require_channels(channels, "StyleGAN2")
        self.size = require_size(4 << (len(self.channels) - 1))
        self.style_dim = style_dim
        first, *others = self.channels
        self.constant = nn.Parameter(torch.randn(1, first, 4, 4))
        self.convs = nn.ModuleList([StyledConv(first, first, style_dim)])
        self.to_rgb = nn.ModuleList([ToRGB(first, style_dim, up=False)])
        for before, width in zip(self.channels, others, strict=False):
            self.convs.append(StyledConv(before, width, style_dim, up=True))
            self.convs.append(StyledConv(width, width, style_dim))
            self.to_rgb.append(ToRGB(width, style_dim))

    @property
    def n_rows(self) -> int:
        """Rows of W+."""
        return count_rows(self.size)

    @property
    def noise_sides(self) -> tuple[int, ...]:
        """Sides of the noise maps in px, in the order they are read."""
        return noise_sides(len(self.channels))

    def config(self) -> dict[str, object]:
        """The arguments that rebuild it, as plain data."""
        return {"channels": list(self.channels), "style_dim": self.style_dim}

    def forward(self, w: Tensor, noise: Noise = "const") -> Tensor:
        """Make images.

        Args:
            w: Styles (N, style_dim) for all layers, or W+ (N, 2 log2(size) - 2, style_dim).
            noise: A mode, or the maps themselves.

        Returns:
            (N, 3, size, size), not clamped.

        Raises:
            InputError: Styles or noise of another shape.
        """
        w = spread_rows(w, self.style_dim, [self.n_rows], f"StyleGAN2 of {self.size} px")
        maps = resolve_noise(noise, self.noise_sides, w)
        x = self.convs[0](self.constant, w[:, 0], maps[0])
        image = self.to_rgb[0](x, w[:, 1], None)
        for i, to_rgb in enumerate(list(self.to_rgb)[1:]):
            row = 2 * i + 1
            x = self.convs[row](x, w[:, row], maps[row])
            x = self.convs[row + 1](x, w[:, row + 1], maps[row + 1])
            image = to_rgb(x, w[:, row + 2], image)
        return image

    def blocks(self, noise: Literal["const", "zero"] = "const", styles: Styles = "rows") -> list[Block]:
        """The operators of one image, a block for each resolution.

        Args:
            noise: The mode of noise.
            styles: What the inputs are.
        """
        recorder, noisy = OperatorRecorder(), noise == "const"
        rows = write_rows(recorder, styles, self.n_rows, self.style_dim)
        convs, images = list(self.convs), list(self.to_rgb)
        assert isinstance(convs[0], StyledConv)
        x: Activation | None = convs[0].write_operators(recorder, None, rows[0], "convs.0", noisy)
        image: Activation | None = None
        before = self.channels[0]
        for i, (to_rgb, width, side) in enumerate(
            zip(images, self.channels, resolutions(len(images)), strict=True)
        ):
            row = 2 * i - 1
            for number in (row, row + 1) if i else ():
                conv = convs[number]
                assert isinstance(conv, StyledConv)
                x = conv.write_operators(recorder, x, rows[number], f"convs.{number}", noisy)
            assert isinstance(to_rgb, ToRGB)
            assert x is not None
            image = to_rgb.write_operators(recorder, x, rows[row + 2], image, f"to_rgb.{i}")
            recorder.close_block(
                f"teacher block in={before} out={width} {side}px"
                if i
                else f"teacher first c={width} {side}px"
            )
            before = width
        return recorder.blocks

    def constants(self, noise: Literal["const", "zero"] = "const") -> dict[str, Tensor]:
        """The weights that its operators name, as `mfagan.graph.module.OperatorModule` takes them.

        Args:
            noise: The mode of noise.
        """
        found = {"constant": self.constant[0]}
        maps = resolve_noise(noise, self.noise_sides, self.constant)
        for i, (conv, one) in enumerate(zip(self.convs, maps, strict=True)):
            assert isinstance(conv, StyledConv)
            found |= conv.constants(f"convs.{i}", one)
        for i, to_rgb in enumerate(self.to_rgb):
            assert isinstance(to_rgb, ToRGB)
            found |= to_rgb.constants(f"to_rgb.{i}")
        return found
