"""Our networks and those that people use instead, as TFLite files of the same code, measured in turn."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from mfagan.data.pairs import Pair
from mfagan.deploy.target import ExportTarget
from mfagan.deploy.tflite import litert
from mfagan.devices import CPU, describe_device
from mfagan.evaluation.experiments.reports import ExperimentReport
from mfagan.evaluation.scores import mean_psnr_db
from mfagan.evaluation.text_table import Cell, Column
from mfagan.graph.costs import trace_costs
from mfagan.latency.measuring.networks import measure_models
from mfagan.progress import ProgressFactory, no_progress
from mfagan.sr.export import export_generator
from mfagan.sr.kinds import build

__all__ = ["ESRGAN", "PEERS", "THREADS", "Subject", "measure_deployment", "random_peer"]

ESRGAN = "RRDBNet (ESRGAN)"
"""The network that all others are divided by, as in the paper."""
PEERS: Mapping[str, tuple[str, dict[str, object]]] = {
    ESRGAN: ("rrdbnet", {}),
    "SRResNet": ("srresnet", {}),
    "IMDN": ("imdn", {}),
    "RFDN": ("rfdn", {}),
    "SPAN-48": ("span", {}),
    "SPAN-28": ("span", {"features": 28}),
    "SRVGGNetCompact": ("srvggnetcompact", {}),
    "SPANV2": ("spanv2", {}),
    "QuickSRNet-Large": ("quicksrnet", {}),
    "EDSR-baseline": ("edsr", {}),
}
"""Name in the table -> kind and arguments; the sizes are those that the authors publish."""
THREADS = (1, 2)
_QUOTED = "MFAGAN on a phone (quoted)"
_QUOTED_SPEED, _QUOTED_MEMORY = 16.4, 8.3
"""ESRGAN's latency and memory traffic over the network's, from the paper."""


@dataclass(frozen=True)
class Subject:
    """A network to measure.

    Args:
        name: in the table.
        network: the network, in evaluation mode.
        trained: whether its weights are trained, so that its PSNR says something.
    """

    name: str
    network: nn.Module
    trained: bool


def random_peer(name: str) -> Subject:
    """Build a network of another author with random weights, which take as long as any.

    Args:
        name: a key of `PEERS`.

    Returns:
        The network at x4.
    """
    kind, config = PEERS[name]
    torch.manual_seed(0)
    return Subject(name, build(kind, config).eval(), trained=False)


def measure_deployment(
    subjects: Sequence[Subject],
    size: tuple[int, int],
    rounds: int,
    pairs: Sequence[Pair],
    bars: ProgressFactory = no_progress,
) -> ExperimentReport:
    """Export networks, and measure their latency in turn, memory, costs, size and PSNR-Y.

    Args:
        subjects: the networks.
        size: (height, width) of the LR image in px.
        rounds: how often each file is loaded and timed, for each number of threads.
        pairs: images, for the PSNR of trained networks; the first is that of the check against PyTorch.
        bars: shows the progress.

    Returns:
        The table, from the slowest network to the fastest.

    Raises:
        InputError: a network cannot be exported, or its file does not compute what PyTorch does.
    """
    target = ExportTarget(size=size)
    models: list[bytes] = []
    with bars("export") as report:
        for i, one in enumerate(subjects):
            models.append(export_generator(one.network, target, pairs[:1]).content)  # pyright: ignore[reportArgumentType]
            report(i + 1, len(subjects), one.name)
    peaks, idle = _measure_memory(models)
    latencies: list[list[float]] = []
    for threads in THREADS:
        with bars(f"{threads} threads") as report:
            found = measure_models(models, threads, rounds, report)
        latencies.append([one.latency_ms for one in found])
    costs = [trace_costs(one.network, *size) for one in subjects]
    names = [one.name for one in subjects]
    base = names.index(ESRGAN) if ESRGAN in names else None
    rows: list[list[Cell]] = []
    with bars("PSNR") as report:
        for i, one in enumerate(subjects):
            times = [latency[i] for latency in latencies]
            rows.append(
                [
                    one.name,
                    *times,
                    *(None if base is None else latency[base] / latency[i] for latency in latencies),
                    None if base is None else costs[base].memory_bytes / costs[i].memory_bytes,
                    peaks[i],
                    costs[i].flops_g,
                    costs[i].memory_gb,
                    len(models[i]) / 1e6,
                    mean_psnr_db(one.network, pairs) if one.trained else None,
                ]
            )
            report(i + 1, len(subjects), one.name)
    rows.sort(key=lambda row: -float(str(row[1])))
    rows.append([_QUOTED, None, None, _QUOTED_SPEED, None, _QUOTED_MEMORY, None, None, None, None, None])
    height, width = size
    return ExperimentReport(
        "deployment", f"TFLite files at {height}x{width} px", _COLUMNS, rows, _notes(rounds, idle)
    )


_COLUMNS = [
    Column("network"),
    *(Column(f"{threads} thread{'s' if threads > 1 else ''}", "ms", ".1f", "latency") for threads in THREADS),
    *(
        Column(f"{threads} thread{'s' if threads > 1 else ''}", "x", ".1f", "ESRGAN's latency / its own")
        for threads in THREADS
    ),
    Column("ESRGAN's traffic / its own", "x", ".1f"),
    Column("peak memory", "MB", ".0f"),
    Column("FLOPs", "G", ".2f"),
    Column("memory traffic", "GB", ".3f"),
    Column("file", "MB", ".2f"),
    Column("PSNR-Y", "dB", ".3f"),
]


def _notes(rounds: int, idle_mb: float | None) -> list[str]:
    notes = [
        f"LiteRT {litert.VERSION} on {describe_device(CPU)}; median of {rounds} rounds, in each of which all files run "
        "in turn. FLOPs and memory traffic by the paper's count.",
        "Networks without a PSNR have random weights, which change no other figure.",
        f"{_QUOTED}: the paper's own ratios to ESRGAN, measured by its authors and not here.",
    ]
    if idle_mb is not None:
        notes.insert(
            1,
            "Peak memory is that of a process that runs the file once on one thread; "
            f"without a file it takes {idle_mb:.0f} MB.",
        )
    return notes


def _measure_memory(models: Sequence[bytes]) -> tuple[list[float | None], float | None]:
    """Peak memory of each file's process, and that of a process without a file, in MB."""
    idle = litert.peak_bytes(None)
    if idle is None:
        return [None] * len(models), None
    peaks: list[float | None] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        for model in models:
            path.write_bytes(model)
            peaks.append((litert.peak_bytes(path) or 0) / 1e6)
    return peaks, idle / 1e6
