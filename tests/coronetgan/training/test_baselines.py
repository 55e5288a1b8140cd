import pytest
import torch

from mfagan.coronetgan.network import ResnetTranslator, UnetTranslator
from mfagan.coronetgan.network.costs import WidthCosts
from mfagan.coronetgan.training.baselines import filter_norms, prune_by_magnitude, rescale, uniform_widths
from mfagan.errors import InputError

SHUFFLED = ResnetTranslator.full(16, 2, upsampling="shuffle")


@pytest.mark.parametrize(
    "network",
    [ResnetTranslator.full(16, 3), UnetTranslator.full(16, 4), SHUFFLED],
    ids=["resnet", "unet", "shuffle"],
)
@pytest.mark.parametrize("ratio", [0.7, 0.5, 0.3])
def test_uniform_widths_are_one_share_of_every_width_and_meet_the_ratio(network, ratio: float):
    widths = uniform_widths(network, 64, ratio)
    costs = WidthCosts.of(network, 64, 64)
    assert ratio - 0.06 < costs.ratio(widths) <= ratio
    shares = [width / network.widths[name] for name, width in widths.items()]
    assert max(shares) - min(shares) < 0.1


def test_half_of_every_width_is_what_the_specification_counts():
    network = ResnetTranslator.full(16, 3)
    assert uniform_widths(network, 64, 0.300831) == {name: full // 2 for name, full in network.widths.items()}


@pytest.mark.parametrize("network", [ResnetTranslator.full(16, 2), SHUFFLED], ids=["transposed", "shuffle"])
def test_the_smallest_filters_go_first(network: ResnetTranslator):
    with torch.no_grad():
        for link in network.links():
            weight = network.get_parameter(f"convs.{link.name}.weight")
            by_channel = weight.transpose(0, 1) if link.transposed else weight
            sizes = torch.linspace(2, 1, network.width_of(link.output)).repeat_interleave(link.repeat)
            by_channel.copy_(sizes[:, None, None, None].expand_as(by_channel))
    norms = filter_norms(network)
    assert all(one.argsort(descending=True).tolist() == list(range(len(one))) for one in norms.values())
    narrow = prune_by_magnitude(network, 64, 0.5)
    assert 0.45 < WidthCosts.of(network, 64, 64).ratio(narrow.widths) <= 0.5
    kept = network.get_parameter("convs.stem.weight")[: narrow.widths["stem"]]
    assert torch.equal(narrow.get_parameter("convs.stem.weight"), kept)


@pytest.mark.parametrize("ratio", [0, 1.1, float("nan"), 1e-3])
def test_ratios_that_cannot_be_met_are_refused(ratio: float):
    for make in (uniform_widths, prune_by_magnitude):
        with pytest.raises(InputError, match=r"ratio .*give"):
            make(ResnetTranslator.full(16, 3), 64, ratio)


@pytest.mark.parametrize("upsampling", ["transposed", "shuffle"])
def test_rescaled_weights_have_the_spread_of_untrained_ones_and_make_the_same_pictures(upsampling):
    torch.manual_seed(0)
    network = ResnetTranslator.full(8, 2, upsampling=upsampling).eval()
    x = torch.randn(1, 3, 16, 16)
    with torch.no_grad():
        for one in network.convs.parameters():
            one.copy_(torch.randn_like(one))
        network.convs["output"].get_parameter("weight").mul_(0.05)
        before = network(x)
        after = rescale(network)(x)
    assert (before - after).abs().max() < 1e-2
    spreads = [network.get_parameter(f"convs.{one.name}.weight").std().item() for one in network.links()]
    assert spreads[:-1] == pytest.approx([0.02] * (len(spreads) - 1))
    unet = UnetTranslator.full(8, 3)
    weight = unet.get_parameter("convs.down2.weight").clone()
    assert torch.equal(rescale(unet).get_parameter("convs.down2.weight"), weight)
