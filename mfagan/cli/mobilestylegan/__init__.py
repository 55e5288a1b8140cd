"""`mfagan mobilestylegan ...`: StyleGAN2 made for phones."""

from mfagan.cli.groups import Subcommands
from mfagan.cli.mobilestylegan import evaluate, export, finetune, importing, sample, teacher, train

__all__ = ["MOBILESTYLEGAN"]

MOBILESTYLEGAN = Subcommands(
    "MobileStyleGAN: a small student of a StyleGAN2, which makes pictures from random numbers.",
    {
        "teacher": teacher.teacher,
        "import": importing.import_file,
        "train": train.train,
        "sample": sample.sample,
        "evaluate": evaluate.evaluate,
        "finetune": finetune.finetune,
        "export": export.export,
    },
)
"""Its commands."""
