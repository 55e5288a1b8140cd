"""Measure latency on a runtime: blocks of operators for a look-up table, and whole exported files.

A block is timed alone, with random weights: latency depends on shapes, not on values (unless these are denormal
numbers, which are slow). The price of a network is the sum of its blocks.

Latency is that of the fastest run: what the device does while nothing else disturbs it. Other work on the
same cores nearly doubles the runs it overlaps with and comes in bursts, so a median mostly measures how busy the
machine was: on a busy machine, medians put a sum of blocks 6 to 76 % above the whole network, the fastest
runs of the same rounds 1 to 2 % below it. Work that never pauses disturbs every run; `warn_noise` looks for signs
of that.

Whole networks in PyTorch are measured for tables that people read: those hold the median, the time a user waits.
"""

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from time import perf_counter

import numpy as np
import torch
from torch import nn

from mfagan.devices import CPU, describe_device
from mfagan.errors import InputError
from mfagan.graph.operators import Block
from mfagan.progress import ProgressCallback
from search.latency import BlockLatency, LatencyTable

__all__ = [
    "NETWORK_ROUNDS",
    "ROUNDS",
    "RUNTIMES",
    "Loader",
    "Runtime",
    "Timer",
    "build_table",
    "find_runtime",
    "measure_blocks",
    "measure_model",
    "measure_models",
    "measure_networks",
]

ROUNDS = 15
"""Rounds of a table's measurement."""
NETWORK_ROUNDS = 7
"""Rounds of the measurement of whole networks."""
MIN_SAMPLE_MS = 20.0
SEED = 0

Sample = list[float]  # one round's runs, in ms
Timer = Callable[[], float]
"""Runs the subject once and returns how long that took, in ms."""
Loader = Callable[[], Timer]
"""Loads the subject again, at another address in memory."""


@dataclass(frozen=True)
class Runtime:
    """Something that runs networks.

    prepare: a block and a number of threads -> how to load it, with random weights and inputs.
    version: the version of the runtime's software.
    device: the processor that it runs on.
    """

    prepare: Callable[[Block, int], Loader]
    version: Callable[[], str]
    device: Callable[[], str]


def measure_blocks(
    blocks: Mapping[str, Block],
    threads: int,
    rounds: int = ROUNDS,
    report: ProgressCallback | None = None,
    runtime: str = "litert",
) -> dict[str, BlockLatency]:
    """Measure the latency of each block alone.

    Every round times all blocks in turn, in a shuffled order, so that a disturbance meets all alike: a block
    is loaded again (at another address in memory), run once to warm up, then run for at least 20 ms.

    Args:
        blocks: Key -> block.
        threads: CPU threads of the runtime; at least 1.
        rounds: How often all blocks are timed; at least 1.
        report: Called with (done, total, key) after each step, or None.
        runtime: One of `RUNTIMES`.

    Returns:
        Key -> the fastest run of all rounds, half of the interquartile range of the rounds' fastest runs, and the
        number of runs.

    Raises:
        InputError: An unknown runtime, no threads or no rounds.
    """
    _require_counts(threads, rounds)
    prepare = find_runtime(runtime).prepare
    total = len(blocks) * (1 + rounds)
    loaders: dict[str, Loader] = {}
    for key, block in blocks.items():
        loaders[key] = prepare(block, threads)
        if report is not None:
            report(len(loaders), total, key)
    samples: dict[str, list[Sample]] = {key: [] for key in blocks}
    order = list(blocks)
    shuffle = random.Random(SEED).shuffle
    for _ in range(rounds):
        shuffle(order)
        for key in order:
            samples[key].append(_sample(loaders[key]))
            if report is not None:
                report(len(blocks) + sum(map(len, samples.values())), total, key)
    return {key: _summarise(sample) for key, sample in samples.items()}


def measure_model(model: bytes, threads: int, rounds: int = ROUNDS) -> BlockLatency:
    """Measure the latency of a whole TFLite file, each round as in `measure_blocks`.

    Args:
        model: The file's content.
        threads: CPU threads of the interpreter; at least 1.
        rounds: How often the file is loaded and timed; at least 1.

    Raises:
        InputError: No threads or no rounds.
    """
    _require_counts(threads, rounds)
    load = _load_litert(model, threads)
    return _summarise([_sample(load) for _ in range(rounds)])


def measure_models(
    models: Sequence[bytes],
    threads: int,
    rounds: int = NETWORK_ROUNDS,
    report: ProgressCallback | None = None,
) -> list[BlockLatency]:
    """Measure whole TFLite files against one another, each round all of them in a shuffled order.

    Args:
        models: The files' contents.
        threads: CPU threads of the interpreter; at least 1.
        rounds: How often each file is loaded and timed; at least 1.
        report: Called with (done, total, text) after each round, or None.

    Returns:
        For each file the median over the rounds' medians and half of their interquartile range, in ms.

    Raises:
        InputError: No threads or no rounds.
    """
    _require_counts(threads, rounds)
    samples: list[Sample] = [[] for _ in models]
    draw = random.Random(SEED).sample
    for done in range(rounds):
        for i in draw(range(len(models)), len(models)):
            samples[i].append(float(np.median(_sample(_load_litert(models[i], threads)))))
        if report is not None:
            report(done + 1, rounds, "latency")
    return [_summarise_medians(sample) for sample in samples]


def measure_networks(
    networks: Sequence[nn.Module],
    size: tuple[int, int],
    threads: int | None = None,
    rounds: int = NETWORK_ROUNDS,
    report: ProgressCallback | None = None,
) -> list[BlockLatency]:
    """Measure the latency of whole networks in PyTorch for one LR image.

    They run on the device they are on, in channels_last and inference mode, after a warm-up. Every round runs each
    network once, in a shuffled order, so that a disturbance meets all alike.

    Args:
        networks: Generators; their order in the result.
        size: (height, width) of the LR image, in pixels.
        threads: CPU threads, restored afterwards; None for PyTorch's own number.
        rounds: Timed runs of each network; at least 1.
        report: Called with (done, total, text) after each round, or None.

    Returns:
        For each network the median over the rounds and half of their interquartile range, in ms.

    Raises:
        InputError: No threads or no rounds.
    """
    before = torch.get_num_threads()
    _require_counts(before if threads is None else threads, rounds)
    samples: list[Sample] = [[] for _ in networks]
    draw = random.Random(SEED).sample
    torch.set_num_threads(threads or before)
    try:
        for done in range(1 + rounds):
            for i in draw(range(len(networks)), len(networks)):
                elapsed_ms = _time_network(networks[i], size)
                if done:  # the first round is the warm-up
                    samples[i].append(elapsed_ms)
            if report is not None:
                report(done + 1, 1 + rounds, "latency")
    finally:
        torch.set_num_threads(before)
    return [_summarise_medians(sample) for sample in samples]


def build_table(
    blocks: Mapping[str, Block],
    *,
    runtime: str = "litert",
    threads: int,
    input_size: tuple[int, int],
    command: str,
    passes: Sequence[str] = (),
    rounds: int = ROUNDS,
    report: ProgressCallback | None = None,
) -> LatencyTable:
    """Measure blocks as the latency table of this machine.

    Args:
        blocks: Key -> block at `input_size`.
        runtime: One of `RUNTIMES`.
        threads: CPU threads of the runtime; at least 1.
        input_size: (height, width) in pixels, recorded in the table.
        command: The command line that builds the table, recorded in it.
        passes: What rewrote the blocks (`mfagan.graph.passes`), recorded in it.
        rounds: As in `measure_blocks`.
        report: As in `measure_blocks`.

    Raises:
        InputError: As `measure_blocks`.
    """
    runs = find_runtime(runtime)
    measured_at = datetime.now(UTC).replace(microsecond=0)
    return LatencyTable(
        format="latency-table/1",
        unit="ms",
        runtime=runtime,
        runtime_version=runs.version(),
        device=runs.device(),
        threads=threads,
        input_size=input_size,
        measured_at=measured_at,
        command=command,
        entries=measure_blocks(blocks, threads, rounds, report, runtime),
        passes=tuple(passes),
    )


def find_runtime(name: str) -> Runtime:
    """The runtime of a name.

    Args:
        name: One of `RUNTIMES`.

    Raises:
        InputError: Another name; the message lists the known ones.
    """
    if name not in RUNTIMES:
        raise InputError(f"runtime {name!r} is unknown; choose one of: {', '.join(RUNTIMES)}")
    return RUNTIMES[name]


def _require_counts(threads: int, rounds: int) -> None:
    for name, count in (("threads", threads), ("rounds", rounds)):
        if count < 1:
            raise InputError(f"{name} is {count}: give 1 or more")


def _sample(load: Loader) -> Sample:
    """Runs for at least `MIN_SAMPLE_MS` after a warm-up."""
    time_run = load()
    time_run()
    runs: Sample = []
    while sum(runs) < MIN_SAMPLE_MS:
        runs.append(time_run())
    return runs


def _summarise(samples: list[Sample]) -> BlockLatency:
    fastest = [min(runs) for runs in samples]
    low, high = np.percentile(fastest, (25, 75)).tolist()
    return BlockLatency(
        latency_ms=round(min(fastest), 4),
        spread_ms=round((high - low) / 2, 4),
        repeats=sum(map(len, samples)),
    )


def _summarise_medians(sample: Sample) -> BlockLatency:
    low, median, high = np.percentile(sample, (25, 50, 75)).tolist()
    return BlockLatency(
        latency_ms=round(median, 4), spread_ms=round((high - low) / 2, 4), repeats=len(sample)
    )


@torch.inference_mode()
def _time_network(network: nn.Module, size: tuple[int, int]) -> float:
    parameter = next(network.parameters())
    generator = torch.Generator().manual_seed(SEED)
    x = torch.rand(1, 3, *size, generator=generator).to(parameter)
    x = x.contiguous(memory_format=torch.channels_last)
    wait = torch.cuda.synchronize if parameter.is_cuda else lambda device: None
    wait(parameter.device)
    start = perf_counter()
    network(x)
    wait(parameter.device)
    return (perf_counter() - start) * 1e3


def _prepare_litert(block: Block, threads: int) -> Loader:
    from mfagan.deploy.tflite import converter  # tensorflow takes seconds to load, and few commands need it

    generator = torch.Generator().manual_seed(SEED)
    weights = {
        name: torch.randn(shape, generator=generator) / max(1, math.prod(shape[1:])) ** 0.5
        for operator in block.operators
        for name, shape in converter.weight_shapes(operator).items()
    }
    return _load_litert(converter.convert(block.operators, weights), threads)


def _load_litert(model: bytes, threads: int) -> Loader:
    """Loads a TFLite file, its inputs uniform in [0, 1)."""

    from mfagan.deploy.tflite import litert  # only this runtime needs it

    def load() -> Timer:
        generator = torch.Generator().manual_seed(SEED)
        session = litert.Session(model, threads)
        session.set_inputs([torch.rand(shape, generator=generator) for shape in session.input_shapes])
        return session.time_ms

    return load


def _litert_version() -> str:
    from mfagan.deploy.tflite import litert

    return litert.VERSION


RUNTIMES = {"litert": Runtime(_prepare_litert, _litert_version, partial(describe_device, CPU))}
"""The runtimes that tables can be measured on, by the name that a user gives."""
