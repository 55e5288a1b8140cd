"""CycleGAN's generator (Zhu et al. 2017, after Johnson et al. 2016): two halvings, residual blocks, two doublings."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mfagan.coronetgan.network.links import INPUT, OUTPUT, Link, State, side_text
from mfagan.coronetgan.network.translator import Translator
from mfagan.errors import InputError
from mfagan.graph.operators import Activation, Window
from mfagan.graph.recorder import OperatorRecorder

__all__ = ["ResnetTranslator", "Upsampling"]

Upsampling = Literal["transposed", "shuffle"]
"""How a doubling is made: a transposed convolution, as published, or a convolution and a pixel shuffle."""

_AROUND = ("stem", "down", "res", "up1", "up2")
"""The latents that are not those inside blocks."""


class ResnetTranslator(Translator):
    """Reflect 3, conv 7, two convs of stride 2, blocks of two convs and a skip, two doublings, reflect 3, conv 7, tanh.

    The latents are `stem`, `down`, `res`, which the second halving and all blocks share, `inner1`, `inner2`, ... inside
    the blocks, `up1` and `up2`.

    Args:
        widths: As in `Translator`.
        upsampling: As in `Upsampling`.
        **options: Other arguments of `Translator`.
    """

    KIND: ClassVar[str] = "resnet_translator"

    def __init__(
        self, widths: Mapping[str, int], upsampling: Upsampling = "transposed", **options: Any
    ) -> None:
        super().__init__(widths, **options)
        if upsampling not in ("transposed", "shuffle"):
            raise InputError(f"{self.KIND}: upsampling is {upsampling!r}; give transposed or shuffle")
        self.upsampling: Upsampling = upsampling
        self._links = tuple(self._list_links())
        self._steps = tuple(self._list_steps())
        self._add_layers(self._make)

    @classmethod
    def full(cls, base: int = 64, n_blocks: int = 9, **options: Any) -> Self:
        """The untrained network of published proportions.

        Args:
            base: Channels of the first convolution (ngf in the public code); 64 is the published number.
            n_blocks: Residual blocks: 9, or 6 for pictures of 128 px.
            **options: Other arguments of the class.
        """
        inner = {f"inner{number}": 4 * base for number in range(1, n_blocks + 1)}
        widths = {"stem": base, "down": 2 * base, "res": 4 * base, **inner, "up1": 2 * base, "up2": base}
        return cls(widths, **options)

    @classmethod
    def _latents(cls, widths: Mapping[str, int]) -> list[str]:
        inner = [f"inner{number}" for number in range(1, max(len(widths) - len(_AROUND), 0) + 1)]
        return [*_AROUND[:3], *inner, *_AROUND[3:]]

    @property
    def n_blocks(self) -> int:
        """How many residual blocks there are."""
        return len(self.widths) - len(_AROUND)

    @property
    def multiple_px(self) -> int:
        """4: pictures are halved twice."""
        return 4

    @property
    def min_side_px(self) -> int:
        """8: a reflection of 1 px needs 2 px."""
        return 8

    def config(self) -> dict[str, object]:
        """The arguments that rebuild it, as plain data."""
        return {**super().config(), "upsampling": self.upsampling}

    def links(self) -> Sequence[Link]:
        """As `Translator.links`."""
        return self._links

    def _list_links(self) -> list[Link]:
        links = [
            Link("stem", (INPUT,), "stem"),
            Link("down", ("stem",), "down"),
            Link("res", ("down",), "res"),
        ]
        for number in range(1, self.n_blocks + 1):
            links += [
                Link(f"inner{number}", ("res",), f"inner{number}"),
                Link(f"outer{number}", (f"inner{number}",), "res"),
            ]
        transposed = self.upsampling == "transposed"
        for name, before in (("up1", "res"), ("up2", "up1")):
            links.append(Link(name, (before,), name, transposed, 1 if transposed else 4))
        return [*links, Link(OUTPUT, ("up2",), OUTPUT, normed=False)]

    def _make(self, link: Link, channels: int, width: int, biased: bool) -> nn.Module:
        match link.name:
            case "stem" | "output":
                return nn.Conv2d(channels, width, 7, bias=biased)
            case "down" | "res":
                return nn.Conv2d(channels, width, 3, stride=2, padding=1, bias=biased)
            case "up1" | "up2" if link.transposed:
                return nn.ConvTranspose2d(
                    channels, width, 3, stride=2, padding=1, output_padding=1, bias=biased
                )
            case "up1" | "up2":
                return nn.Conv2d(channels, width, 3, padding=1, bias=biased)
            case _:
                return nn.Conv2d(channels, width, 3, bias=biased)

    def steps(self) -> Sequence[tuple[str, ...]]:
        """As `Translator.steps`: a residual block is one step."""
        return self._steps

    def _list_steps(self) -> list[tuple[str, ...]]:
        blocks = [(f"inner{number}", f"outer{number}") for number in range(1, self.n_blocks + 1)]
        return [("stem",), ("down",), ("res",), *blocks, ("up1",), ("up2",), (OUTPUT,)]

    def _advance(self, state: State, convs: tuple[str, ...], layer: Callable[..., Tensor]) -> State:
        x, name = state[-1], convs[0]
        match name:
            case "stem":
                return (layer(name, F.pad(x, (3, 3, 3, 3), "reflect"), activate=True),)
            case "output":
                return (torch.tanh(layer(name, F.pad(x, (3, 3, 3, 3), "reflect"))),)
            case "down" | "res" | "up1" | "up2":
                return (layer(name, x, activate=True),)
            case _:
                y = layer(name, F.pad(x, (1, 1, 1, 1), "reflect"), activate=True, drop=True)
                return (x + layer(convs[1], F.pad(y, (1, 1, 1, 1), "reflect")),)

    def write_operators(self, recorder: OperatorRecorder, x: Activation) -> None:
        """As `Translator.write_operators`."""
        widths = self.widths

        def convolve(
            name: str, x: Activation, window: Window, pad: int = 0, active: bool = True
        ) -> Activation:
            if pad:
                x = recorder.pad(x, (pad, pad, pad, pad), "reflect")
            link = self._link_of(name)
            width = self.width_of(link.output)
            x = recorder.conv(x, f"convs.{name}", width, window, bias=self.is_biased(link))
            x = self.write_norm(recorder, name, x)
            return recorder.elementwise("relu", x) if active else x

        x = convolve("stem", x, Window.square(7), 3)
        recorder.close_block(f"stem {self.in_channels}->{widths['stem']}")
        for name, before in (("down", "stem"), ("res", "down")):
            side = side_text(x)
            x = convolve(name, x, Window.square(3, 2, 1))
            recorder.close_block(f"down {widths[before]}->{widths[name]} {side}")
        for number in range(1, self.n_blocks + 1):
            y = convolve(f"inner{number}", x, Window.square(3), 1)
            x = recorder.elementwise("add", x, convolve(f"outer{number}", y, Window.square(3), 1, False))
            recorder.close_block(f"block res={widths['res']} inner={widths[f'inner{number}']} {side_text(x)}")
        for name, before in (("up1", "res"), ("up2", "up1")):
            side = side_text(x)
            x = self._write_doubling(recorder, name, x)
            kind = "up" if self.upsampling == "transposed" else "shuffle"
            recorder.close_block(f"{kind} {widths[before]}->{widths[name]} {side}")
        x = recorder.pad(x, (3, 3, 3, 3), "reflect")
        x = recorder.conv(x, f"convs.{OUTPUT}", self.out_channels, Window.square(7))
        recorder.elementwise("tanh", x)
        recorder.close_block(f"tail {widths['up2']}->{self.out_channels}")

    def _write_doubling(self, recorder: OperatorRecorder, name: str, x: Activation) -> Activation:
        width, weights, biased = self.widths[name], f"convs.{name}", self.is_biased(self._link_of(name))
        if self.upsampling == "transposed":
            x = recorder.conv_transpose(
                x, weights, width, Window.square(3, 2, 1, output_padding=1), bias=biased
            )
        else:
            x = recorder.pixel_shuffle(recorder.conv(x, weights, 4 * width, 3, bias=biased), 2)
        return recorder.elementwise("relu", self.write_norm(recorder, name, x))
