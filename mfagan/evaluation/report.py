"""An evaluation: several networks and bicubic on several sets of images, with costs and latency."""

import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version

import torch
from torch import nn

from mfagan.devices import CPU, describe_device, to_device
from mfagan.errors import InputError
from mfagan.evaluation.candidates import BICUBIC, Candidate, EvaluationSet
from mfagan.evaluation.quoted import QuotedTable
from mfagan.evaluation.scores import Scores, Seen, as_method, enlarge_bicubic, mean_scores, score_methods
from mfagan.graph.costs import Costs, trace_costs
from mfagan.latency.measuring.networks import NETWORK_ROUNDS, measure_networks
from mfagan.pretrained import Lpips
from mfagan.progress import ProgressFactory, no_progress

__all__ = ["EvaluationReport", "EvaluationSettings", "NetworkScores", "Timing", "evaluate"]


@dataclass(frozen=True)
class Timing:
    """How latencies were measured.

    Args:
        runtime: name and version of what ran the networks.
        device: the processor's name.
        threads: CPU threads.
        size: (height, width) of the LR image in px.
        rounds: rounds of which the median counts.
    """

    runtime: str
    device: str
    threads: int
    size: tuple[int, int]
    rounds: int

    def describe(self) -> str:
        """Describe it in words.

        Returns:
            Text such as "PyTorch 2.13.0 on AMD EPYC, 1 thread, 128x128 px".
        """
        height, width = self.size
        threads = f"{self.threads} thread{'s' if self.threads > 1 else ''}"
        return f"{self.runtime} on {self.device}, {threads}, {height}x{width} px"


@dataclass(frozen=True)
class NetworkScores:
    """One network's figures.

    Args:
        name: the network's name in tables.
        scores: set name -> scores of every image.
        about: what its checkpoint is, as plain data.
        costs: what one image costs, or None for bicubic and for a network whose operators cannot be counted.
        params: learned parameters, or None for bicubic.
        latency_ms: latency of one image in ms, or None if not measured.
        latency_spread_ms: spread of the latency over rounds in ms, or None if not measured.
    """

    name: str
    scores: Mapping[str, Sequence[Scores]]
    about: Mapping[str, object] = field(default_factory=dict)
    costs: Costs | None = None
    params: int | None = None
    latency_ms: float | None = None
    latency_spread_ms: float | None = None

    def mean(self, set_name: str) -> Scores:
        """Average the figures over the images of one set.

        Args:
            set_name: the set's name.

        Returns:
            The means.
        """
        return mean_scores(self.scores[set_name])


@dataclass(frozen=True)
class EvaluationReport:
    """Everything that an evaluation found.

    Args:
        scale: the enlargement of all networks.
        sources: set name -> where its images came from.
        rows: bicubic's figures, then each network's.
        costs_size: (height, width) in px of the LR image that the costs are of.
        lpips: name of the LPIPS that was measured, or None.
        timing: how latencies were measured, or None if they were not.
        quoted: published figures of the same scale, or None.
        command: the command that made it.
        versions: name -> version of what computed it.
        remarks: what else must be known to read the figures.
    """

    scale: int
    sources: Mapping[str, str]
    rows: Sequence[NetworkScores]
    costs_size: tuple[int, int]
    lpips: str | None = None
    timing: Timing | None = None
    quoted: QuotedTable | None = None
    command: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    remarks: Sequence[str] = ()


@dataclass(frozen=True)
class EvaluationSettings:
    """How networks are evaluated.

    Args:
        costs_size: (height, width) in px of the LR image that costs are counted for.
        device: where the networks run.
        lpips: measures the perceptual distance, or None to leave it out.
        latency_size: (height, width) in px of the LR image that is timed, or None to time nothing.
        threads: CPU threads of the timing, or None for PyTorch's number.
        quoted: published figures to stand beside the measured ones; left out if they are of another scale.
        command: the command that asked for it, to be recorded.
    """

    costs_size: tuple[int, int]
    device: torch.device = CPU
    lpips: Lpips | None = None
    latency_size: tuple[int, int] | None = None
    threads: int | None = None
    quoted: QuotedTable | None = None
    command: str = ""


def evaluate(
    candidates: Sequence[Candidate],
    sets: Sequence[EvaluationSet],
    scale: int,
    settings: EvaluationSettings,
    *,
    seen: Callable[[EvaluationSet], Seen] | None = None,
    bars: ProgressFactory = no_progress,
) -> EvaluationReport:
    """Score every network and bicubic enlargement on every set, count the costs and time the networks.

    Args:
        candidates: the networks, all of one scale.
        sets: the images.
        scale: the enlargement of all networks.
        settings: how they are evaluated.
        seen: gives for each set what is shown each image's pictures, or None.
        bars: shows the progress.

    Returns:
        The figures, bicubic's first.
    """
    networks = [to_device(one.network.eval(), settings.device) for one in candidates]
    methods = {BICUBIC: enlarge_bicubic} | {
        one.name: as_method(network) for one, network in zip(candidates, networks, strict=True)
    }
    scores: dict[str, dict[str, list[Scores]]] = {name: {} for name in methods}
    for one in sets:
        with bars(one.name) as report:
            shown = None if seen is None else seen(one)
            for name, found in score_methods(methods, one.pairs, settings.lpips, shown, report).items():
                scores[name][one.name] = found
    remarks: list[str] = []
    costs = [
        _count(one.name, network, settings.costs_size, remarks)
        for one, network in zip(candidates, networks, strict=True)
    ]
    timing, entries = None, [None] * len(networks)
    if settings.latency_size is not None and networks:
        timing = Timing(
            f"PyTorch {torch.__version__}",
            describe_device(settings.device),
            settings.threads or torch.get_num_threads(),
            settings.latency_size,
            NETWORK_ROUNDS,
        )
        with bars("latency") as report:
            entries = measure_networks(networks, settings.latency_size, settings.threads, report=report)
    rows = [NetworkScores(BICUBIC, scores[BICUBIC])]
    for one, cost, entry in zip(candidates, costs, entries, strict=True):
        spent = (
            {} if entry is None else {"latency_ms": entry.latency_ms, "latency_spread_ms": entry.spread_ms}
        )
        params = sum(parameter.numel() for parameter in one.network.parameters())
        rows.append(NetworkScores(one.name, scores[one.name], one.about, cost, params, **spent))
    quoted = settings.quoted
    return EvaluationReport(
        scale,
        {one.name: one.source for one in sets},
        rows,
        settings.costs_size,
        None if settings.lpips is None else settings.lpips.name,
        timing,
        quoted if quoted is not None and quoted.scale == scale else None,
        settings.command,
        _versions(settings.lpips is not None),
        remarks,
    )


def _count(name: str, network: nn.Module, size: tuple[int, int], remarks: list[str]) -> Costs | None:
    """The costs of a network, or None with a remark if its operators cannot be traced."""
    try:
        return trace_costs(network, *size)
    except InputError as error:
        remarks.append(f"{name}: FLOPs and memory are not counted ({error})")
        return None


def _versions(with_lpips: bool) -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in ("mfagan", "torch", "numpy", *(["lpips"] if with_lpips else [])):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found
