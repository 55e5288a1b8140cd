"""`mfagan mobilestylegan ...`: StyleGAN2 made for phones."""

from mfagan.cli.groups import Subcommands
from mfagan.cli.mobilestylegan import (
    demo,
    evaluate,
    export,
    finetune,
    importing,
    lut,
    sample,
    search,
    teacher,
    train,
)
from mfagan.cli.study import pick

__all__ = ["MOBILESTYLEGAN"]

MOBILESTYLEGAN = Subcommands(
    "MobileStyleGAN: a small student of a StyleGAN2, which makes pictures from random numbers.",
    {
        "demo": demo.demo,
        "teacher": teacher.teacher,
        "import": importing.import_file,
        "train": train.train,
        "sample": sample.sample,
        "evaluate": evaluate.evaluate,
        "lut": Subcommands("Latency look-up tables of students.", {"build": lut.build_lut}),
        "search": search.run_search,
        "pick": pick.pick,
        "finetune": finetune.finetune,
        "export": export.export,
    },
)
"""Its commands."""
