"""`mfagan mobilestylegan ...`: StyleGAN2 made for phones."""

from mfagan.cli.groups import Subcommands
from mfagan.cli.mobilestylegan import importing
from mfagan.cli.mobilestylegan.finetune import finetune
from mfagan.cli.mobilestylegan.teacher import teacher
from mfagan.cli.mobilestylegan.train import train

__all__ = ["MOBILESTYLEGAN"]

MOBILESTYLEGAN = Subcommands(
    "MobileStyleGAN: a small student of a StyleGAN2, which makes pictures from random numbers.",
    {"import": importing.import_file, "teacher": teacher, "train": train, "finetune": finetune},
)
"""Its commands."""
