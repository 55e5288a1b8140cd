"""pix2pix's generator (Isola et al. 2017): a U-Net, whose levels each halve the picture and double it again."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mfagan.coronetgan.network.links import INPUT, OUTPUT, Link, State, side_text
from mfagan.coronetgan.network.translator import Translator
from mfagan.errors import InputError
from mfagan.graph.operators import Activation, Window
from mfagan.graph.recorder import OperatorRecorder

__all__ = ["UnetTranslator"]

_SLOPE = 0.2
_WINDOW = Window.square(4, 2, 1)


class UnetTranslator(Translator):
    """Levels of a conv 4 of stride 2 and a transposed one, with a skip around each level but the outermost; tanh.

    LeakyReLU 0.2 before each convolution but the first, ReLU before each transposed one; no normalisation after the
    first and the innermost convolution. The latents are `down1` (outermost), `down2`, ... and `up1`, `up2`, ...: `upN`
    is concatenated behind `downN`.

    Args:
        widths: As in `Translator`.
        **options: Other arguments of `Translator`.
    """

    KIND: ClassVar[str] = "unet_translator"

    def __init__(self, widths: Mapping[str, int], **options: Any) -> None:
        super().__init__(widths, **options)
        if self.n_levels < 2:
            raise InputError(f"{self.KIND}: {self.n_levels} level; give at least 2")
        self._links = tuple(self._list_links())
        self._add_layers(_make)

    @classmethod
    def full(cls, base: int = 64, n_levels: int = 8, **options: Any) -> Self:
        """The untrained network of published proportions.

        Args:
            base: Channels of the first convolution (ngf in the public code); 64 is the published number.
            n_levels: Halvings: 8 for pictures of 256 px, 7 for those of 128 px.
            **options: Other arguments of the class; batch norm and dropout if they are not given.
        """
        down = {f"down{level}": base * min(8, 2 ** (level - 1)) for level in range(1, n_levels + 1)}
        up = {f"up{level}": down[f"down{level}"] for level in range(1, n_levels)}
        return cls(down | up, **{"norm": "batch", "dropout": True, **options})

    @classmethod
    def _latents(cls, widths: Mapping[str, int]) -> list[str]:
        levels = max((len(widths) + 1) // 2, 1)
        return [
            *(f"down{level}" for level in range(1, levels + 1)),
            *(f"up{level}" for level in range(1, levels)),
        ]

    @property
    def n_levels(self) -> int:
        """How many times the picture is halved."""
        return (len(self.widths) + 1) // 2

    @property
    def multiple_px(self) -> int:
        """2 to the power of the levels."""
        return 2**self.n_levels

    @property
    def min_side_px(self) -> int:
        """2 to the power of the levels: the bottleneck is one px then."""
        return 2**self.n_levels

    def links(self) -> Sequence[Link]:
        """As `Translator.links`."""
        return self._links

    def _list_links(self) -> list[Link]:
        last = self.n_levels
        links = [Link("down1", (INPUT,), "down1", normed=False)]
        links += [
            Link(f"down{level}", (f"down{level - 1}",), f"down{level}", normed=level < last)
            for level in range(2, last + 1)
        ]
        for level in range(last - 1, 0, -1):
            links.append(Link(f"up{level}", self._read_by_up(level), f"up{level}", transposed=True))
        return [*links, Link(OUTPUT, self._read_by_up(0), OUTPUT, transposed=True, normed=False)]

    def _read_by_up(self, level: int) -> tuple[str, ...]:
        """The latents that the transposed convolution out of the level below reads."""
        inside = level + 1
        return (f"down{inside}",) if inside == self.n_levels else (f"down{inside}", f"up{inside}")

    def _drops(self, level: int) -> bool:
        """Whether the public code drops features after the transposed convolution of a level."""
        return 4 <= level <= self.n_levels - 2

    def steps(self) -> Sequence[tuple[str, ...]]:
        """As `Translator.steps`: each convolution is one."""
        return [(link.name,) for link in self._links]

    def _advance(self, state: State, convs: tuple[str, ...], layer: Callable[..., Tensor]) -> State:
        (name,), (*skips, x) = convs, state
        if name == "down1":
            return (layer(name, x),)
        if name.startswith("down"):
            return (*state, layer(name, F.leaky_relu(x, _SLOPE)))
        if name == OUTPUT:
            return (torch.tanh(layer(name, F.relu(x))),)
        x = layer(name, F.relu(x), drop=self._drops(int(name.removeprefix("up"))))
        return (*skips[:-1], torch.cat((skips[-1], x), 1))

    def write_operators(self, recorder: OperatorRecorder, x: Activation) -> None:
        """As `Translator.write_operators`."""
        skips: list[Activation] = []
        for link in self._links[: self.n_levels]:
            before, side = x.channels, side_text(x)
            if link.name != "down1":
                x = recorder.elementwise("leaky_relu", x, value=_SLOPE)
            x = recorder.conv(
                x, f"convs.{link.name}", self.widths[link.output], _WINDOW, bias=self.is_biased(link)
            )
            if link.normed:
                x = self.write_norm(recorder, link.name, x)
            recorder.close_block(f"{link.name} {before}->{x.channels} {side}")
            skips.append(x)
        x = skips.pop()
        for link in self._links[self.n_levels : -1]:
            before, side = x.channels, side_text(x)
            x = recorder.elementwise("relu", x)
            x = recorder.conv_transpose(
                x, f"convs.{link.name}", self.widths[link.output], _WINDOW, bias=self.is_biased(link)
            )
            x = self.write_norm(recorder, link.name, x)
            made, skip = x.channels, skips.pop()
            x = recorder.concat(skip, x)
            recorder.close_block(f"{link.name} {before}->{made} skip={skip.channels} {side}")
        before = x.channels
        x = recorder.elementwise("relu", x)
        x = recorder.conv_transpose(x, f"convs.{OUTPUT}", self.out_channels, _WINDOW)
        recorder.elementwise("tanh", x)
        recorder.close_block(f"tail {before}->{self.out_channels}")


def _make(link: Link, channels: int, width: int, biased: bool) -> nn.Module:
    kind = nn.ConvTranspose2d if link.transposed else nn.Conv2d
    return kind(channels, width, 4, stride=2, padding=1, bias=biased)
