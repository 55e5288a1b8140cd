import pytest
from torch import Tensor, nn

from mfagan.graph.recording.peak_memory import estimate_peak_bytes
from mfagan.sr.kinds import build

PICTURE = 3 * 8 * 8 * 4
"""Bytes of the input."""


class Chain(nn.Module):
    """Three additions, of which each frees what came before."""

    def forward(self, x: Tensor) -> Tensor:
        for _ in range(3):
            x = x + 1
        return x


class Kept(nn.Module):
    """As `Chain`, but everything is needed until the end."""

    def forward(self, x: Tensor) -> Tensor:
        first = x + 1
        second = first + 1
        return first + second


class InPlace(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        y = x + 1
        for _ in range(5):
            y = y.relu_().view(1, 3, 64).view(1, 3, 8, 8)
        return y


@pytest.mark.parametrize(
    ("network", "pictures"),
    [
        (Chain(), 3),  # the input, which the caller holds, and two results
        (Kept(), 4),
        (InPlace(), 2),
        (nn.Conv2d(3, 6, 1), 1 + 2 + 1 + 2),  # input and output, and a copy of both
    ],
    ids=["chain", "kept", "in place", "convolution"],
)
def test_what_is_alive_at_once_is_counted(network: nn.Module, pictures: int):
    assert estimate_peak_bytes(network, 8, 8) == pictures * PICTURE


def test_it_grows_with_the_picture_and_leaves_the_network_alone():
    network = build("mfanet", {"widths": [24] * 8})
    one, four = (estimate_peak_bytes(network, side, side) for side in (32, 64))
    assert four == pytest.approx(4 * one, rel=0.01)
    assert {parameter.device.type for parameter in network.parameters()} == {"cpu"}
