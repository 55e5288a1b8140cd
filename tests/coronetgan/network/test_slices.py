"""Slices of weight-shared translators."""

import pytest
import torch

from mfagan.coronetgan.network import ResnetTranslator, Translator, UnetTranslator
from mfagan.coronetgan.network.slices import (
    extract,
    narrowest,
    prefix_gates,
    read_widths,
    tied_latents,
    width_options,
)
from mfagan.errors import InputError


def test_resnet_has_eight_choices_of_three_widths_each():
    network = ResnetTranslator.full(8)
    tied = tied_latents(network)
    assert list(tied) == ["a", "b", "res", "inner1", "inner2", "inner3", "u1", "u2"]
    assert tied["inner2"] == ("inner4", "inner5", "inner6")
    assert sorted(name for names in tied.values() for name in names) == sorted(network.widths)
    assert width_options(64) == (64, 48, 32)


def test_unet_has_one_choice_a_level():
    tied = tied_latents(UnetTranslator.full(8, 4))
    assert tied == {
        "level1": ("down1", "up1"),
        "level2": ("down2", "up2"),
        "level3": ("down3", "up3"),
        "level4": ("down4",),
    }


def test_few_blocks_have_fewer_choices():
    assert [name for name in tied_latents(ResnetTranslator.full(4, 2)) if name.startswith("inner")] == [
        "inner1",
        "inner2",
    ]


@pytest.mark.parametrize(
    "network",
    [
        ResnetTranslator.full(4, 2),
        ResnetTranslator.full(4, 1, upsampling="shuffle"),
        UnetTranslator.full(4, 3),
        UnetTranslator.full(4, 3, norm="instance"),
    ],
    ids=["ResNet", "pixel shuffle", "U-Net", "U-Net, instance norm"],
)
def test_slice_computes_what_the_gated_network_computes(network: Translator):
    network = network.eval()
    widths = narrowest(network)
    x = torch.rand(1, 3, 16, 16) * 2 - 1
    with torch.no_grad():
        gated = network(x, prefix_gates(network.widths, widths, x.device))
        torch.testing.assert_close(extract(network, widths)(x), gated)


def test_widths_of_all_latents_follow_from_the_choices():
    network = ResnetTranslator.full(4, 2)
    chosen = dict.fromkeys(tied_latents(network), 2)
    assert read_widths(network, chosen) == dict.fromkeys(network.widths, 2)


@pytest.mark.parametrize(
    ("widths", "message"), [({"stem": 9}, "stem is 9; give 1 to 4"), ({"foo": 1}, "no latent 'foo'")]
)
def test_slices_that_are_none_are_refused(widths: dict[str, int], message: str):
    with pytest.raises(InputError, match=message):
        extract(ResnetTranslator.full(4, 1), widths)
