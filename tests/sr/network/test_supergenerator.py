import random

import pytest
import torch
from torch import Tensor

from mfagan.errors import InputError
from mfagan.sr.network.mfanet import MFANet
from mfagan.sr.network.supergenerator import SuperGenerator
from mfagan.sr.network.widths import Widths, random_choice

FULL = 48


@pytest.fixture(scope="module")
def supernet() -> SuperGenerator:
    torch.manual_seed(0)
    return SuperGenerator(Widths.uniform(FULL))


def masked(network: SuperGenerator, widths: Widths) -> MFANet:
    """The full network with every dropped row, column, bias and hidden unit set to zero.

    Written out layer by layer from docs/costs.md, on purpose without the groups that slicing reads.
    """
    t, f = widths.trunk, widths.fusion
    full = MFANet(Widths.uniform(FULL), network.scale, network.residual_kind)
    full.load_state_dict(network.state_dict())

    def front(n: int, of: int = FULL) -> Tensor:
        return (torch.arange(of) < n).float()

    def keep(conv: torch.nn.Module, rows: Tensor, columns: Tensor) -> None:
        assert isinstance(conv, torch.nn.Conv2d)
        assert conv.bias is not None
        with torch.no_grad():
            conv.weight *= rows[:, None, None, None] * columns[None, :, None, None]
            conv.bias *= rows

    def keep_attention(cca: torch.nn.Module, channels: Tensor, n_kept: int) -> None:
        n_hidden = len(channels) // 16
        hidden = front(n_kept // 16, n_hidden)
        keep(cca.get_submodule("squeeze"), hidden, channels)
        keep(cca.get_submodule("excite"), channels, hidden)

    keep(full.head, front(t), torch.ones(3))
    for i, mfam in enumerate(full.mfams):
        for name, w in (("cfab_a", widths.cfabs[2 * i]), ("cfab_b", widths.cfabs[2 * i + 1])):
            cfab = mfam.get_submodule(name)
            parts = torch.cat([front(t)] + [front(w)] * 5)
            for j in range(5):
                keep(cfab.get_submodule(f"convs.{j}"), front(w), front(t) if j == 0 else front(w))
            keep_attention(cfab.get_submodule("cca"), parts, t + 5 * w)
            keep(cfab.get_submodule("fuse"), front(t), parts)
        keep(mfam.get_submodule("tail.conv"), front(t), front(t))
        keep_attention(mfam.get_submodule("tail.cca"), front(t), t)
    keep(full.fusion.squeeze, front(f), torch.cat([front(t)] * 3))
    keep(full.fusion.smooth, front(t), front(f))
    keep(full.fusion.reconstruct, torch.ones(48), front(t))
    return full


def random_hundred() -> list[Widths]:
    generator = random.Random(1)
    return [random_choice(generator) for _ in range(100)]


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_extracted_network_equals_the_slice(supernet: SuperGenerator, dtype: torch.dtype, tolerance: float):
    network = SuperGenerator(supernet.widths).to(dtype)
    network.load_state_dict(supernet.state_dict())
    x = torch.rand(1, 3, 6, 7, dtype=dtype)
    with torch.no_grad():
        for widths in random_hundred():
            small = network.extract(widths)
            assert type(small) is MFANet
            assert small.widths == widths
            assert (small(x) - network(x, widths)).abs().max() <= tolerance


def test_masked_full_network_equals_the_slice(supernet: SuperGenerator):
    x = torch.rand(1, 3, 6, 7, dtype=torch.float64)
    network = SuperGenerator(supernet.widths).double()
    network.load_state_dict(supernet.state_dict())
    with torch.no_grad():
        for widths in random_hundred():
            full = masked(network, widths).double()
            assert (full(x) - network(x, widths)).abs().max() <= 1e-12


def test_full_width_is_the_network_itself(supernet: SuperGenerator):
    x = torch.rand(1, 3, 6, 7)
    plain = MFANet(supernet.widths)
    plain.load_state_dict(supernet.state_dict())
    with torch.no_grad():
        assert torch.equal(supernet(x), plain(x))
        assert torch.equal(supernet(x, supernet.widths), plain(x))


def test_gradients_reach_the_kept_front_alone(supernet: SuperGenerator):
    network = SuperGenerator(supernet.widths)
    network(torch.rand(1, 3, 6, 7), Widths.uniform(24)).square().sum().backward()
    first = network.get_parameter("mfams.0.cfab_a.convs.1.weight").grad
    assert first is not None
    assert first[:24, :24].abs().sum() > 0
    assert first[24:].abs().sum() == first[:, 24:].abs().sum() == 0


def test_extracted_weights_are_a_copy(supernet: SuperGenerator):
    small = supernet.extract(Widths.uniform(24))
    before = supernet.head.weight.clone()
    with torch.no_grad():
        small.head.weight.add_(1)
    assert torch.equal(supernet.head.weight, before)


def test_a_wider_supernet_holds_the_same_choices():
    torch.manual_seed(0)
    wide = SuperGenerator(Widths.uniform(64), residual="bicubic").double()
    x = torch.rand(1, 3, 6, 7, dtype=torch.float64)
    widths = Widths.parse("48,24,24,24,32,48,48,24")
    with torch.no_grad():
        torch.nn.init.normal_(wide.fusion.reconstruct.weight)
        assert (wide(x, widths) - wide.extract(widths)(x)).abs().max() <= 1e-12


def test_widths_that_do_not_fit_are_refused(supernet: SuperGenerator):
    with pytest.raises(InputError, match="do not fit"):
        supernet(torch.rand(1, 3, 6, 7), Widths.uniform(64))
