"""TFLite files of one precision beside those in fp32, measured in turn."""

from collections.abc import Sequence

from mfagan.data.pairs import Pair
from mfagan.deploy.target import ExportTarget
from mfagan.deploy.tflite import litert
from mfagan.devices import CPU, describe_device
from mfagan.evaluation.experiments.reports import ExperimentReport
from mfagan.evaluation.text_table import Cell, Column
from mfagan.graph.passes import passes_for
from mfagan.latency.measuring.networks import measure_models
from mfagan.progress import ProgressFactory, no_progress
from mfagan.sr.experiments.speed.deployment import THREADS, Subject
from mfagan.sr.export import export_generator

__all__ = ["compare_precision"]


def compare_precision(
    subjects: Sequence[Subject],
    precision: str,
    size: tuple[int, int],
    rounds: int,
    photos: Sequence[Pair],
    calibration: Sequence[Pair],
    bars: ProgressFactory = no_progress,
) -> ExperimentReport:
    """Export networks in fp32 and in another precision, each with the passes that pay in it, and compare the files.

    Args:
        subjects: the networks.
        precision: the other one, as in `ExportTarget`.
        size: (height, width) of the LR image in px.
        rounds: how often each file is loaded and timed, for each number of threads.
        photos: of the PSNR.
        calibration: as in `export_generator`.
        bars: shows the progress.

    Raises:
        InputError: a precision that is not known; a network cannot be exported.
    """
    targets = [ExportTarget(precision=one, size=size, passes=passes_for(one)) for one in ("fp32", precision)]
    files = []
    with bars("export") as report:
        for i, one in enumerate(subjects):
            files += [export_generator(one.network, target, photos, calibration) for target in targets]  # pyright: ignore[reportArgumentType]
            report(i + 1, len(subjects), one.name)
    columns = [Column("network")]
    figures: list[list[Cell]] = [[one.name] for one in subjects]
    for threads in THREADS:
        group = f"{threads} thread{'s' if threads > 1 else ''}"
        with bars(group) as report:
            found = measure_models([one.content for one in files], threads, rounds, report)
        columns += [Column("fp32", "ms", ".1f", group), Column(f"{precision} / fp32", "x", ".2f", group)]
        for row, whole, other in zip(figures, found[::2], found[1::2], strict=True):
            row += [whole.latency_ms, other.latency_ms / whole.latency_ms]
    columns += [
        Column("file", "MB", ".2f"),
        *(Column(one.name, "dB", ".3f", "PSNR-Y lost") for one in photos),
    ]
    for row, made in zip(figures, files[1::2], strict=True):
        row += [len(made.content) / 1e6, *made.fidelity.lost_db.values()]
    height, width = size
    note = (
        f"LiteRT {litert.VERSION} on {describe_device(CPU)}; medians of {rounds} rounds, in each of which all files "
        "run in turn."
    )
    return ExperimentReport(precision, f"{precision} at {height}x{width} px", columns, figures, [note])
