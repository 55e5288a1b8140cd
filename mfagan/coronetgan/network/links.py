"""How the layers of translators are linked: which convolutions read and write the channels of which latent."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from mfagan.graph.operators import Activation

__all__ = ["INPUT", "OUTPUT", "Biases", "Gates", "Link", "Norm", "State", "side_text"]

INPUT, OUTPUT = "input", "output"
"""The latents of the pictures themselves, whose channels are never pruned."""
Norm = Literal["instance", "batch"]
"""Normalisation: instance norm without learned numbers, as in CycleGAN, or batch norm with them, as in pix2pix."""
Biases = Literal["all", "unnormed", "last"]
"""Which convolutions have a bias besides the last one: all; those whose output is not normalised as it is; none."""
Gates = Mapping[str, Tensor]
"""Name of a latent -> a factor for each of its channels, (C,)."""
State = tuple[Tensor, ...]
"""What a translator keeps between two steps: the features that are read again later, then the newest."""


@dataclass(frozen=True)
class Link:
    """A convolution, with the latents of its channels: each latent is one vector of channels that are pruned together.

    name: of the convolution, and of the normalisation after it.
    inputs: the latents whose channels it reads, concatenated in this order.
    output: the latent whose channels it writes.
    transposed: whether it is a transposed convolution.
    repeat: output channels for each channel of the latent: scale x scale before a pixel shuffle, else 1.
    normed: whether a normalisation follows it.
    """

    name: str
    inputs: tuple[str, ...]
    output: str
    transposed: bool = False
    repeat: int = 1
    normed: bool = True


def side_text(x: Activation) -> str:
    """The size of an activation in the keys of blocks, such as 64px or 64x96px.

    Args:
        x: The activation.
    """
    return f"{x.height}px" if x.height == x.width else f"{x.height}x{x.width}px"
