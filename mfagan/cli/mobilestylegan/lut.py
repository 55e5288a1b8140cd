"""`mfagan mobilestylegan lut build`: the latency of every block of a student's slices."""

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
    student: Annotated[Path, typer.Option(help="The weight-shared student.", **NAMED_CHECKPOINT)],
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
            help="Rewritings for speed, joined by commas, or none (default: those of exported students).",
        ),
    ] = None,
    sustained: SustainedMinutesOption = None,
) -> Result:
    """Measure every block that slices of a student can need, the mapping network too, and write the look-up table.

    A table is for one size of images: the student's.
    """
    from mfagan.files import require_place
    from mfagan.latency.measuring.runtimes import find_runtime
    from mfagan.mobilestylegan.study.block_lists import BlockLists
    from mfagan.mobilestylegan.study.problem import load_shared_student
    from mfagan.mobilestylegan.study.table import DEFAULT_PASSES, describe_build

    require_minutes(sustained)
    require_place(out, student)
    names = choose_passes(passes, runtime, DEFAULT_PASSES, find_runtime(runtime, precision).rewrites)
    network = load_shared_student(student)
    command = describe_build(student, out, runtime, threads, names, precision)
    command += "" if rounds is None else f" --rounds {rounds}"
    command += "" if sustained is None else f" --sustained {sustained:g}"
    made = measure_table(
        BlockLists(network).every_block(names, precision),
        out,
        runtime=runtime,
        precision=precision,
        threads=threads,
        size=(network.size, network.size),
        command=command,
        passes=names,
        rounds=rounds,
        minutes=sustained,
    )
    then = ["mfagan", "mobilestylegan", "search", "--lut", out, "--student", student, "--teacher"]
    return replace(made, next=[*then, "teacher.safetensors"])
