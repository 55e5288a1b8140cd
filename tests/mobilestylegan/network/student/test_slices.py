import itertools

import pytest
import torch

from mfagan.errors import InputError
from mfagan.mobilestylegan.network import Student, extract, forward_slice, forward_slice_heads
from mfagan.mobilestylegan.network.student.slices import slice_weights

FULL = (16, 16, 8)


def build(demodulation: str = "style") -> Student:
    torch.manual_seed(0)
    student = Student(FULL, 8, demodulation=demodulation)  # pyright: ignore[reportArgumentType]
    for name, one in student.named_parameters():
        if name.endswith(("strength", "bias")):
            torch.nn.init.normal_(one, 1)
    return student


@pytest.mark.parametrize("demodulation", ["style", "fixed"])
@pytest.mark.parametrize("channels", [FULL, (8, 16, 8), (12, 8, 4), (4, 4, 4)])
def test_an_extracted_slice_equals_the_slice(channels: tuple[int, ...], demodulation: str):
    student, w = build(demodulation), torch.randn(2, 8)
    small = extract(student, channels)
    assert small.channels == channels
    assert small.full_channels == FULL
    assert torch.equal(small(w), forward_slice(student, channels, w))
    heads = forward_slice_heads(student, channels, w)
    assert all(torch.equal(a, b) for a, b in zip(small.forward_heads(w), heads, strict=True))
    assert Student(**small.config()).state_dict().keys() == small.state_dict().keys()  # pyright: ignore


@pytest.mark.parametrize("channels", list(itertools.product((8, 16), (12, 16), (4, 8)))[:4])
def test_a_slice_equals_the_full_network_with_the_other_channels_masked(channels: tuple[int, ...]):
    """Masked feature maps give the same image, so a slice's groups of the wavelet transform are whole."""
    student, w = build().double(), torch.randn(2, 8, dtype=torch.float64)
    masked = build().double()
    with torch.no_grad():
        masked.constant[:, channels[0] :] = 0
        _mask(masked.first.weight, channels[0], channels[0])
        for i, block in enumerate(masked.body):
            before, after = channels[i], channels[i + 1]
            _mask(block.get_parameter("a.pointwise"), after, before // 4)
            _mask(block.get_parameter("b.pointwise"), after, after)
        for side, count in zip(masked.sides, channels, strict=True):
            masked.get_parameter(f"heads.{side}.weight")[:, count:] = 0
    assert torch.allclose(forward_slice(student, channels, w), masked(w), atol=1e-6)


def _mask(weight: torch.Tensor, rows: int, columns: int) -> None:
    weight[rows:] = 0
    weight[:, columns:] = 0


def test_a_slices_gradients_reach_the_front_of_the_shared_weights_alone():
    student = build()
    for head in forward_slice_heads(student, (8, 8, 4), torch.randn(2, 8)):
        head.square().mean().backward(retain_graph=True)
    grad = student.get_parameter("body.0.b.pointwise").grad
    assert grad is not None
    assert grad[:8, :8].abs().min() > 0
    assert not grad[8:].any()
    assert not grad[:, 8:].any()
    assert slice_weights(student, FULL)["constant"].data_ptr() == student.constant.data_ptr()


@pytest.mark.parametrize(
    ("channels", "message"),
    [
        ((16, 16), "channels 16, 16 are no slice of 16, 16, 8"),
        ((16, 20, 8), "channels 16, 20, 8 are no slice of 16, 16, 8"),
        ((16, 16, 6), "give multiples of 4"),
    ],
)
def test_channels_that_are_no_slice(channels: tuple[int, ...], message: str):
    with pytest.raises(InputError, match=message):
        forward_slice(build(), channels, torch.zeros(1, 8))
