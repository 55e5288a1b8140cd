"""`mfagan mobilestylegan ...`: StyleGAN2 made for phones."""

from mfagan.cli.groups import Subcommands
from mfagan.cli.mobilestylegan import evaluate, importing, sample

__all__ = ["MOBILESTYLEGAN"]

MOBILESTYLEGAN = Subcommands(
    "MobileStyleGAN: a small student of a StyleGAN2, which makes pictures from random numbers.",
    {
        "import": importing.import_file,
        "sample": sample.sample,
        "evaluate": evaluate.evaluate,
    },
)
"""Its commands."""
