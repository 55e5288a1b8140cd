import pytest
import torch
from torch import nn

from mfagan.errors import InputError
from mfagan.sr.network.growth import grow
from mfagan.sr.network.mfanet import MFANet
from mfagan.sr.network.widths import Widths


def narrow(residual: str = "bicubic") -> MFANet:
    torch.manual_seed(0)
    network = MFANet(Widths.of((8, 4, 6, 8, 4, 6, 8, 4)), 4, residual).eval()  # type: ignore[arg-type]
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.1)
    return network


@pytest.mark.parametrize("residual", ["none", "bicubic"])
@torch.inference_mode()
def test_the_grown_network_and_all_slices_between_compute_the_same(residual: str):
    network, x = narrow(residual), torch.rand(2, 3, 9, 11)
    grown = grow(network, Widths.uniform(40)).eval()
    expected = network(x)
    between = Widths.of((8, 16, 6, 24, 40, 6, 8, 32))
    for widths in (None, network.widths, between):
        assert torch.allclose(grown(x, widths), expected, atol=1e-5)
    for name, weight in grown.slice_weights(network.widths).items():
        assert torch.equal(weight, network.state_dict()[name])


def test_new_channels_take_part_as_soon_as_they_are_trained():
    network, x = narrow(), torch.rand(2, 3, 8, 8)
    grown = grow(network, Widths.uniform(16))
    optimizer = torch.optim.SGD(grown.parameters(), 0.1)
    for _ in range(2):
        optimizer.zero_grad()
        grown(x).square().mean().backward()
        optimizer.step()
    for name, conv in grown.named_modules():
        if isinstance(conv, nn.Conv2d) and conv.kernel_size == (3, 3):
            assert conv.weight.grad is not None
            assert conv.weight.grad.flatten(1).any(1).all(), name


def test_growing_is_a_function_of_the_seed():
    one, same, other = (grow(narrow(), Widths.uniform(16), seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert any(not torch.equal(one[name], other[name]) for name in one)


def test_a_network_does_not_shrink():
    with pytest.raises(InputError, match="8,4,6,8,4,6,8,4 cannot grow to 6,6,6,6,6,6,6,6: give larger"):
        grow(narrow(), Widths.uniform(6))
