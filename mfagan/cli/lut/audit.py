"""`mfagan lut audit`: how far the prices of a latency table are from what whole networks take."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mfagan.cli.options import NAMED_TABLE, RescaleOption, ScaleOption, SeedOption
from search.commands.result import Result

if TYPE_CHECKING:
    from mfagan.latency.audit import Audit
    from search.latency import LatencyTable

__all__ = ["audit"]

logger = logging.getLogger(__name__)


def audit(
    table: Annotated[
        str, typer.Argument(help="A latency table: a file, or the name of a shipped one.", **NAMED_TABLE)
    ],
    n: Annotated[int, typer.Option("--n", min=2, max=1000, help="SubGenerators that are measured.")] = 50,
    rounds: Annotated[int, typer.Option(min=2, help="How often each is loaded and timed.")] = 6,
    scale: ScaleOption = 4,
    seed: SeedOption = 0,
    rescale: RescaleOption = False,
    out: Annotated[
        Path | None, typer.Option(help="The page with the scatter to write, an HTML file.")
    ] = None,
) -> Result:
    """Compare a table's prices with whole SubGenerators, measured end to end.

    The networks are drawn at random; they took no part in building the table.
    """
    from mfagan.files import require_place, write_atomic
    from mfagan.latency.audit import audit_table
    from mfagan.latency.machine import match_machine
    from mfagan.latency.measuring.runtimes import find_runtime
    from mfagan.latency.tables import TableMachine, find_table
    from mfagan.progress import show_bar
    from mfagan.sr.study.calibrating.drawn_networks import draw_networks
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
    facts = {"table": str(path), "sha256": found.sha256, **result.as_dict()}
    files = [] if out is None else [out]
    return Result(facts, [*_lines(result), *map(str, files)], files, ["mfagan", "search", "--lut", table])


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
    from search.report.charts.prediction_figure import PredictionData
    from search.report.html_page import prediction_page

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
