"""Masks, the proximal step, landing on a ratio and the forecast."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mfagan.coronetgan.network import ResnetTranslator, Translator, UnetTranslator
from mfagan.coronetgan.network.costs import WidthCosts
from mfagan.coronetgan.network.hyper.latents import mask_of, proximal_step, shrink
from mfagan.coronetgan.network.hyper.ratio import (
    STOP_ABOVE,
    count_steps,
    land,
    least_ratio,
    masked_ratio,
    require_ratio,
)
from mfagan.errors import InputError


def half_normal(network: Translator, seed: int = 0) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {name: torch.randn(width, generator=generator) for name, width in network.widths.items()}


def test_shrinking_by_hand():
    found = shrink(torch.tensor([0.5, -0.02, 0.003, 0.0, -1.0]), 0.01)
    torch.testing.assert_close(found, torch.tensor([0.49, -0.01, 0.0, 0.0, -0.99]))


def test_mask_keeps_large_entries_and_four_at_least():
    assert mask_of(torch.tensor([0.5, -0.02, 0.003, 0.0, -1.0, 0.006])).tolist() == [1, 1, 0, 0, 1, 1]
    assert mask_of(torch.tensor([1e-3, 0.0, -2e-3, 3e-3, 4e-3, 1.0])).tolist() == [0, 0, 1, 1, 1, 1]
    assert mask_of(torch.zeros(3)).all()


def test_latents_with_few_channels_left_are_not_shrunk():
    latents = {"few": torch.tensor([1.0, 1.0, 1.0, 1.0, 1e-3]), "many": torch.ones(5)}
    proximal_step(latents, 0.1)
    assert latents["few"].tolist() == pytest.approx([1.0, 1.0, 1.0, 1.0, 1e-3])
    assert latents["many"].tolist() == pytest.approx([0.9] * 5)


@pytest.mark.parametrize("ratio", [0.7, 0.5, 0.3])
@pytest.mark.parametrize(
    "network", [ResnetTranslator.full(16, 3), UnetTranslator.full(8, 5)], ids=["ResNet", "U-Net"]
)
def test_landing_is_within_one_channel(network: Translator, ratio: float):
    costs, latents = WidthCosts.of(network, 64, 64), half_normal(network)
    kept = land(latents, costs, ratio)
    widths = {name: len(index) for name, index in kept.items()}
    assert costs.ratio(widths) <= ratio
    pruned = {
        name: latents[name].abs()[[i for i in range(len(latents[name])) if i not in index.tolist()]]
        for name, index in kept.items()
    }
    name = max(pruned, key=lambda one: pruned[one].max().item() if len(pruned[one]) else -1.0)
    assert costs.ratio({**widths, name: widths[name] + 1}) > ratio  # the next channel would be too much


@settings(max_examples=30, deadline=None)
@given(ratio=st.floats(0.1, 1.0), seed=st.integers(0, 99), round_to=st.sampled_from([1, 4, 8]))
def test_landing_keeps_the_largest_and_its_limits(ratio: float, seed: int, round_to: int):
    network = ResnetTranslator.full(16, 2)
    costs, latents = WidthCosts.of(network, 64, 64), half_normal(network, seed)
    kept = land(latents, costs, ratio, round_to)
    widths = {name: len(index) for name, index in kept.items()}
    least = least_ratio(costs, round_to)
    assert costs.ratio(widths) <= max(ratio, least)
    for name, index in kept.items():
        magnitudes = latents[name].abs()
        assert widths[name] >= 4
        assert widths[name] % round_to == 0 or widths[name] == network.widths[name]
        others = magnitudes[[i for i in range(len(magnitudes)) if i not in index.tolist()]]
        assert not len(others) or magnitudes[index].min() >= others.max()


def test_least_possible_ratio():
    for make, size, least in (
        (ResnetTranslator.full, 256, 0.00189),
        (UnetTranslator.full, 256, 0.00225),
        (lambda: ResnetTranslator.full(16, 3), 64, 0.057),
    ):
        with torch.device("meta"):
            network = make()
        costs = WidthCosts.of(network, size, size)
        assert least_ratio(costs) == pytest.approx(least, abs=6e-4 if least > 0.01 else 6e-6)


@pytest.mark.parametrize("ratio", [0.0, -0.5, 1.5, float("nan")])
def test_ratios_that_are_none(ratio: float):
    costs = WidthCosts.of(ResnetTranslator.full(16, 3), 64, 64)
    with pytest.raises(InputError, match="above 0 and at most 1"):
        require_ratio(ratio, costs)


def test_ratios_below_the_least_channels_name_it():
    costs = WidthCosts.of(ResnetTranslator.full(16, 3), 64, 64)
    with pytest.raises(InputError, match=r"4 channels of every layer already leave 0\.0571"):
        require_ratio(0.01, costs)
    assert require_ratio(0.5, costs) == 0.5


def test_forecast_counts_the_steps_that_shrinking_alone_needs():
    network = ResnetTranslator.full(16, 3)
    costs, latents = WidthCosts.of(network, 64, 64), half_normal(network)
    amount, target = 3e-3, 0.5
    steps = count_steps(latents, costs, target, [amount] * 800)
    assert steps is not None
    found = 0
    while masked_ratio(latents, costs) > target + STOP_ABOVE:
        proximal_step(latents, amount)
        found += 1
    assert abs(found - steps) <= 1  # sums of rounded numbers
    assert count_steps(half_normal(network), costs, target, [amount] * (steps - 2)) is None


def test_half_normal_latents_lose_the_shares_that_the_specification_names():
    z = torch.randn(200_000, generator=torch.Generator().manual_seed(0)).abs()
    for share, shrinkage in {0.1: 0.126, 0.2: 0.253, 0.3: 0.385, 0.4: 0.524, 0.5: 0.674, 0.7: 1.036}.items():
        assert (shrink(z, shrinkage) == 0).double().mean().item() == pytest.approx(share, abs=0.005)


@pytest.mark.parametrize(("ratio", "round_to"), [(0.7, 16), (0.5, 16), (0.3, 8)])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_filling_meets_the_ratio_within_one_channel_though_widths_are_rounded(
    ratio: float, round_to: int, seed: int
):
    network = ResnetTranslator.full(16, 3)
    costs = WidthCosts.of(network, 64, 64)
    latents = half_normal(network, seed)
    rounded, filled = (
        {name: len(index) for name, index in land(latents, costs, ratio, round_to, fill=fill).items()}
        for fill in (False, True)
    )
    reached = costs.ratio(filled)
    one_more = max(
        costs.ratio({**filled, name: width + 1}) - reached
        for name, width in filled.items()
        if width < network.widths[name]
    )
    assert 0 <= ratio - reached < one_more
    assert costs.ratio(rounded) <= reached
    assert all(filled[name] >= width for name, width in rounded.items())
    assert sum(width % round_to > 0 for width in filled.values()) <= 2
