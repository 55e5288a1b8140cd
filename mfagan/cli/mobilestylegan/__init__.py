"""`mfagan mobilestylegan ...`: StyleGAN2 made for phones."""

from mfagan.cli.groups import Subcommands
from mfagan.cli.mobilestylegan import importing, lut, search
from mfagan.cli.mobilestylegan.finetune import finetune
from mfagan.cli.mobilestylegan.teacher import teacher
from mfagan.cli.mobilestylegan.train import train
from mfagan.cli.study import pick

__all__ = ["MOBILESTYLEGAN"]

MOBILESTYLEGAN = Subcommands(
    "MobileStyleGAN: a small student of a StyleGAN2, which makes pictures from random numbers.",
    {
        "import": importing.import_file,
        "teacher": teacher,
        "train": train,
        "lut": Subcommands("Latency look-up tables of students.", {"build": lut.build_lut}),
        "search": search.run_search,
        "pick": pick.pick,
        "finetune": finetune,
    },
)
"""Its commands."""
