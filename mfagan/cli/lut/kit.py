"""The commands `lut kit` and `lut import`: latency tables of devices that this machine cannot reach."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from mfagan.cli.lut.phone import describe_table
from mfagan.cli.options import (
    ScaleOption,
    SizeOption,
    TablePassesOption,
    TablePrecisionOption,
    command_line,
    read_size,
)
from search.commands.result import Result

__all__ = ["import_kit", "write"]

logger = logging.getLogger(__name__)


def write(
    out: Annotated[
        Path, typer.Option(metavar="FOLDER", help="The folder to write; it must not exist, or be empty.")
    ],
    size: SizeOption = "128x128",
    scale: ScaleOption = 4,
    rounds: Annotated[int, typer.Option(min=1, help="How often the script measures each block.")] = 5,
    precision: TablePrecisionOption = "fp32",
    passes: TablePassesOption = None,
) -> Result:
    """Write the blocks' files and a script that measures them on any device.

    What it measured there becomes a table by `mfagan lut import`.
    """
    from mfagan.graph.passes import passes_for, read_passes
    from mfagan.latency.phones.kit import SCRIPT, write_kit
    from mfagan.progress import show_bar
    from mfagan.sr.study.calibrating.table_blocks import count_most, table_blocks

    names = passes_for(precision) if passes is None else read_passes(passes)
    with show_bar("kit") as report:
        kit = write_kit(
            out,
            table_blocks(read_size(size), scale, names, precision),
            input_size=read_size(size),
            scale=scale,
            passes=names,
            most=count_most(read_size(size), scale, names),
            rounds=rounds,
            precision=precision,
            report=report,
        )
    run = f"sh {SCRIPT} BENCHMARK_MODEL --num_threads=2"
    return Result(
        {"kit": str(out), "blocks": len(kit.blocks), "run_on_device": run},
        [f"{out}: copy it to the device and run there: {run}", "copy its folder `results` back; then"],
        [out],
        ["mfagan", "lut", "import", out, "--out", f"{out.name}.json"],
    )


def import_kit(
    kit: Annotated[Path, typer.Argument(metavar="DIR", help="The kit, with results/ back from the device.")],
    out: Annotated[Path, typer.Option(help="The JSON file to write, such as luts/NAME.json.")],
    results: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="A folder of reports, or a CSV file key,milliseconds (default: DIR/results).",
        ),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Name of the device (default: as the kit's script wrote it down)."),
    ] = None,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Threads of the runtime (default: those of --num_threads).")
    ] = None,
    runtime_version: Annotated[
        str, typer.Option(metavar="VERSION", help="Version of the runtime, which the tools do not report.")
    ] = "unknown",
) -> Result:
    """Make a latency table of what was measured with a kit on a device.

    Its script measured it there, or another tool.
    """
    from mfagan.files import require_place, write_atomic
    from mfagan.latency.phones.kit import RESULTS, Kit
    from mfagan.latency.phones.kit_results import read_results
    from mfagan.latency.phones.kit_table import make_table, warn_thermal
    from mfagan.latency.tables import KIT_RUNTIME, warn_noise

    manifest = Kit.read(kit)
    found = read_results(kit, manifest, kit / RESULTS if results is None else results)
    table = make_table(
        manifest,
        found,
        runtime=KIT_RUNTIME,
        command=command_line(),
        device=device,
        threads=threads,
        runtime_version=runtime_version,
    )
    require_place(out)
    write_atomic(out, table.to_json())
    for warning in (found.warn_delegate(), warn_thermal(table), warn_noise(table)):
        if warning:
            logger.warning(warning)
    return describe_table(out, table)
