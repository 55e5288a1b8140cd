"""An evaluation: several networks and bicubic on several sets of images, with costs and latency."""

import platform
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from mfagan import checkpoint
from mfagan.data.splits import EMBEDDED, Pair, read_sets
from mfagan.devices import CPU, to_device
from mfagan.errors import InputError
from mfagan.evaluation.scores import Scores, Seen, as_method, enlarge_bicubic, mean_scores, score_methods
from mfagan.graph.costs import Costs, trace_costs
from mfagan.latency.measure import NETWORK_ROUNDS, describe_device, measure_networks
from mfagan.pretrained import Lpips
from mfagan.progress import ProgressFactory, no_progress
from mfagan.sr.network.kinds import Generator, rebuild
from mfagan.sr.network.mfanet import INPUT_SIZE
from mfagan.sr.network.widths import Widths

BICUBIC = "bicubic"
HELD_OUT = "held-out photos"
"""What the embedded photographs are called."""


@dataclass(frozen=True)
class Candidate:
    """A network to evaluate; `about` says what its checkpoint is, as plain data."""

    name: str
    network: Generator
    about: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class EvaluationSet:
    """Pairs under one name; `source` is what the user gave."""

    name: str
    source: str
    pairs: Sequence[Pair]


@dataclass(frozen=True)
class Timing:
    """How the latencies were measured; `size` is the LR image's (height, width) in px."""

    runtime: str
    device: str
    threads: int
    size: tuple[int, int]
    rounds: int

    def describe(self) -> str:
        """In words, such as: PyTorch 2.13.0 on AMD EPYC, 1 thread, 128x128 px."""
        height, width = self.size
        threads = f"{self.threads} thread{'s' if self.threads > 1 else ''}"
        return f"{self.runtime} on {self.device}, {threads}, {height}x{width} px"


@dataclass(frozen=True)
class NetworkScores:
    """One network's figures: the scores of every image by set, and what it costs where that was found."""

    name: str
    scores: Mapping[str, Sequence[Scores]]
    about: Mapping[str, object] = field(default_factory=dict)
    costs: Costs | None = None
    latency_ms: float | None = None
    latency_spread_ms: float | None = None

    def mean(self, set_name: str) -> Scores:
        """The mean figures over the images of one set."""
        return mean_scores(self.scores[set_name])


@dataclass(frozen=True)
class EvaluationReport:
    """All that was found, bicubic's row first; `sources` are the sets' names and where they came from."""

    scale: int
    sources: Mapping[str, str]
    rows: Sequence[NetworkScores]
    lpips: str | None = None
    timing: Timing | None = None
    command: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)


def load_candidates(paths: Sequence[Path], widths: Sequence[str] = ()) -> list[Candidate]:
    """The networks of checkpoints, named by their files: `name@widths` for each slice that is asked for.

    Where `widths` are given every MFANet is cut into them, and a peer stands whole. InputError: as
    `load_generator`; one file given twice; widths but no MFANet to cut.
    """
    names = distinct_names([(path, path.stem) for path in paths], [BICUBIC])
    candidates: list[Candidate] = []
    for path, name in zip(paths, names, strict=True):
        found = checkpoint.read(path)
        about = {"file": str(path), "sha256": checkpoint.sha256(path), "network": found.network}
        for asked in (widths if found.network == "mfanet" else ()) or (None,):
            network = rebuild(found, path, asked)
            label = name if asked is None else f"{name}@{_shorten(asked)}"
            if any(one.name == label for one in candidates):
                raise InputError(f"widths {asked} are given twice; give each slice once")
            candidates.append(Candidate(label, network, about | dict(network.config())))
    if widths and not any("@" in one.name for one in candidates):
        raise InputError(f"widths {widths[0]}: no checkpoint given is an mfanet to cut; leave them out")
    return candidates


def common_scale(candidates: Sequence[Candidate], scale: int | None = None) -> int:
    """The scale of all networks, which `scale` may demand. InputError where there is no such."""
    if scale not in (None, 2, 3, 4):
        raise InputError(f"scale {scale}: choose 2, 3 or 4")
    if scale is None:
        if not candidates:
            raise InputError(
                "no checkpoint given: name a file that ends in .safetensors, or give --scale for bicubic alone"
            )
        scale = candidates[0].network.scale
    for one in candidates:
        if one.network.scale != scale:
            raise InputError(
                f"checkpoint {one.about.get('file', one.name)} enlarges by {one.network.scale}, not by "
                f"{scale}: evaluate networks of one scale together"
            )
    return scale


def read_image_sets(
    sources: Sequence[str], scale: int, bars: ProgressFactory = no_progress
) -> list[EvaluationSet]:
    """The image sets of folders (or `embedded`), every one in a folder of benchmarks; named by their folders.

    InputError: as `data.read_sets`; two sets that cannot be told apart.
    """
    found = [
        EvaluationSet(HELD_OUT if source == EMBEDDED else name, source, pairs)
        for source in sources
        for name, pairs in read_sets(source, scale, bars=bars).items()
    ]
    names = distinct_names([(Path(one.source), one.name) for one in found])
    return [replace(one, name=name) for one, name in zip(found, names, strict=True)]


def evaluate(
    candidates: Sequence[Candidate],
    sets: Sequence[EvaluationSet],
    scale: int,
    *,
    device: torch.device = CPU,
    lpips: Lpips | None = None,
    latency_size: tuple[int, int] | None = None,
    threads: int | None = None,
    seen: Callable[[EvaluationSet], Seen] | None = None,
    bars: ProgressFactory = no_progress,
    command: str = "",
) -> EvaluationReport:
    """Score every network and bicubic on every set; trace the costs; time the networks at `latency_size`.

    `seen` gives for each set what is shown its pictures. `latency_size` None leaves the latency out.
    """
    networks = [to_device(one.network.eval(), device) for one in candidates]
    methods = {BICUBIC: enlarge_bicubic} | {
        one.name: as_method(network) for one, network in zip(candidates, networks, strict=True)
    }
    scores: dict[str, dict[str, list[Scores]]] = {name: {} for name in methods}
    for one in sets:
        with bars(one.name) as report:
            shown = None if seen is None else seen(one)
            for name, found in score_methods(methods, one.pairs, lpips, shown, report).items():
                scores[name][one.name] = found
    costs = [trace_costs(network, *INPUT_SIZE) for network in networks]
    timing, entries = None, [None] * len(networks)
    if latency_size is not None and networks:
        timing = Timing(
            f"PyTorch {torch.__version__}",
            describe_device(device),
            threads or torch.get_num_threads(),
            latency_size,
            NETWORK_ROUNDS,
        )
        with bars("latency") as report:
            entries = measure_networks(networks, latency_size, threads, report=report)
    rows = [NetworkScores(BICUBIC, scores[BICUBIC])]
    for one, cost, entry in zip(candidates, costs, entries, strict=True):
        spent = (
            {} if entry is None else {"latency_ms": entry.latency_ms, "latency_spread_ms": entry.spread_ms}
        )
        rows.append(NetworkScores(one.name, scores[one.name], one.about, cost, **spent))
    sources = {one.name: one.source for one in sets}
    lpips_name = None if lpips is None else lpips.name
    return EvaluationReport(scale, sources, rows, lpips_name, timing, command, _versions(lpips is not None))


def distinct_names(given: Sequence[tuple[Path, str]], taken: Sequence[str] = ()) -> list[str]:
    """The names of paths; those that two share, or that are taken, get the folder above their path before them.

    InputError where that does not help.
    """
    counts = Counter([*taken, *(name for _, name in given)])
    names = [f"{path.resolve().parent.name}-{name}" if counts[name] > 1 else name for path, name in given]
    for (path, _), name in zip(given, names, strict=True):
        if names.count(name) > 1:
            raise InputError(f"{path} is given twice, or another is of the same name; rename one")
    return names


def _shorten(widths: str) -> str:
    values = tuple(Widths.parse(widths))
    return str(values[0]) if len(set(values)) == 1 else ",".join(map(str, values))


def _versions(with_lpips: bool) -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in ("mfagan", "torch", "numpy", *(["lpips"] if with_lpips else [])):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found
