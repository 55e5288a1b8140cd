"""`mfagan lut build`: the latency of every block, measured here or on a phone."""

import logging
import math
import shlex
from pathlib import Path
from typing import Annotated

import typer

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
    out: Annotated[Path, typer.Option(help="The JSON file to write, such as luts/NAME.json.")],
    runtime: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="litert, onnx or torch: this CPU; torch-cuda; android: a phone, by adb."
        ),
    ] = "litert",
    threads: Annotated[int, typer.Option(min=1, help="Threads of the interpreter.")] = 2,
    size: SizeOption = "128x128",
    scale: ScaleOption = 4,
    rounds: Annotated[
        int | None, typer.Option(min=1, help="Rounds (default: until the medians are stable).")
    ] = None,
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
    sustained: Annotated[
        float | None,
        typer.Option(
            metavar="MINUTES",
            help="Measure once more after this time under load, as phones throttle.",
        ),
    ] = None,
) -> Result:
    """Measure every block the choices can need and write the look-up table.

    If it is stopped, what was measured is kept beside the table, and the same command continues.
    """
    from mfagan.files import require_place, write_atomic
    from mfagan.latency.building import build_table
    from mfagan.latency.measuring.journal import Journal
    from mfagan.latency.tables import describe_build, warn_noise
    from mfagan.progress import show_bar
    from mfagan.sr.study.calibrating.table_blocks import table_blocks

    height, width = read_size(size)
    if sustained is not None and not (math.isfinite(sustained) and sustained > 0):
        raise InputError(f"--sustained is {sustained}: give minutes, such as 15")
    require_place(out)
    names = _choose_passes(passes, runtime, precision)
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
    journal = out.with_name(f"{out.name}.part")
    try:
        with show_bar("latency table") as report:
            table = build_table(
                table_blocks((height, width), scale, names, precision),
                runtime=runtime,
                precision=precision,
                threads=threads,
                input_size=(height, width),
                command=command,
                passes=names,
                rounds=rounds,
                report=report,
                journal=journal,
                load_minutes=sustained,
            )
    except KeyboardInterrupt:
        kept = Journal.count_rounds(journal)
        raise KeyboardInterrupt(
            f"{kept} rounds are kept in {journal}, and the same command continues"
        ) from None
    write_atomic(out, table.to_json())
    journal.unlink()
    noise = warn_noise(table)
    if noise:
        logger.warning(noise)
    return describe_table(out, table)


def _choose_passes(passes: str | None, runtime: str, precision: str) -> tuple[str, ...]:
    from mfagan.graph.passes import passes_for, read_passes
    from mfagan.latency.measuring.runtimes import find_runtime

    rewrites = runtime == PHONE or find_runtime(runtime, precision).rewrites
    if passes is None:
        return passes_for(precision) if rewrites else ()
    names = read_passes(passes)
    if names and not rewrites:
        raise InputError(
            f"--passes {passes}: networks run in {runtime} as they are; give none, or leave it out"
        )
    return names
