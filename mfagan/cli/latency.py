"""`mfagan lut build` and `lut audit`: a latency table, and how far its prices are from what whole networks take."""

import json
import logging
import math
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mfagan.cli.options import (
    JsonOption,
    RescaleOption,
    SeedOption,
    SizeOption,
    TablePassesOption,
    TablePrecisionOption,
    read_size,
)
from mfagan.cli.phone import PhoneOptions, build_on_phone
from mfagan.errors import InputError

if TYPE_CHECKING:
    from mfagan.latency.audit import Audit
    from search.latency import LatencyTable

__all__ = ["audit", "build_lut"]

logger = logging.getLogger(__name__)

PHONE = "android"
"""The runtime that is measured on a phone, by adb."""


def build_lut(
    out: Annotated[Path, typer.Option(help="The JSON file to write, such as luts/NAME.json.")],
    runtime: Annotated[
        str,
        typer.Option(help="litert, onnx or torch: this CPU; torch-cuda; android: a phone, by adb."),
    ] = "litert",
    threads: Annotated[int, typer.Option(min=1, help="Threads of the interpreter.")] = 2,
    size: SizeOption = "128x128",
    scale: Annotated[int, typer.Option(min=2, max=4, help="Enlargement of the networks.")] = 4,
    rounds: Annotated[
        int | None, typer.Option(min=1, help="Rounds (default: until the medians are stable).")
    ] = None,
    precision: TablePrecisionOption = "fp32",
    passes: TablePassesOption = None,
    benchmark_model: Annotated[
        str | None,
        typer.Option(
            help="android: TensorFlow Lite's benchmark_model, a file here to push or a path on the phone "
            "(default: /data/local/tmp/benchmark_model)."
        ),
    ] = None,
    use_gpu: Annotated[bool, typer.Option("--use-gpu", help="android: the GPU delegate.")] = False,
    use_nnapi: Annotated[bool, typer.Option("--use-nnapi", help="android: NNAPI.")] = False,
    serial: Annotated[str | None, typer.Option(help="android: the phone, if there are several.")] = None,
    sustained: Annotated[
        float | None,
        typer.Option(
            metavar="MINUTES",
            help="Measure once more after this time under load, as phones throttle.",
        ),
    ] = None,
) -> None:
    """Measure every block the choices can need, here or on a phone by adb, and write the look-up table.

    If it is stopped, what was measured is kept beside the table, and the same command continues.
    """
    from mfagan.files import require_place, write_atomic
    from mfagan.latency.building import build_table
    from mfagan.latency.measuring.journal import Journal
    from mfagan.latency.tables import describe_build, warn_noise
    from mfagan.progress import show_bar
    from mfagan.sr.study.table_blocks import table_blocks

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
        build_on_phone(
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
        return
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
        logger.warning("interrupted: %d rounds are kept in %s, and the same command continues", kept, journal)
        raise
    write_atomic(out, table.to_json())
    journal.unlink()
    noise = warn_noise(table)
    if noise:
        logger.warning(noise)
    print(out)


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


def audit(
    table: Annotated[str, typer.Argument(help="A latency table: a file, or the name of a shipped one.")],
    n: Annotated[int, typer.Option("--n", min=2, max=1000, help="SubGenerators that are measured.")] = 50,
    rounds: Annotated[int, typer.Option(min=2, help="How often each is loaded and timed.")] = 6,
    scale: Annotated[int, typer.Option(min=2, max=4, help="Enlargement of the networks.")] = 4,
    seed: SeedOption = 0,
    rescale: RescaleOption = False,
    out: Annotated[
        Path | None, typer.Option(help="The page with the scatter to write, an HTML file.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure SubGenerators that took no part in building a table, end to end, and compare them with its prices."""
    from mfagan.files import require_place, write_atomic
    from mfagan.latency.audit import audit_table
    from mfagan.latency.machine import match_machine
    from mfagan.latency.measuring.runtimes import find_runtime
    from mfagan.latency.tables import TableMachine, find_table
    from mfagan.progress import show_bar
    from mfagan.sr.study.problem import draw_networks
    from search.latency import LatencyTable

    path = find_table(table, scale)
    found = LatencyTable.read(path)
    find_runtime(found.runtime, found.precision)
    if out is not None:
        require_place(out, path)
    networks = draw_networks(n, seed, found.input_size, scale, found.networks)
    machine = match_machine(TableMachine.of(found))
    if machine.warning is not None:
        logger.warning(machine.warning)
    with show_bar("audit") as report:
        result = audit_table(found, networks, machine, rounds=rounds, rescale=rescale, report=report)
    if out is not None:
        write_atomic(out, _page(result, found, path))
    if as_json:
        print(json.dumps({"table": str(path), "sha256": found.sha256, **result.as_dict()}))
        return
    print("\n".join(_lines(result)))
    if out is not None:
        print(out)


def _lines(audit: "Audit") -> list[str]:
    def tau(value: float | None) -> str:
        return "-" if value is None else f"{value:.3f}"

    clock = "CPU time" if audit.clock == "cpu" else "wall time"
    rescaled = "" if audit.rescaled_by == 1 else f", prices rescaled x{audit.rescaled_by:.3f}"
    lines = [
        f"{audit.n} networks, {clock}{rescaled}",
        f"mean absolute error {audit.mape:.1%}, bias {audit.bias:+.1%}",
        f"after one scale factor of {audit.scale:.3f}: {audit.mape_scaled:.1%}",
        f"Kendall's tau {tau(audit.kendall_tau)} over all pairs (the networks' own two halves agree on "
        f"{tau(audit.ceiling)})",
        f"              {tau(audit.kendall_tau_apart)} over {audit.n_pairs_apart} pairs more than 2 % apart "
        f"(halves {tau(audit.ceiling_apart)})",
    ]
    if audit.pace is not None and audit.mape_at_pace is not None:
        lines.insert(
            3,
            f"at the pace of the machine, {audit.pace:.3f} of that when the table was built: {audit.mape_at_pace:.1%}",
        )
    if audit.machine.warning is not None:
        lines.append(audit.machine.warning)
    if audit.noise.noisy:
        lines.append(f"measured while other work kept the machine busy: {audit.noise}")
    return lines


def _page(audit: "Audit", table: "LatencyTable", path: Path) -> str:
    from search.report.html_page import prediction_page
    from search.report.prediction_figure import PredictionData

    data = PredictionData(
        names=[network.name for network in audit.networks],
        predicted=[network.price_ms for network in audit.networks],
        measured=[network.measured_ms for network in audit.networks],
        spread=[network.spread_ms for network in audit.networks],
        quantity="latency",
        unit="ms",
    )
    about = (
        f"{table.runtime} {table.runtime_version}, {table.threads} threads, {table.device}; {table.sha256}"
    )
    return prediction_page(data, f"Audit of {path.name}", [about, *_lines(audit)])
