"""Latency of operators on a runtime, measured: look-up tables of blocks, and whole exported files.

A block is timed alone with random weights, since latency depends on shapes and not on values (none is near
zero, where denormal numbers would be slow). The price of a network is the sum of its blocks.
"""

import platform
import random
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import torch
from torch import Tensor

import mfagan
from mfagan import litert
from mfagan.errors import InputError
from mfagan.operators import Block
from search.latency import Entry, LatencyTable

ROUNDS = 15
MIN_SAMPLE_MS = 20.0
SEED = 0

Report = Callable[[int, int, str], None]
"""Called with the number of steps done, their total, and the block that was worked on."""


@dataclass(frozen=True)
class Runtime:
    """Something that networks run on.

    measure: blocks by key, threads, rounds, report -> latency by key.
    version: of the runtime's software.
    device: names the processor it runs on.
    """

    measure: Callable[[Mapping[str, Block], int, int, Report | None], dict[str, Entry]]
    version: Callable[[], str]
    device: Callable[[], str]


def measure_blocks(
    blocks: Mapping[str, Block], threads: int, rounds: int = ROUNDS, report: Report | None = None
) -> dict[str, Entry]:
    """The latency of each block, converted alone and run by LiteRT with `threads` threads.

    See `_measure` for what is timed. InputError for fewer than one thread or round.
    """
    from mfagan import tflite  # tensorflow takes seconds to load

    subjects: dict[str, _Subject] = {}
    total = len(blocks) * (1 + rounds)
    for i, (key, block) in enumerate(blocks.items()):
        model = tflite.convert(block.operators, _random_weights(block))
        subjects[key] = _Subject(model, [_random_image(value.shape) for value in block.inputs])
        if report is not None:
            report(i + 1, total, key)
