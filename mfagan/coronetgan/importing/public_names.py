"""The names that the public CycleGAN and pix2pix code gives to the layers of its generators.

Its ResNet numbers all layers of a sequence, those without weights among them. The second convolution of a block is
`conv_block.5`; where a dropout stands between the two, as in networks trained with it and in all of GAN Compression's,
it is `conv_block.6`. Its U-Net nests each level in the one around it.
"""

from dataclasses import dataclass
from typing import Literal

from mfagan.coronetgan.network.links import OUTPUT

__all__ = ["BLOCK_NUMBERINGS", "BlockNumbering", "Place", "resnet_places", "unet_places"]

BlockNumbering = Literal[5, 6]
"""The number of a block's second convolution."""
BLOCK_NUMBERINGS: tuple[BlockNumbering, ...] = (5, 6)


@dataclass(frozen=True)
class Place:
    """Where a convolution of ours and the normalisation after it stand in the public code.

    conv: the prefix of the convolution's weights.
    norm: that of the normalisation's, "" if there is none.
    """

    conv: str
    norm: str = ""


def resnet_places(n_blocks: int, second: BlockNumbering) -> dict[str, Place]:
    """The places in a ResNet, in the order of the public file.

    Args:
        n_blocks: how many residual blocks there are.
        second: the number of a block's second convolution.

    Returns:
        Name of our convolution -> its place.
    """
    places = {"stem": _after(1), "down": _after(4), "res": _after(7)}
    for number in range(1, n_blocks + 1):
        block = f"model.{9 + number}.conv_block"
        places[f"inner{number}"] = Place(f"{block}.1", f"{block}.2")
        places[f"outer{number}"] = Place(f"{block}.{second}", f"{block}.{second + 1}")
    end = 10 + n_blocks
    return places | {"up1": _after(end), "up2": _after(end + 3), OUTPUT: Place(f"model.{end + 7}")}


def unet_places(n_levels: int) -> dict[str, Place]:
    """The places in a U-Net, in the order of the public file.

    Args:
        n_levels: how many levels there are, the outermost included; at least 2.

    Returns:
        As `resnet_places`.
    """
    downs, ups = {"down1": Place("model.model.0")}, {OUTPUT: Place("model.model.3")}
    level_of = "model.model.1.model"
    for level in range(2, n_levels):
        downs[f"down{level}"] = Place(f"{level_of}.1", f"{level_of}.2")
        ups[f"up{level - 1}"] = Place(f"{level_of}.5", f"{level_of}.6")
        level_of += ".3.model"
    downs[f"down{n_levels}"] = Place(f"{level_of}.1")
    ups[f"up{n_levels - 1}"] = Place(f"{level_of}.3", f"{level_of}.4")
    return downs | dict(reversed(ups.items()))


def _after(number: int) -> Place:
    return Place(f"model.{number}", f"model.{number + 1}")
