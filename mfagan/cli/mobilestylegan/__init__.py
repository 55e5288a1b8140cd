"""`mfagan mobilestylegan ...`: StyleGAN2 made for phones."""

from mfagan.cli.groups import Subcommands
from mfagan.cli.mobilestylegan import export, importing

__all__ = ["MOBILESTYLEGAN"]

MOBILESTYLEGAN = Subcommands(
    "MobileStyleGAN: a small student of a StyleGAN2, which makes pictures from random numbers.",
    {"import": importing.import_file, "export": export.export},
)
"""Its commands."""
