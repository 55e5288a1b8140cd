"""A table of ratios, each a training of its own, and slices of a weight-shared translator: quality and latency."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mfagan.coronetgan.experiments.landing import Landing, describe_landing
from mfagan.coronetgan.experiments.trained import BACKWARDS, Trained, read_trained
from mfagan.coronetgan.export import export_translator
from mfagan.coronetgan.exporting.target import TranslatorTarget
from mfagan.coronetgan.network import Translator
from mfagan.coronetgan.network.costs import WidthCosts
from mfagan.coronetgan.training.building import require_course, require_ratios
from mfagan.coronetgan.training.run import TranslationRun
from mfagan.coronetgan.training.stages import train_dense, train_pruned
from mfagan.deploy.named.exported import Exported
from mfagan.errors import InputError
from mfagan.evaluation.experiments.reports import ExperimentReport
from mfagan.evaluation.text_table import Cell, Column
from mfagan.latency.measuring.networks import NETWORK_ROUNDS, measure_models

__all__ = [
    "DENSE",
    "SLICES",
    "TABLE",
    "MeasuredRow",
    "RatioRow",
    "check_ratios",
    "measure_rows",
    "tabulate_rows",
    "train_ratios",
]

DENSE, TABLE, SLICES = "dense", "each ratio trained", "slices of one network"
"""The ways that a row can have come about."""


@dataclass(frozen=True)
class RatioRow:
    """A translator to be measured.

    way: one of `DENSE`, `TABLE`, `SLICES`.
    name: of the row: the ratio that was asked for, or the trial of a study.
    network: it, on the CPU.
    psnr_db: its quality in dB.
    ratio: its share of the dense translator's MACs.
    minutes: of its training; 0 of a slice, which is not trained any further.
    file: where its exported file is written.
    landing: the ratio that was asked for and the one that was reached; None if no ratio was asked for.
    backwards: whether it translates B to A.
    """

    way: str
    name: str
    network: Translator
    psnr_db: float
    ratio: float
    minutes: float
    file: Path
    landing: Landing | None = None
    backwards: bool = False


def check_ratios(run: TranslationRun, ratios: Sequence[float]) -> None:
    """Check ratios before hours of training.

    Args:
        run: gives recipe and seed.
        ratios: shares of the MACs.

    Raises:
        InputError: none, one that is given twice, or one that cannot be reached.
    """
    if not ratios or len(set(ratios)) < len(ratios):
        raise InputError(f"ratios {', '.join(map(str, ratios)) or 'none'}: give one or more, each once")
    for ratio in ratios:
        require_ratios(run.at(ratio))
        require_course(run.at(ratio))


def train_ratios(run: TranslationRun, ratios: Sequence[float]) -> list[RatioRow]:
    """Train a dense translator and one for each ratio, unless they are finished.

    Args:
        run: its recipe, pictures, device and folder.
        ratios: as for `check_ratios`.

    Returns:
        A row for each translator: one, or CycleGAN's two, of dense and of every ratio.

    Raises:
        InputError, Diverged, Stopped: as the stages.
    """
    model, side = run.recipe.model, run.recipe.crop_px
    dense = read_trained(train_dense(run.varied("dense")), model, side)
    rows = [_row(DENSE, "1", one) for one in dense]
    for ratio in ratios:
        found = read_trained(train_pruned(run.varied(f"ratio_{ratio:g}"), ratio), model, side)
        for whole, one in zip(dense, found, strict=True):
            costs = WidthCosts.of(whole.network, side, side)
            rounded = 1 if run.recipe.fill else run.recipe.round_to
            landing = describe_landing(costs, one.network.widths, ratio, rounded)
            rows.append(_row(TABLE, f"{ratio:g}", one, landing))
    return rows


def _row(way: str, name: str, found: Trained, landing: Landing | None = None) -> RatioRow:
    named = f"{name}, {found.direction}" if found.direction else name
    file = found.path.with_suffix(".tflite")
    backwards = found.direction == BACKWARDS
    figures = found.psnr_db, found.ratio, found.minutes
    return RatioRow(way, named, found.network, *figures, file, landing, backwards)


@dataclass(frozen=True)
class MeasuredRow:
    """A row with what was measured of its file.

    row: what it is of.
    exported: its file.
    latency_ms: median of its runs, all files in turn.
    spread_ms: half of the interquartile range of its rounds' medians.
    """

    row: RatioRow
    exported: Exported
    latency_ms: float
    spread_ms: float


def measure_rows(
    rows: Sequence[RatioRow],
    run: TranslationRun,
    threads: int = 1,
    rounds: int = NETWORK_ROUNDS,
) -> list[MeasuredRow]:
    """Export translators to TFLite, compare the files with PyTorch, and measure them in turn in LiteRT.

    Args:
        rows: the translators.
        run: gives the size of the pictures, and those that the files are compared on.
        threads: CPU threads; on one, CPU time is measured.
        rounds: how often each file is loaded and timed.

    Returns:
        The rows; their files are written.

    Raises:
        InputError: a translator cannot be exported, or a file cannot be written.
    """
    side, held_out, bars = run.recipe.crop_px, run.pictures.held_out, run.bars
    target = TranslatorTarget((side, side))
    files = []
    with bars("export") as report:
        for done, row in enumerate(rows, 1):
            pictures = held_out.b if row.backwards else held_out.a
            files.append(export_translator(row.network, target, list(pictures[:2])))
            files[-1].write(row.file)
            report(done, len(rows), row.name)
    with bars("latency") as report:
        found = measure_models([one.content for one in files], threads, rounds, report)
    return [
        MeasuredRow(row, exported, measured.latency_ms, measured.spread_ms)
        for row, exported, measured in zip(rows, files, found, strict=True)
    ]


def tabulate_rows(rows: Sequence[MeasuredRow], run: TranslationRun, threads: int) -> ExperimentReport:
    """Tabulate translators of several ratios.

    Args:
        rows: the first is the dense one.
        run: for what they have in common.
        threads: those of the measurement.

    Returns:
        The table.
    """
    dense = rows[0]
    columns = [
        Column("way"),
        Column("asked, or trial"),
        Column("PSNR", "dB", ".2f"),
        Column("ratio", "", ".4f"),
        Column("within one channel"),
        Column("MACs", "M", ".2f"),
        Column("parameters", "", ",d"),
        Column("TFLite", "ms", ".3f", "latency"),
        Column("+-", "ms", ".3f", "latency"),
        Column("of dense", "", ".3f", "latency"),
        Column("training", "minutes", ".2f"),
    ]
    cells: list[list[Cell]] = []
    for one in rows:
        row, costs = one.row, one.exported.costs["input"]
        met = None if row.landing is None else "yes" if row.landing.met else "no"
        figures = [row.psnr_db, row.ratio, met, costs.macs / 1e6, costs.params]
        figures += [one.latency_ms, one.spread_ms, one.latency_ms / dense.latency_ms, row.minutes]
        cells.append([row.way, row.name, *figures])
    words = "CPU time, 1 thread" if threads == 1 else f"{threads} threads"
    notes = [
        f"Recipe {run.recipe.name}, {run.recipe.crop_px} px, seed {run.options.seed}; PSNR (peak 2) on "
        f"{len(run.pictures.held_out.a)} held-out pictures.",
        "The ratio is that of MACs, with transposed convolutions at their input's resolution; latency is another "
        "ratio, beside it.",
        f"Latencies: medians in LiteRT ({words}), all files in turn.",
    ]
    if any(one.row.way == SLICES for one in rows):
        notes.append("Slices share one network's weights and are not trained any further.")
    return ExperimentReport("ratios", "Quality and latency by ratio", columns, cells, notes)
