from pathlib import Path

import pytest
import torch
from PIL import Image

from mfagan.coronetgan.training.pictures import open_pictures
from mfagan.errors import InputError
from tests.coronetgan.training.small import tiny_recipe, write_domains


def test_pictures_of_a_folder_are_batches_of_two_domains_and_some_held_out(tmp_path: Path):
    recipe = tiny_recipe("cyclegan", load_px=18, held_out=2)
    found = open_pictures(recipe, write_domains(tmp_path, n=41))
    a, b = found.sampler.batch(0)
    assert a.shape == b.shape == (2, 3, 16, 16)
    assert found.held_out.a.shape == (2, 3, 16, 16)
    assert not found.held_out.paired
    assert (found.about["n_a"], found.about["n_b"], found.about["layout"]) == (39, 39, "unpaired")


def test_nothing_is_chosen_by_pictures_of_the_test(tmp_path: Path):
    write_domains(tmp_path)
    held_out = open_pictures(tiny_recipe("cyclegan"), tmp_path).held_out.a
    for path in tmp_path.glob("test*/*.png"):
        Image.new("RGB", (20, 20)).save(path)
    assert torch.equal(open_pictures(tiny_recipe("cyclegan"), tmp_path).held_out.a, held_out)


def test_pairs_by_name_stay_pairs(tmp_path: Path):
    write_domains(tmp_path)
    found = open_pictures(tiny_recipe(load_px=18), tmp_path, paired=True)
    a, b = found.sampler.batch(0)
    assert (a + b).abs().max() < 0.05
    assert found.held_out.paired
    with pytest.raises(InputError, match="holds unpaired pictures: give --paired"):
        open_pictures(tiny_recipe(load_px=18), tmp_path)


def test_the_other_direction_turns_the_domains(tmp_path: Path):
    write_domains(tmp_path)
    forwards = open_pictures(tiny_recipe("cyclegan"), tmp_path)
    backwards = open_pictures(tiny_recipe("cyclegan", direction="BtoA"), tmp_path)
    assert torch.equal(forwards.held_out.a, backwards.held_out.b)


def test_a_domain_may_be_grey():
    recipe = tiny_recipe("cyclegan", in_channels=1, identity=0)
    found = open_pictures(recipe, "drawings")
    a, b = found.sampler.batch(0)
    assert (a.shape[1], b.shape[1]) == (1, 3)
    assert (found.held_out.a.shape[1], found.held_out.b.shape[1]) == (1, 3)
    whole = open_pictures(tiny_recipe("cyclegan"), "drawings").sampler.batch(0)[0]
    assert torch.allclose(a, whole.mean(1, keepdim=True))


def test_a_missing_folder_is_named(tmp_path: Path):
    write_domains(tmp_path)
    for path in (tmp_path / "testB").iterdir():
        path.unlink()
    (tmp_path / "testB").rmdir()
    with pytest.raises(InputError, match="has testA and no testB: add the folder testB"):
        open_pictures(tiny_recipe("cyclegan"), tmp_path)
