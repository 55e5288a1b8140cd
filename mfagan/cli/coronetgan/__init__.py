"""`mfagan coronetgan ...`: image translation networks, pruned while they train."""

from mfagan.cli.coronetgan import (
    evaluate,
    export,
    importing,
    train,
    translate,
)
from mfagan.cli.groups import Subcommands

__all__ = ["CORONETGAN"]

CORONETGAN = Subcommands(
    "CoroNetGAN: pix2pix and CycleGAN, pruned to a ratio you name while they train.",
    {
        "train": train.train,
        "import": importing.import_file,
        "translate": translate.translate,
        "evaluate": evaluate.evaluate,
        "export": export.export,
    },
)
"""Its commands."""
