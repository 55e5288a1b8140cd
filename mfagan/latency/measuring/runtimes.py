"""What runs blocks and networks so that they can be timed: the runtimes by their names."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Literal

import torch

from mfagan.devices import CPU, describe_device
from mfagan.errors import InputError
from mfagan.graph.operators import Block
from mfagan.graph.weights import random_weights
from mfagan.latency.measuring.fixed_operators import reference_block
from mfagan.latency.measuring.timers import Loader, Timer
from mfagan.latency.measuring.torch_runtime import describe_cuda, prepare_cpu, prepare_cuda

__all__ = ["RUNTIMES", "Loader", "Runtime", "Timer", "find_runtime", "load_litert"]

SEED = 0
Precision = Literal["fp32", "fp16", "int8"]


@dataclass(frozen=True)
class Runtime:
    """Something that runs networks.

    prepare: a block and a number of threads -> how to load it, with random weights and inputs.
    version: the version of the runtime's software.
    device: the processor that it runs on.
    delegate: what computes the operators within the runtime, None if it has no such part.
    in_caller: whether a single thread of it is the thread that calls it, so that CPU time can be its clock.
    precision: of its weights and arithmetic; blocks for int8 must be marked (`mfagan.graph.rounding.mark_integers`).
    rewrites: whether files for it are made of operators that passes have rewritten.
    """

    prepare: Callable[[Block, int], Loader]
    version: Callable[[], str]
    device: Callable[[], str]
    delegate: str | None = None
    in_caller: bool = False
    precision: Precision = "fp32"
    rewrites: bool = False

    def reference(self, threads: int) -> Loader:
        """What runs before and after every run that is timed (`mfagan.latency.measuring.sampling`).

        Args:
            threads: CPU threads.
        """
        return self.prepare(reference_block(), threads)


def find_runtime(name: str, precision: str = "fp32") -> Runtime:
    """The runtime of a name, computing in a precision.

    Args:
        name: One of `RUNTIMES`.
        precision: One of those that it computes in.

    Raises:
        InputError: Another name or precision; the message lists the known ones.
    """
    if name not in RUNTIMES:
        raise InputError(f"runtime {name!r} is unknown; choose one of: {', '.join(RUNTIMES)}")
    known = RUNTIMES[name]
    for runtime in known:
        if runtime.precision == precision:
            return runtime
    possible = ", ".join(runtime.precision for runtime in known)
    raise InputError(f"precision {precision!r}: {name} is measured in {possible}; choose one of them")


def load_litert(model: bytes, threads: int) -> Loader:
    """How to load a TFLite file, with inputs uniform in [0, 1).

    Args:
        model: The file's content.
        threads: CPU threads of the interpreter.
    """
    from mfagan.deploy.tflite import litert  # only this runtime needs it

    def load() -> Timer:
        generator = torch.Generator().manual_seed(SEED)
        session = litert.Session(model, threads)
        session.set_inputs([torch.rand(shape, generator=generator) for shape in session.input_shapes])
        return session.time_ms

    return load


def _litert(precision: Precision) -> Runtime:
    def prepare(block: Block, threads: int) -> Loader:
        from mfagan.latency.measuring.block_file import convert_block  # tensorflow takes seconds to load

        return load_litert(convert_block(block, precision), threads)

    return Runtime(
        prepare, _litert_version, _describe_cpu, "XNNPACK", in_caller=True, precision=precision, rewrites=True
    )


def _litert_version() -> str:
    from mfagan.deploy.tflite import litert

    return litert.VERSION


def _prepare_onnx(block: Block, threads: int) -> Loader:
    from mfagan.deploy.onnx import operators  # only this runtime needs it

    model = operators.convert_operators(block.operators, random_weights(block.operators))

    def load() -> Timer:
        generator = torch.Generator().manual_seed(SEED)
        inputs = {x.name: torch.rand(1, *x.shape, generator=generator).numpy() for x in block.inputs}
        session = operators.open_session(model, threads)

        def time_run() -> float:
            start = perf_counter()
            session.run(None, inputs)
            return (perf_counter() - start) * 1e3

        return time_run

    return load


def _onnx_version() -> str:
    from mfagan.deploy.onnx import operators

    return operators.VERSION


def _torch_version() -> str:
    return torch.__version__


def _cuda(dtype: torch.dtype, precision: Precision) -> Runtime:
    return Runtime(
        lambda block, threads: prepare_cuda(block, dtype),
        _torch_version,
        describe_cuda,
        delegate="CUDA graph",
        precision=precision,
    )


_describe_cpu = partial(describe_device, CPU)

RUNTIMES = {
    "litert": (_litert("fp32"), _litert("fp16"), _litert("int8")),
    "onnx": (Runtime(_prepare_onnx, _onnx_version, _describe_cpu, in_caller=True),),
    "torch": (Runtime(prepare_cpu, _torch_version, _describe_cpu, in_caller=True),),
    "torch-cuda": (_cuda(torch.float32, "fp32"), _cuda(torch.float16, "fp16")),
}
"""The runtimes that tables can be measured on, by the name that a user gives, in each precision they compute in."""
