import torch

from mfagan.sr.network.channel_order import sort_channels
from mfagan.sr.network.layers import named_convs
from mfagan.sr.network.supergenerator import SuperGenerator
from mfagan.sr.network.widths import Widths


def build() -> SuperGenerator:
    torch.manual_seed(0)
    network = SuperGenerator(Widths.uniform(48), residual="bicubic").double()
    torch.nn.init.normal_(network.fusion.reconstruct.weight)
    return network


def test_output_is_unchanged_through_skips_and_concatenations():
    network = build()
    x = torch.rand(1, 3, 9, 8, dtype=torch.float64)
    with torch.no_grad():
        before = network(x)
        orders = sort_channels(network)
        assert (network(x) - before).abs().max() <= 1e-10 * before.abs().max()
    assert len(orders) == 41
    assert any(not torch.equal(order, torch.arange(len(order))) for order in orders.values())


def test_every_group_ends_in_descending_importance():
    network = build()
    sort_channels(network)
    importance: dict[str, torch.Tensor] = {}
    for _, conv in named_convs(network):
        start = 0
        for group in conv.reads:
            part = conv.weight[:, start : start + group.size].abs().sum((0, 2, 3))
            importance[group.name] = importance.get(group.name, 0) + part
            start += group.size
    del importance["rgb"]
    assert len(importance) == 41
    for values in importance.values():
        assert (values.diff() <= 1e-9).all()


def test_sorting_twice_changes_nothing():
    network = build()
    sort_channels(network)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    orders = sort_channels(network)
    assert all(torch.equal(order, torch.arange(len(order))) for order in orders.values())
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_colours_and_pixels_keep_their_places():
    network = build()
    weight = network.fusion.reconstruct.weight.detach().clone()
    orders = sort_channels(network)
    assert torch.equal(network.fusion.reconstruct.weight, weight[:, orders["trunk"]])
