"""`mfagan coronetgan lut build`: the latency of every block of a translator's slices."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from mfagan.cli.lut.measuring import (
    RoundsOption,
    SustainedMinutesOption,
    TableOption,
    ThreadsOption,
    choose_passes,
    measure_table,
    require_minutes,
)
from mfagan.cli.options import NAMED_CHECKPOINT, TablePrecisionOption
from search.commands.command import keeps
from search.commands.result import Result

__all__ = ["build_lut"]


@keeps("what was measured is kept beside the table, and the same command continues")
def build_lut(
    out: TableOption,
    supernet: Annotated[
        Path,
        typer.Option(help="The weight-shared translator (`supernet.safetensors`).", **NAMED_CHECKPOINT),
    ],
    size: Annotated[
        int | None,
        typer.Option(
            metavar="PX", min=1, help="Side of the pictures (default: that of the training, or 256)."
        ),
    ] = None,
    runtime: Annotated[
        str, typer.Option(metavar="NAME", help="litert, onnx or torch: this CPU; torch-cuda.")
    ] = "litert",
    threads: ThreadsOption = 2,
    rounds: RoundsOption = None,
    precision: TablePrecisionOption = "fp32",
    passes: Annotated[
        str | None,
        typer.Option(
            "--passes",
            metavar="LIST",
            help="Rewritings for speed, joined by commas, or none (default: those of exported translators).",
        ),
    ] = None,
    sustained: SustainedMinutesOption = None,
) -> Result:
    """Measure every block that slices of a translator can need, and write the look-up table.

    A table is for one size of pictures; a search translates pictures of its table's size.
    """
    from mfagan import checkpoint
    from mfagan.coronetgan.exporting.lowering import EXPORT_PASSES
    from mfagan.coronetgan.kinds import training_side
    from mfagan.coronetgan.study.block_lists import BlockLists
    from mfagan.coronetgan.study.networks import load_supernet
    from mfagan.coronetgan.study.table import describe_build
    from mfagan.files import require_place
    from mfagan.latency.measuring.runtimes import find_runtime

    require_minutes(sustained)
    require_place(out, supernet)
    names = choose_passes(passes, runtime, EXPORT_PASSES, find_runtime(runtime, precision).rewrites)
    network = load_supernet(supernet)
    side = size or training_side(checkpoint.read(supernet), network)
    command = describe_build(supernet, side, out, runtime, threads, names, precision)
    command += "" if rounds is None else f" --rounds {rounds}"
    command += "" if sustained is None else f" --sustained {sustained:g}"
    made = measure_table(
        BlockLists(network, (side, side)).every_block(names, precision),
        out,
        runtime=runtime,
        precision=precision,
        threads=threads,
        size=(side, side),
        command=command,
        passes=names,
        rounds=rounds,
        minutes=sustained,
    )
    return replace(
        made, next=["mfagan", "coronetgan", "search", "--lut", out, "--supernet", supernet, "--data", "DIR"]
    )
