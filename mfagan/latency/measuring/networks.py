"""Measure the latency of whole networks: exported files, and networks in PyTorch."""

import random
from collections.abc import Sequence
from time import perf_counter

import numpy as np
import torch
from torch import nn

from mfagan.latency.measuring.runtimes import find_runtime, load_litert
from mfagan.latency.measuring.sampling import (
    Schedule,
    choose_clock,
    measure_in_turn,
    require_counts,
    summarise,
)
from mfagan.progress import ProgressCallback
from search.latency import BlockLatency

__all__ = ["NETWORK_ROUNDS", "measure_model", "measure_models", "measure_networks"]

NETWORK_ROUNDS = 7
"""Rounds of the measurement of whole networks."""
_SEED = 0


def measure_model(
    model: bytes, threads: int, rounds: int = NETWORK_ROUNDS, report: ProgressCallback | None = None
) -> BlockLatency:
    """Measure the latency of a whole TFLite file, as `measure_models` does.

    Args:
        model: The file's content.
        threads: CPU threads of the interpreter; at least 1.
        rounds: How often the file is loaded and timed; at least 1.
        report: As there.

    Raises:
        InputError: No threads or no rounds.
    """
    return measure_models([model], threads, rounds, report)[0]


def measure_models(
    models: Sequence[bytes],
    threads: int,
    rounds: int = NETWORK_ROUNDS,
    report: ProgressCallback | None = None,
) -> list[BlockLatency]:
    """Measure whole TFLite files against one another, by the statistic and the clock of latency tables.

    Args:
        models: The files' contents.
        threads: CPU threads of the interpreter; at least 1. On one thread its CPU time is measured.
        rounds: How often each file is loaded and timed; at least 1.
        report: Called with (done, total, text) after each file, or None.

    Returns:
        For each file the median of its runs and half of the interquartile range of its rounds' medians, in ms.

    Raises:
        InputError: No threads or no rounds.
    """
    require_counts(threads=threads, rounds=rounds)
    runtime = find_runtime("litert")
    clock = choose_clock(runtime, threads)
    loaders = {str(i): load_litert(model, threads) for i, model in enumerate(models)}
    found = measure_in_turn(loaders, runtime.reference(threads), clock, Schedule(rounds), report)
    return list(summarise(found, clock).values())


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
    require_counts(threads=before if threads is None else threads, rounds=rounds)
    samples: list[list[float]] = [[] for _ in networks]
    draw = random.Random(_SEED).sample
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


def _summarise_medians(sample: list[float]) -> BlockLatency:
    low, median, high = np.percentile(sample, (25, 50, 75)).tolist()
    return BlockLatency(
        latency_ms=round(median, 4), spread_ms=round((high - low) / 2, 4), repeats=len(sample)
    )


@torch.inference_mode()
def _time_network(network: nn.Module, size: tuple[int, int]) -> float:
    parameter = next(network.parameters())
    generator = torch.Generator().manual_seed(_SEED)
    x = torch.rand(1, 3, *size, generator=generator).to(parameter)
    x = x.contiguous(memory_format=torch.channels_last)
    wait = torch.cuda.synchronize if parameter.is_cuda else lambda device: None
    wait(parameter.device)
    start = perf_counter()
    network(x)
    wait(parameter.device)
    return (perf_counter() - start) * 1e3
