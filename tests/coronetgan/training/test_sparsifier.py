import pytest
import torch

from mfagan.coronetgan.network import ResnetTranslator
from mfagan.coronetgan.network.costs import WidthCosts
from mfagan.coronetgan.network.hyper.translator import HyperTranslator
from mfagan.coronetgan.training.sparsifier import Sparsifier
from tests.coronetgan.training.small import tiny_recipe


def make(ratio: float, **settings: object) -> tuple[HyperTranslator, Sparsifier, WidthCosts]:
    torch.manual_seed(0)
    translator = ResnetTranslator.full(16, 2)
    costs = WidthCosts.of(translator, 16, 16)
    network = HyperTranslator(translator)
    return network, Sparsifier(network, costs, ratio, tiny_recipe(**settings)), costs  # type: ignore


@pytest.mark.parametrize("ratio", [0.7, 0.5, 0.3])
@pytest.mark.parametrize("gamma", [0.5, 300.0], ids=["slowly", "at once"])
def test_the_ratio_is_met_within_one_channel_and_stays(ratio: float, gamma: float):
    network, one, costs = make(ratio, gamma=gamma)
    number = -1
    while not one.arrived and number < 3000:
        number += 1
        one.hold()
        one.follow(number, 1e-2)
    widths = network.bake().widths
    assert one.ratio == costs.ratio(widths) <= ratio
    wider = [costs.ratio({**widths, name: width + 1}) for name, width in widths.items()]
    assert min(wider) - ratio < 0.03
    assert one.curve[-1] == (number + 1, one.ratio)
    assert [share for _, share in one.curve] == sorted((share for _, share in one.curve), reverse=True)
    latents = {name: z.detach().clone() for name, z in network.prunable().items()}
    one.hold()
    for z in network.prunable().values():
        z.data += 1  # an optimizer's step
    one.follow(number + 1, 1e-2)
    assert all(torch.equal(z, latents[name]) for name, z in network.prunable().items())
    assert network.bake().widths == widths


def test_every_latent_keeps_its_least_channels():
    network, one, _ = make(0.06, gamma=20.0, min_channels=4)
    for number in range(200):
        one.follow(number, 1e-2)
        if one.arrived:
            break
    assert one.arrived
    assert min(network.bake().widths.values()) >= 4


def test_widths_are_rounded():
    network, one, _ = make(0.5, gamma=20.0, round_to=8)
    for number in range(200):
        one.hold()
        one.follow(number, 1e-2)
    assert all(width % 8 == 0 for width in network.bake().widths.values())


def test_it_goes_on_where_it_was():
    _, one, _ = make(0.5)
    for number in range(2):
        one.follow(number, 1e-2)
    _, other, _ = make(0.5)
    other.load_state_dict(one.state_dict())
    assert (other.arrived, other.ratio, other.curve) == (one.arrived, one.ratio, one.curve)
