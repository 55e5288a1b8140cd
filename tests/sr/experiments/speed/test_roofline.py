import pytest
import torch

from mfagan.graph.costs import Costs
from mfagan.sr.experiments.speed.roofline import Roofline, measure_cuda
from mfagan.sr.kinds import build


@pytest.mark.parametrize(
    ("macs", "memory_bytes", "least_ms"),
    [
        (10**9, 4, 2.0),  # two operations a MAC
        (1, 4 * 10**6, 20.0),  # half of the bytes that are counted in fp32
    ],
)
def test_the_slower_of_computation_and_memory_counts(macs: int, memory_bytes: int, least_ms: float):
    costs = Costs(params=0, macs=macs, flops=0, memory_bytes=memory_bytes)
    assert Roofline(flops=1e12, bandwidth=1e8).least_ms(costs) == pytest.approx(least_ms)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_no_network_is_faster_than_at_best():
    network = build("span", {}).eval()
    ((_, latency_ms, least_ms, _),) = measure_cuda([("span", network)], (128, 128)).rows
    assert 0 < float(str(least_ms)) < float(str(latency_ms))
