"""Whether a ratio is met within one channel."""

import pytest
import torch

from mfagan.coronetgan.experiments.landing import Landing, describe_landing, land_on_each
from mfagan.coronetgan.network import ResnetTranslator, Translator, UnetTranslator
from mfagan.coronetgan.network.costs import WidthCosts

RATIOS = (0.7, 0.5, 0.3)
NETWORKS: list[tuple[Translator, int]] = [
    (ResnetTranslator.full(16, 3), 64),
    (UnetTranslator.full(16, 5), 32),
]


@pytest.mark.parametrize(("network", "side"), NETWORKS)
@pytest.mark.parametrize("round_to", [1, 8])
def test_every_ratio_is_met_from_the_latents_that_training_starts_with(network, side, round_to):
    costs = WidthCosts.of(network, side, side)
    generator = torch.Generator().manual_seed(0)
    latents = {name: torch.randn(width, generator=generator) for name, width in network.widths.items()}
    found = land_on_each(latents, costs, RATIOS, round_to)
    assert [one.asked for one in found] == list(RATIOS)
    assert all(one.met for one in found)


def test_a_channel_too_few_and_a_channel_too_many_are_not_met():
    network = ResnetTranslator.full(16, 3)
    costs = WidthCosts.of(network, 64, 64)
    wide = costs.ratio({**network.widths, "res": 40})
    exact = describe_landing(costs, {**network.widths, "res": 40}, wide)
    assert (exact.met, exact.reached) == (True, wide)
    one = costs.ratio({**network.widths, "res": 41}) - wide
    assert exact.one_channel == pytest.approx(one)
    assert not describe_landing(costs, {**network.widths, "res": 39}, wide).met
    assert not describe_landing(costs, {**network.widths, "res": 41}, wide).met


def test_plain_data_says_whether_it_is_met():
    assert Landing(0.5, 0.499, 0.002).as_dict() == {
        "asked": 0.5,
        "reached": 0.499,
        "one_channel": 0.002,
        "met": True,
    }
