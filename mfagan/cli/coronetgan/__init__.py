"""`mfagan coronetgan ...`: image translation networks, pruned while they train."""

from mfagan.cli.coronetgan import compare
from mfagan.cli.groups import Subcommands

__all__ = ["CORONETGAN"]

CORONETGAN = Subcommands(
    "CoroNetGAN: pix2pix and CycleGAN, pruned to a ratio you name while they train.",
    {
        "compare": compare.compare,
    },
)
"""Its commands."""
