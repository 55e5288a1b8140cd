import pytest
import torch

from mfagan.sr.network.aggregation import CFAB
from mfagan.sr.network.layers import ContrastAwareAttention, Group, channel_groups
from mfagan.sr.network.mfanet import MFANet
from mfagan.sr.network.widths import Widths
from mfagan.sr.study.scoring.one_pass import OnePassAttention, OnePassCFAB, replace_modules

LAYOUTS = (torch.contiguous_format, torch.channels_last)


@pytest.mark.parametrize("offset", [0.0, 30.0])
def test_statistics_in_one_pass_are_the_attentions(offset: float):
    """Also where the mean is far above the deviation, which a mean of squares would not survive."""
    torch.manual_seed(0)
    groups = (Group("a", 5), Group("b", 3))
    attention = ContrastAwareAttention(groups, Group("hidden", 2))
    x = 0.01 * torch.randn(1, 8, 9, 7) + offset * torch.rand(8)[:, None, None]
    x[:, 4] = 0.25  # a channel without contrast
    with torch.inference_mode():
        for layout in (torch.contiguous_format, torch.channels_last):
            found = OnePassAttention(attention)(x.contiguous(memory_format=layout))
            torch.testing.assert_close(found, attention(x), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("size", [(9, 7), (1, 1), (1, 6)])
@pytest.mark.parametrize("widths", ["6,4,4,4,4,4,4,4", "1,1,1,1,1,1,1,1"])
def test_a_block_whose_maps_are_not_joined_computes_the_same(
    widths: str, size: tuple[int, int], layout: torch.memory_format
):
    torch.manual_seed(0)
    block = CFAB(channel_groups(Widths.parse(widths)), "cfab_1")
    x = torch.randn(1, Widths.parse(widths).trunk, *size).contiguous(memory_format=layout)
    before = x.clone()
    with torch.inference_mode():
        torch.testing.assert_close(OnePassCFAB(block)(x), block(x), atol=1e-5, rtol=1e-5)
    assert torch.equal(x, before)  # the choices beside this one read it too


@pytest.mark.parametrize(("dtype", "n_blocks"), [(torch.float32, 6), (torch.bfloat16, 0)])
def test_every_module_that_has_a_faster_form_gets_it(dtype: torch.dtype, n_blocks: int):
    network = MFANet(Widths.uniform(4)).to(dtype)
    replace_modules(network)
    modules = list(network.modules())
    assert sum(isinstance(one, OnePassCFAB) for one in modules) == n_blocks
    gates = [one for one in modules if isinstance(one, OnePassAttention)]
    assert len(gates) == 9 - n_blocks
