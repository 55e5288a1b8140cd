"""Networks on CUDA in bf16, channels_last and a captured graph, against what the device could do at best."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mfagan.evaluation.experiments.reports import ExperimentReport
from mfagan.evaluation.text_table import Column
from mfagan.graph.costs import BYTES_PER_ELEMENT, Costs, trace_costs

__all__ = ["Roofline", "capture", "measure_cuda", "measure_roofline"]

_MATRIX_PX, _COPIED_BYTES, _RUNS = 8192, 2**30, 20
_BF16_BYTES = 2


@dataclass(frozen=True)
class Roofline:
    """What a device does at best.

    Args:
        flops: products and sums a second, of a large matrix product in bf16.
        bandwidth: bytes a second, read and written by a large copy.
    """

    flops: float
    bandwidth: float

    def least_ms(self, costs: Costs) -> float:
        """The shortest time that a network can take in bf16, if no activation stays in a cache.

        Args:
            costs: of the network; its memory traffic is counted in fp32, and each activation once.

        Returns:
            The longer one of computation and memory traffic, in ms.
        """
        moved = costs.memory_bytes * _BF16_BYTES / BYTES_PER_ELEMENT
        return 1e3 * max(2 * costs.macs / self.flops, moved / self.bandwidth)


def measure_roofline() -> Roofline:
    """Measure a matrix product and a copy on the current CUDA device."""
    a, b = (torch.rand(_MATRIX_PX, _MATRIX_PX, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    source = torch.empty(_COPIED_BYTES, device="cuda", dtype=torch.uint8)
    target = torch.empty_like(source)
    product_ms = _median_ms(lambda: torch.mm(a, b))
    copy_ms = _median_ms(lambda: target.copy_(source))
    return Roofline(2e3 * _MATRIX_PX**3 / product_ms, 2e3 * _COPIED_BYTES / copy_ms)


def capture(network: nn.Module, x: Tensor) -> Callable[[], None]:
    """Record one run of a network on CUDA, to be run again without PyTorch's own time for each operator.

    Args:
        network: in evaluation mode, on CUDA.
        x: its input, which every run reads.

    Returns:
        What runs it again.
    """
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.inference_mode(), torch.cuda.stream(side):
        for _ in range(3):  # cuDNN chooses its kernels before the capture
            network(x)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.inference_mode(), torch.cuda.graph(graph):
        network(x)
    return graph.replay


def measure_cuda(subjects: Sequence[tuple[str, nn.Module]], size: tuple[int, int]) -> ExperimentReport:
    """Measure networks on the current CUDA device.

    Args:
        subjects: name -> network in evaluation mode; they are moved to the device, in bf16.
        size: (height, width) of the LR image in px.

    Returns:
        The table, in the order given.
    """
    roofline = measure_roofline()
    rows = []
    for name, network in subjects:
        costs = trace_costs(network, *size)
        network.to("cuda", torch.bfloat16).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        x = torch.rand(1, 3, *size, device="cuda", dtype=torch.bfloat16)
        taken_ms = _median_ms(capture(network, x.contiguous(memory_format=torch.channels_last)))
        rows.append([name, taken_ms, roofline.least_ms(costs), roofline.least_ms(costs) / taken_ms])
    height, width = size
    return ExperimentReport(
        "deployment-cuda",
        f"PyTorch on {torch.cuda.get_device_name()} at {height}x{width} px",
        [
            Column("network"),
            Column("latency", "ms", ".3f"),
            Column("at best", "ms", ".3f"),
            Column("at best / latency", "", ".2f"),
        ],
        rows,
        [
            f"bf16, channels_last, one captured graph; median of {_RUNS} runs. At best: the longer one of 2 MACs at "
            f"{roofline.flops / 1e12:.0f} TFLOP/s (a large matrix product) and the memory traffic, two bytes a number, "
            f"at {roofline.bandwidth / 1e12:.2f} TB/s (a large copy), both measured here.",
        ],
    )


def _median_ms(run: Callable[[], object]) -> float:
    run()
    times = []
    for _ in range(_RUNS):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        run()
        end.record()
        end.synchronize()
        times.append(start.elapsed_time(end))
    return sorted(times)[_RUNS // 2]
