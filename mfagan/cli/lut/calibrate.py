"""`mfagan lut plan`, `lut calibrate` and `lut price`: a latency table from a few whole networks."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mfagan.cli.options import (
    NAMED_TABLE,
    SHIPPED_CHECKPOINT,
    OutOption,
    SizeOption,
    command_line,
    read_size,
)
from mfagan.errors import InputError
from mfagan.sr.shipped import LATENCY_TABLE, SUPERGENERATOR
from search.commands.command import keeps
from search.commands.result import Result

if TYPE_CHECKING:
    from mfagan.latency.calibrating.calibrated_table import TimedOn
    from mfagan.sr.study.calibrating.network_calibration import Calibrated
    from mfagan.sr.study.calibrating.network_plan import NetworkPlan
    from mfagan.sr.study.calibrating.network_times import Settings, Times
    from search.latency import LatencyTable

__all__ = ["calibrate", "plan", "price"]

_NO_PRIOR = "none"

PriorOption = Annotated[
    str,
    typer.Option(
        help="Another device's latency table: a file, the name of a shipped one, or none.", **NAMED_TABLE
    ),
]
SupernetOption = Annotated[
    Path,
    typer.Option(help="The SuperGenerator whose slices are meant: a file or a name.", **SHIPPED_CHECKPOINT),
]


@keeps("no plan is written, and the same command starts again")
def plan(
    out: OutOption = Path("plan.json"),
    n: Annotated[int, typer.Option("--n", min=1, help="How many networks to measure.")] = 12,
    prior: PriorOption = LATENCY_TABLE,
    size: SizeOption = "128x128",
    supernet: SupernetOption = SUPERGENERATOR,
    export: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="A folder to write the networks' .tflite files into."),
    ] = None,
) -> Result:
    """Choose the SubGenerators whose latencies on a device tell most of all prices there."""
    from mfagan.files import require_place, write_atomic
    from mfagan.sr.study.calibrating.network_calibration import find_prior
    from mfagan.sr.study.calibrating.network_plan import make_plan

    if require_place(out).exists():
        raise InputError(f"{out} exists, and may hold latencies: choose another file to write, or remove it")
    table = _read_prior(prior)
    settings = _find_settings(supernet, read_size(size), table)
    chosen = make_plan(find_prior(table, settings), settings, n, guessed=table is None)
    if export is not None:
        chosen = _export(chosen, supernet, export)
    write_atomic(out, chosen.to_json())
    lines = [
        f"{number:3}  {network.widths}  {network.file or ''}".rstrip()
        for number, network in enumerate(chosen.networks, 1)
    ]
    lines.append(f"prices will be off by about {chosen.expected_error:.1%} if these are measured to 1 %")
    lines.append(f"write the latency of each into its `milliseconds` in {out}; then")
    networks = [{"widths": network.widths, "file": network.file} for network in chosen.networks]
    facts = {"plan": str(out), "expected_error": chosen.expected_error, "networks": networks}
    then = ["mfagan", "lut", "calibrate", out, "--prior", prior, "--device", "NAME", "--out", "TABLE.json"]
    return Result(facts, lines, [out], then)


def calibrate(
    measured: Annotated[
        Path,
        typer.Argument(
            metavar="PLAN", help="A plan with its milliseconds, or a CSV file: widths,milliseconds."
        ),
    ],
    out: OutOption,
    prior: PriorOption = LATENCY_TABLE,
    device: Annotated[
        str | None, typer.Option(metavar="NAME", help="The measured device, as the table names it.")
    ] = None,
    runtime: Annotated[str, typer.Option(metavar="NAME", help="The measured runtime.")] = "litert",
    runtime_version: Annotated[
        str, typer.Option(metavar="VERSION", help="The version of that runtime.")
    ] = "unknown",
    threads: Annotated[int, typer.Option(min=1, help="CPU threads of that runtime.")] = 2,
    reports: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="A folder with a report of each of the plan's networks, named by its widths: 48-24-...-24.json, of "
            "Qualcomm AI Hub or another tool (default: the milliseconds in the plan).",
        ),
    ] = None,
    measure: Annotated[bool, typer.Option("--measure", help="Time the plan's networks here.")] = False,
    rounds: Annotated[
        int | None, typer.Option(min=1, help="Rounds of --measure (default: until the medians are stable).")
    ] = None,
    supernet: SupernetOption = SUPERGENERATOR,
) -> Result:
    """Price all blocks from the latencies of a few whole networks.

    Every price has an error bar.
    """
    from mfagan.files import require_place, write_atomic
    from mfagan.latency.calibrating.calibrated_table import TimedOn, record_path
    from mfagan.progress import show_bar
    from mfagan.sr.study.calibrating.network_calibration import calibrate_table

    require_place(out, measured)
    beside = require_place(record_path(out), measured)
    table = _read_prior(prior)
    if measure and reports is not None:
        raise InputError(f"--measure and --reports {reports}: give one of them")
    if measure:
        times, timed_on = _time(measured, runtime, threads, rounds)
    else:
        if not device:
            raise InputError('device: not given; name what was measured, such as --device "Pixel 8"')
        times = _read_times(measured, table, supernet, reports)
        about = device, runtime, runtime_version, threads
        timed_on = TimedOn(*about, times.settings.size, times.settings.passes)
    named = None if table is None else (prior, table)
    with show_bar("calibrate"):
        made = calibrate_table(times, timed_on, named, command_line())
    write_atomic(beside, made.record.to_json())
    write_atomic(out, made.table.to_json())
    return _describe(out, made, times)


def price(
    lut: Annotated[Path, typer.Argument(help="A table that `mfagan lut calibrate` wrote.")],
    widths: Annotated[
        str, typer.Option(metavar="WIDTHS", help="Eight widths of a SubGenerator, or one for all.")
    ],
    supernet: SupernetOption = SUPERGENERATOR,
) -> Result:
    """Print the price of a SubGenerator by a calibrated table, with its standard error."""
    from mfagan.latency.calibrating.calibrated_table import read_calibration
    from mfagan.latency.tables import describe_rebuild, read_table
    from mfagan.sr.network.widths import Widths, require_choice

    table = read_table(lut)
    choice = require_choice(Widths.parse(widths))
    settings = _find_settings(supernet, table.input_size, table)
    keys = [block.key for block in settings.list_blocks().blocks(choice)]
    table.require(keys, describe_rebuild(table, table.input_size))
    price_ms, error_ms = read_calibration(lut, table).price_with_error(keys)
    return Result(
        {"widths": str(choice), "latency_ms": price_ms, "error_ms": error_ms},
        [f"{choice}: {price_ms:.3f} ms, standard error {error_ms:.3f} ms ({error_ms / price_ms:.1%})"],
    )


def _read_prior(name: str) -> "LatencyTable | None":
    from mfagan.latency.tables import read_table

    return None if name == _NO_PRIOR else read_table(name)


def _find_settings(supernet: Path, size: tuple[int, int], table: "LatencyTable | None") -> "Settings":
    """The settings of a SuperGenerator's slices, rewritten as the table's blocks were."""
    from mfagan.graph.passes import DEFAULT_PASSES
    from mfagan.sr.network.supergenerator import load_supernet
    from mfagan.sr.study.calibrating.network_times import Settings

    network = load_supernet(supernet)
    passes = DEFAULT_PASSES if table is None else table.passes
    return Settings(size, network.scale, network.residual_kind, passes)


def _read_times(path: Path, table: "LatencyTable | None", supernet: Path, reports: Path | None) -> "Times":
    from mfagan.sr.study.calibrating.network_plan import fill_plan, measured_in, read_plan
    from mfagan.sr.study.calibrating.network_times import read_times

    if path.suffix.lower() != ".csv":
        plan = read_plan(path)
        return measured_in(plan if reports is None else fill_plan(plan, reports), path)
    if reports is not None:
        raise InputError(f"{path} with --reports {reports}: a CSV file has its milliseconds; give a plan")
    if table is None:
        raise InputError(
            f"{path} with prior none: a CSV file does not tell the pictures' size; give a table or a plan"
        )
    return read_times(path, _find_settings(supernet, table.input_size, table))


def _time(path: Path, runtime: str, threads: int, rounds: int | None) -> "tuple[Times, TimedOn]":
    from mfagan.progress import show_bar
    from mfagan.sr.network.widths import Widths
    from mfagan.sr.study.calibrating.network_calibration import time_networks
    from mfagan.sr.study.calibrating.network_plan import read_plan

    planned = read_plan(path)
    widths = [Widths.parse(network.widths) for network in planned.networks]
    with show_bar("latency") as report:
        return time_networks(widths, planned.settings, runtime, threads, rounds, report)


def _export(planned: "NetworkPlan", supernet: Path, folder: Path) -> "NetworkPlan":
    """The plan with the names of the files that were written."""
    from mfagan.deploy.target import ExportTarget
    from mfagan.evaluation.fidelity import read_photos
    from mfagan.files import require_writable, write_atomic
    from mfagan.progress import show_bar
    from mfagan.sr.export import export_generator
    from mfagan.sr.kinds import load_generator
    from mfagan.sr.study.calibrating.network_plan import network_stem

    require_writable(folder)
    target = ExportTarget(size=planned.input_size, passes=planned.passes)
    photos = read_photos(None, planned.scale)
    networks = []
    with show_bar("export") as report:
        for number, network in enumerate(planned.networks, 1):
            file = folder / f"{network_stem(network.widths)}.tflite"
            made = export_generator(load_generator(supernet, network.widths), target, photos)
            write_atomic(file, made.content)
            networks.append(network.model_copy(update={"file": str(file)}))
            report(number, len(planned.networks), file.name)
    return planned.model_copy(update={"networks": tuple(networks)})


def _describe(out: Path, made: "Calibrated", times: "Times") -> Result:
    """What the networks tell of the prices."""
    from mfagan.sr.study.calibrating.network_calibration import price_errors

    errors = price_errors(made.calibration, times.settings)
    left_out = [abs(one.left_out_error) for one in made.record.networks if one.left_out_error is not None]
    facts = {
        "file": str(out),
        "networks": len(times.widths),
        "blocks": len(made.table.entries),
        "left_out_error": sum(left_out) / len(left_out) if left_out else None,
        "left_out_largest_error": max(left_out, default=None),
        "standard_error_median": errors[len(errors) // 2],
        "standard_error_largest": errors[-1],
    }
    lines = [
        _list_blocks(made).rstrip("\n"),
        f"{out}: {facts['blocks']} blocks priced from {facts['networks']} networks",
    ]
    if left_out:
        lines.append(
            f"    each network priced from the others: {facts['left_out_error']:.1%} off on average, "
            f"at most {facts['left_out_largest_error']:.1%}"
        )
    lines.append(
        f"    standard error of a SubGenerator's price: {errors[len(errors) // 2]:.1%}, at most {errors[-1]:.1%}"
    )
    return Result(facts, lines, [out], ["mfagan", "search", "--lut", out])


def _list_blocks(made: "Calibrated") -> str:
    from mfagan.evaluation.text_table import Column, TableRow, format_text

    found = made.calibration
    columns = [Column("block"), Column("latency", "ms", ".3f"), Column("standard error", "ms", ".3f")]
    listed = zip(found.keys, found.latency_ms.tolist(), found.error_ms.tolist(), strict=True)
    rows: Sequence[TableRow] = list(listed)
    return format_text(columns, rows)
