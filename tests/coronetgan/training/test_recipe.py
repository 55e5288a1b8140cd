from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from mfagan.coronetgan.network import ResnetTranslator, UnetTranslator
from mfagan.coronetgan.training.recipe import STAGES, TranslationRecipe, change_recipe, read_recipe
from mfagan.errors import InputError
from mfagan.training.recipe import as_record, parse_recipe
from tests.coronetgan.training.small import tiny_recipe, with_every_stage


def test_shipped_recipes_are_what_was_published():
    pix2pix, cyclegan, demo = map(read_recipe, ("pix2pix", "cyclegan", "demo"))
    for recipe, published in ((pix2pix, 400), (cyclegan, 1334)):
        dense = recipe.stages["dense"]
        assert (dense.steps, dense.learning_rate, dense.fall_over) == (200 * published, 2e-4, 0.5)
        assert (recipe.batch, recipe.betas, recipe.load_px, recipe.crop_px) == (1, (0.5, 0.999), 286, 256)
        assert (recipe.gamma, recipe.tau, recipe.min_channels, recipe.mask) == (0.1, 5e-3, 4, "search")
    assert (pix2pix.gan, pix2pix.l1, pix2pix.norm, pix2pix.dropout) == ("vanilla", 100, "batch", True)
    assert (cyclegan.gan, cyclegan.cycle, cyclegan.identity, cyclegan.pool) == ("lsgan", 10, 0.5, 50)
    assert (demo.gamma, demo.batch, demo.stages["dense"].learning_rate) == (3, 4, 1e-3)
    unet, resnet = pix2pix.translator(), demo.translator()
    assert isinstance(unet, UnetTranslator)
    assert sum(one.numel() for one in unet.parameters()) == 54_413_955
    assert isinstance(resnet, ResnetTranslator)
    assert sum(one.numel() for one in resnet.parameters()) == 272_515
    judges = [sum(one.numel() for one in each.discriminator().parameters()) for each in (pix2pix, cyclegan)]
    assert judges == [2_768_705, 2_764_737]


def test_stages_that_are_left_out_are_as_the_dense_one():
    recipe = tiny_recipe()
    assert tuple(recipe.stages) == STAGES
    assert len(set(recipe.stages.values())) == 1
    changed = with_every_stage(recipe, steps=9).with_stage("pruned", steps=12)
    assert {name: one.steps for name, one in changed.stages.items()} == {
        **dict.fromkeys(STAGES, 9),
        "pruned": 12,
    }


def test_a_record_gives_the_recipe_back():
    recipe = tiny_recipe("cyclegan", mask="bake")
    assert parse_recipe(TranslationRecipe, as_record(recipe), "record", tuple(recipe.stages)) == recipe


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"gamma": 0}, "gamma: .*greater than 0"),
        ({"gamma": float("nan")}, "gamma: .*finite|gamma: .*greater"),
        ({"tau": -1}, "tau: .*greater than 0"),
        ({"mask": "never"}, "mask: .*'search' or 'bake'"),
        ({"round_to": 0}, "round_to: .*greater than or equal to 1"),
        ({"compile": True}, "compile: these networks are not compiled"),
        ({"load_px": 8}, "load_px is 8: crops of 16 px need that at least"),
        ({"l1": 0}, "l1 is 0: without it pix2pix learns nothing"),
        (
            {"model": "cyclegan", "in_channels": 1},
            "identity: pictures of 1 and 3 channels cannot stay what they are; set it to 0",
        ),
    ],
)
def test_wrong_settings_are_refused_in_one_line(settings: dict[str, Any], message: str):
    with pytest.raises(InputError, match=message) as refusal:
        change_recipe(tiny_recipe(), settings)
    assert "\n" not in str(refusal.value)
    with pytest.raises(ValidationError):
        tiny_recipe(**settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"crop_px": 18, "load_px": 18}, "recipe tiny: crop_px: picture of 18x18 px: .*multiples of 4 px"),
        ({"crop_px": 4}, "crop_px: picture of 4x4 px: .* from 8 px on"),
        ({"generator": "unet", "levels": 5}, "crop_px: picture of 16x16 px: .*multiples of 32 px"),
        ({"discriminator_layers": 3}, "crop_px is 16: a discriminator of 3 layers needs 24"),
    ],
)
def test_sizes_that_networks_do_not_take_are_refused(settings: dict[str, Any], message: str):
    with pytest.raises(InputError, match=message):
        tiny_recipe(**settings).translator()


def test_a_missing_stage_and_an_unknown_setting_are_named(tmp_path: Path):
    path = tmp_path / "mine.toml"
    path.write_text('name = "mine"\nngf = 3\n[stages.dense]\nsteps = 3\nlearning_rate = 1e-3\n')
    with pytest.raises(InputError, match="ngf"):
        read_recipe(path)
    path.write_text('name = "mine"\n[stages.search]\nsteps = 3\nlearning_rate = 1e-3\n')
    with pytest.raises(InputError, match=r"stages\.dense is missing"):
        read_recipe(path)
