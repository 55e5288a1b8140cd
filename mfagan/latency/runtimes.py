"""What runs blocks and networks so that they can be timed: the runtimes by their names."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch

from mfagan.devices import CPU, describe_device
from mfagan.errors import InputError
from mfagan.graph.operators import Block

__all__ = ["RUNTIMES", "Loader", "Runtime", "Timer", "find_runtime", "load_litert"]

SEED = 0

Timer = Callable[[], float]
"""Runs the subject once and returns how long that took, in ms of wall time."""
Loader = Callable[[], Timer]
"""Loads the subject again, at another address in memory."""


@dataclass(frozen=True)
class Runtime:
    """Something that runs networks.

    prepare: a block and a number of threads -> how to load it, with random weights and inputs.
    version: the version of the runtime's software.
    device: the processor that it runs on.
    delegate: what computes the operators within the runtime, None if it has no such part.
    in_caller: whether a single thread of it is the thread that calls it, so that CPU time can be its clock.
    """

    prepare: Callable[[Block, int], Loader]
    version: Callable[[], str]
    device: Callable[[], str]
    delegate: str | None = None
    in_caller: bool = False


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


def load_litert(model: bytes, threads: int) -> Loader:
    """How to load a TFLite file, with inputs uniform in [0, 1).

    Args:
        model: The file's content.
        threads: CPU threads of the interpreter.
    """
    from mfagan.deploy import litert  # only this runtime needs it

    def load() -> Timer:
        generator = torch.Generator().manual_seed(SEED)
        session = litert.Session(model, threads)
        session.set_inputs([torch.rand(shape, generator=generator) for shape in session.input_shapes])
        return session.time_ms

    return load


def _prepare_litert(block: Block, threads: int) -> Loader:
    from mfagan.latency.block_file import convert_block  # tensorflow takes seconds to load

    return load_litert(convert_block(block), threads)


def _litert_version() -> str:
    from mfagan.deploy import litert

    return litert.VERSION


RUNTIMES = {
    "litert": Runtime(
        _prepare_litert, _litert_version, partial(describe_device, CPU), delegate="XNNPACK", in_caller=True
    )
}
"""The runtimes that tables can be measured on, by the name that a user gives."""
