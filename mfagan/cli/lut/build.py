"""`mfagan lut build`: the latency of every block, measured here or on a phone."""

import logging
import shlex
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
from mfagan.cli.lut.phone import PhoneOptions, build_on_phone, describe_table
from mfagan.cli.options import (
    ScaleOption,
    SizeOption,
    TablePassesOption,
    TablePrecisionOption,
    read_size,
)
from mfagan.errors import InputError
from search.commands.command import keeps
from search.commands.result import Result

__all__ = ["build_lut"]

logger = logging.getLogger(__name__)

PHONE = "android"
"""The runtime that is measured on a phone, by adb."""
PHONE_OPTIONS = f"Options of {PHONE}"


@keeps("what the phone has measured is kept beside the table, and the same command continues")
def build_lut(
    out: TableOption,
    runtime: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="litert, onnx or torch: this CPU; torch-cuda; android: a phone, by adb."
        ),
    ] = "litert",
    threads: ThreadsOption = 2,
    size: SizeOption = "128x128",
    scale: ScaleOption = 4,
    rounds: RoundsOption = None,
    precision: TablePrecisionOption = "fp32",
    passes: TablePassesOption = None,
    benchmark_model: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="TensorFlow Lite's benchmark_model, a file here to push or a path on the phone "
            "(default: /data/local/tmp/benchmark_model).",
            rich_help_panel=PHONE_OPTIONS,
        ),
    ] = None,
    use_gpu: Annotated[
        bool, typer.Option("--use-gpu", help="Measure the GPU delegate.", rich_help_panel=PHONE_OPTIONS)
    ] = False,
    use_nnapi: Annotated[
        bool, typer.Option("--use-nnapi", help="Measure NNAPI.", rich_help_panel=PHONE_OPTIONS)
    ] = False,
    serial: Annotated[
        str | None,
        typer.Option(help="Which phone, if there are several.", rich_help_panel=PHONE_OPTIONS),
    ] = None,
    sustained: SustainedMinutesOption = None,
) -> Result:
    """Measure every block the choices can need and write the look-up table.

    If it is stopped, what was measured is kept beside the table, and the same command continues.
    """
    from mfagan.files import require_place
    from mfagan.graph.passes import passes_for
    from mfagan.latency.measuring.runtimes import find_runtime
    from mfagan.latency.tables import describe_build
    from mfagan.sr.study.calibrating.table_blocks import table_blocks

    height, width = read_size(size)
    require_minutes(sustained)
    require_place(out)
    rewrites = runtime == PHONE or find_runtime(runtime, precision).rewrites
    names = choose_passes(passes, runtime, passes_for(precision), rewrites)
    command = describe_build(threads, (height, width), runtime, out, scale, names, precision)
    command += "" if rounds is None else f" --rounds {rounds}"
    command += "" if sustained is None else f" --sustained {sustained:g}"
    phone = PhoneOptions(benchmark_model, use_gpu, use_nnapi, serial)
    if runtime == PHONE:
        command += "".join(f" {shlex.quote(word)}" for word in phone.words())
        table = build_on_phone(
            out,
            phone,
            command=command,
            threads=threads,
            size=(height, width),
            scale=scale,
            passes=names,
            precision=precision,
            rounds=rounds,
            minutes=sustained,
        )
        return describe_table(out, table)
    if phone.words():
        raise InputError(
            f"{phone.words()[0]}: it goes with --runtime {PHONE}, and this is {runtime}; leave it out"
        )
    return measure_table(
        table_blocks((height, width), scale, names, precision),
        out,
        runtime=runtime,
        precision=precision,
        threads=threads,
        size=(height, width),
        command=command,
        passes=names,
        rounds=rounds,
        minutes=sustained,
    )
