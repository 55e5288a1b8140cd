"""The blocks of slices, put together from a few networks."""

import itertools

import pytest
import torch

from mfagan.coronetgan.network import ResnetTranslator, Translator, UnetTranslator
from mfagan.coronetgan.network.slices import extract
from mfagan.coronetgan.study.block_lists import BlockLists
from mfagan.graph.costs import sum_costs
from tests.coronetgan.study.small import (
    SIDE,
    build_resnet,
    build_unet,
)


def of_meta(make, *sizes: int) -> Translator:
    """A network without memory for its weights."""
    with torch.device("meta"):
        return make(*sizes)


def test_cyclegans_generator_has_51_blocks():
    keys = list(BlockLists(of_meta(ResnetTranslator.full, 64, 9), (256, 256)).every_block())
    kinds = [key.split(" ")[0] for key in keys]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        "stem": 3,
        "down": 18,
        "block": 9,
        "up": 18,
        "tail": 3,
    }
    assert {
        "stem 3->64",
        "down 64->128 256px",
        "down 128->256 128px",
        "block res=256 inner=192 64px",
        "up 256->128 64px",
        "up 128->64 128px",
        "tail 64->3",
    } <= set(keys)


@pytest.mark.parametrize(
    ("network", "side"), [((ResnetTranslator.full, 64, 9), 256), ((UnetTranslator.full, 64, 8), 256)]
)
def test_the_cheapest_of_all_6561_slices_is_found_without_them(network, side: int):
    """Times of a real table need not rise with the width."""
    lists = BlockLists(of_meta(*network), (side, side))
    generator = torch.Generator().manual_seed(0)
    costs = {key: torch.rand((), generator=generator).item() for key in lists.every_block()}
    prices = {
        one: sum(costs[block.key] for block in lists.blocks(one))
        for one in itertools.product(*lists.form.options.values())
    }
    assert len(prices) == 6561
    assert lists.find_cheapest(lambda block: costs[block.key]) == min(prices, key=prices.__getitem__)


@pytest.mark.parametrize("network", [build_resnet(n_blocks=4), build_unet(n_levels=4)])
def test_blocks_are_those_of_the_extracted_network(network: Translator):
    lists = BlockLists(network, (SIDE, SIDE))
    generator = torch.Generator().manual_seed(1)
    for _ in range(5):
        widths = tuple(
            one[int(torch.randint(len(one), (), generator=generator))] for one in lists.form.options.values()
        )
        small = extract(network, lists.form.latents(widths))
        wanted, found = small.blocks(SIDE, SIDE), lists.blocks(widths)
        assert [block.key for block in found] == [block.key for block in wanted]
        costs = [sum_costs([one for block in some for one in block.operators]) for some in (found, wanted)]
        assert costs[0] == costs[1]
