"""`mfagan mobilestylegan ...`: StyleGAN2 made for phones."""

from mfagan.cli.groups import Subcommands
from mfagan.cli.mobilestylegan import export, importing, lut, search
from mfagan.cli.study import pick

__all__ = ["MOBILESTYLEGAN"]

MOBILESTYLEGAN = Subcommands(
    "MobileStyleGAN: a small student of a StyleGAN2, which makes pictures from random numbers.",
    {
        "import": importing.import_file,
        "lut": Subcommands("Latency look-up tables of students.", {"build": lut.build_lut}),
        "search": search.run_search,
        "pick": pick.pick,
        "export": export.export,
    },
)
"""Its commands."""
