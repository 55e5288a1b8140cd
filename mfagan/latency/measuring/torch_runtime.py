"""PyTorch as a runtime of latency tables: eager on the CPU, and as a captured graph on a CUDA device."""

from time import perf_counter

import torch

from mfagan.allocator import keep_freed_memory
from mfagan.devices import CPU, choose_device, describe_device
from mfagan.graph.module import OperatorModule
from mfagan.graph.operators import Block
from mfagan.graph.weights import random_weights
from mfagan.latency.measuring.timers import Loader, Timer

__all__ = ["describe_cuda", "prepare_cpu", "prepare_cuda"]

SEED = 0
_WARM_UP_RUNS = 3


def prepare_cpu(block: Block, threads: int) -> Loader:
    """How to load a block in PyTorch on the CPU, fp32 and channels_last, as networks run in this package.

    The process keeps freed memory from then on: pages that the system takes back and clears again cost a whole network
    and its blocks in different measure, and vary the more.

    Args:
        block: The block.
        threads: CPU threads, which PyTorch keeps afterwards.
    """

    def load() -> Timer:
        torch.set_num_threads(threads)
        keep_freed_memory()
        module, inputs = _place(block, CPU, torch.float32)

        @torch.inference_mode()
        def time_run() -> float:
            start = perf_counter()
            module(*inputs)
            return (perf_counter() - start) * 1e3

        return time_run

    return load


def prepare_cuda(block: Block, dtype: torch.dtype) -> Loader:
    """How to load a block on a CUDA device, captured as a graph, which launches its kernels at once.

    Args:
        block: The block.
        dtype: Of the weights and activations: float32 or float16.

    Raises:
        InputError: There is no CUDA device.
    """
    device = choose_device("cuda")

    def load() -> Timer:
        with torch.inference_mode():
            module, inputs = _place(block, device, dtype)
            # Libraries choose their kernels in the first runs, which a capture does not allow.
            aside = torch.cuda.Stream(device)
            aside.wait_stream(torch.cuda.current_stream(device))
            with torch.cuda.stream(aside):
                for _ in range(_WARM_UP_RUNS):
                    module(*inputs)
            torch.cuda.current_stream(device).wait_stream(aside)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                output = module(*inputs)
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)

        def time_run(
            kept: object = (module, inputs, output),
        ) -> float:  # the graph reads and writes their memory
            start.record()
            graph.replay()
            end.record()
            end.synchronize()
            return start.elapsed_time(end)

        return time_run

    return load


def describe_cuda() -> str:
    """The name of the CUDA device.

    Raises:
        InputError: There is none.
    """
    return describe_device(choose_device("cuda"))


def _place(
    block: Block, device: torch.device, dtype: torch.dtype
) -> tuple[OperatorModule, list[torch.Tensor]]:
    """The module and its inputs, uniform in [0, 1)."""
    generator = torch.Generator().manual_seed(SEED)
    images = [torch.rand(1, *x.shape, generator=generator) for x in block.inputs]
    module = OperatorModule(block.operators, random_weights(block.operators))
    layout = torch.channels_last
    inputs = [image.to(device, dtype, memory_format=layout) for image in images]
    for name, buffer in module.named_buffers():
        moved = buffer.to(device, dtype)
        setattr(module, name, moved.contiguous(memory_format=layout) if moved.dim() == 4 else moved)
    return module.eval(), inputs
