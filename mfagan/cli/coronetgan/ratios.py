"""`mfagan coronetgan ratios`: quality against measured latency, of trainings and of slices."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mfagan.cli.options import (
    TRAINING_KEPT,
    DeviceOption,
    MaxStepsOption,
    MinutesOption,
    RestartOption,
    SeedOption,
    open_run,
    report_stop,
    start_clock,
)
from mfagan.errors import InputError
from search.commands.command import keeps
from search.commands.result import Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mfagan.coronetgan.experiments.ratio_table import MeasuredRow
    from mfagan.coronetgan.study.picked import PickedTranslator

__all__ = ["ratios"]

MEASURING, SLICES = "Measuring", "Slices of one network"
"""Headings of options."""
PAGE = "ratios.html"


@keeps(TRAINING_KEPT)
def ratios(
    recipe: Annotated[str, typer.Argument(help="demo, pix2pix, cyclegan, or a TOML file.")],
    data: Annotated[
        str, typer.Option(metavar="FOLDER", help="A folder of pictures, or `drawings` for drawn ones.")
    ],
    out: Annotated[
        Path, typer.Option(metavar="FOLDER", help="The folder for checkpoints, files, table and figure.")
    ],
    asked: Annotated[
        str, typer.Option("--ratios", metavar="LIST", help="Shares of the MACs, joined by commas.")
    ] = "0.7,0.5,0.3",
    storage: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Where a study of `mfagan coronetgan search` is kept, whose front is measured too.",
            rich_help_panel=SLICES,
        ),
    ] = None,
    study: Annotated[
        str | None, typer.Option(metavar="NAME", help="The study's name.", rich_help_panel=SLICES)
    ] = None,
    max_slices: Annotated[
        int,
        typer.Option(min=1, help="Measure so many slices along the front.", rich_help_panel=SLICES),
    ] = 8,
    threads: Annotated[
        int,
        typer.Option(
            min=1, help="CPU threads of the measurement; on 1, CPU time counts.", rich_help_panel=MEASURING
        ),
    ] = 1,
    rounds: Annotated[
        int, typer.Option(min=1, help="How often each file is loaded and timed.", rich_help_panel=MEASURING)
    ] = 7,
    paired: Annotated[
        bool, typer.Option("--paired", help="Pictures of trainA and trainB are pairs by their names.")
    ] = False,
    device: DeviceOption = "auto",
    seed: SeedOption = 0,
    max_steps: MaxStepsOption = None,
    minutes: MinutesOption = None,
    restart: RestartOption = False,
) -> Result:
    """Train a translator for each of several ratios, export all, and measure them in turn.

    With a study, slices along its front are exported and measured beside them: they share one training, where each
    ratio of the table needs its own. The same command continues an interrupted one.
    """
    from mfagan.coronetgan.experiments.ratio_table import (
        check_ratios,
        measure_rows,
        tabulate_rows,
        train_ratios,
    )
    from mfagan.coronetgan.training.recipe import read_recipe
    from mfagan.coronetgan.training.run import prepare_run
    from mfagan.evaluation.experiments.reports import write_report
    from mfagan.files import require_place, require_writable, write_atomic
    from mfagan.training.run import RunOptions
    from mfagan.training.time_limit import Stopped

    if (storage is None) != (study is None):
        raise InputError("slices of a study: give both --storage and --study")
    limit = start_clock(minutes)
    wanted, settings = _read_ratios(asked), read_recipe(recipe)
    picks = [] if storage is None or study is None else _pick_front(storage, study, max_slices)
    options = RunOptions(require_writable(out), device, seed, restart, max_steps, limit=limit)
    files = [require_place(out / name) for name in ("ratios.md", "ratios.json", PAGE)]
    run = open_run(prepare_run, settings, options, data=data, paired=paired)
    check_ratios(run, wanted)
    slices = []
    if picks:
        from mfagan.coronetgan.experiments.slice_rows import read_slices

        slices = read_slices(picks, run, require_writable(out / "slices"))
    try:
        rows = [*train_ratios(run, wanted), *slices]
    except Stopped as stop:
        return report_stop(run, stop)
    if not run.fabric.is_global_zero:
        return Result()
    measured = measure_rows(rows, run, threads, rounds)
    table = tabulate_rows(measured, run, threads)
    text = write_report(table, out, run.options.command)
    write_atomic(files[-1], _page(measured, table.title, table.notes))
    return Result(table.as_dict(run.options.command), [text], [*files, *(row.file for row in rows)])


def _read_ratios(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise InputError(f"ratios {text!r:.60}: give numbers joined by commas, such as 0.7,0.5,0.3") from None


def _pick_front(storage: str, study: str, count: int) -> "list[PickedTranslator]":
    """Trials along the front of a study, evenly spread, from the quickest to the best."""
    from mfagan.coronetgan.study.picked import as_picked
    from search import pareto
    from search.study import load

    record = load(storage, study)
    best = sorted(pareto.front(record.points, record.objectives), key=lambda point: point.values[1])
    places = {round(i * (len(best) - 1) / max(1, count - 1)) for i in range(count)}
    picks = [as_picked(study, best[i]) for i in sorted(places)]
    if not picks:
        raise InputError(f"study {study!r}: it has no finished trial; search first")
    return picks


def _page(rows: "Sequence[MeasuredRow]", title: str, notes: "Sequence[str]") -> str:
    from search.report.figures.series_figure import NamedPoint, Series, SeriesData
    from search.report.html_page import series_page

    dense, series = rows[0], {}
    for one in rows:
        row, costs = one.row, one.exported.costs["input"]
        details = {
            "latency": f"{one.latency_ms:.3f} ms, {one.latency_ms / dense.latency_ms:.3f} of dense",
            "PSNR": f"{row.psnr_db:.2f} dB",
            "MACs": f"{costs.macs / 1e6:.2f} M, ratio {row.ratio:.4f}",
            "parameters": f"{costs.params:,}",
            "training": f"{row.minutes:.1f} minutes",
        }
        point = NamedPoint(row.name, one.latency_ms, row.psnr_db, one.spread_ms, details)
        series.setdefault(row.way, []).append(point)
    shown = [Series(way, points, named=True) for way, points in series.items()]
    data = SeriesData("latency in LiteRT (ms)", "PSNR (dB)", shown)
    return series_page(data, title, notes)
