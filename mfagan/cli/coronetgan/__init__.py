"""`mfagan coronetgan ...`: image translation networks, pruned while they train."""

from mfagan.cli.coronetgan import (
    compare,
    demo,
    evaluate,
    export,
    finetune,
    importing,
    lut,
    ratios,
    search,
    train,
    translate,
)
from mfagan.cli.groups import Subcommands
from mfagan.cli.study import pick

__all__ = ["CORONETGAN"]

CORONETGAN = Subcommands(
    "CoroNetGAN: pix2pix and CycleGAN, pruned to a ratio you name while they train.",
    {
        "demo": demo.demo,
        "train": train.train,
        "compare": compare.compare,
        "ratios": ratios.ratios,
        "import": importing.import_file,
        "translate": translate.translate,
        "evaluate": evaluate.evaluate,
        "lut": Subcommands("Latency look-up tables of translators.", {"build": lut.build_lut}),
        "search": search.run_search,
        "pick": pick.pick,
        "finetune": finetune.finetune,
        "export": export.export,
    },
)
"""Its commands."""
