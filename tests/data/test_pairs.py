from pathlib import Path

import numpy as np
import pytest
import torch

from mfagan.data.image_sets import PairFiles
from mfagan.data.images import make_lr, resize_bicubic, to_uint8
from mfagan.data.pairs import Pair, read_pair, shrink_pair
from tests.pictures import draw, tensor


def pair(width: int = 61, height: int = 42, scale: int = 4, name: str = "a") -> Pair:
    pixels = np.random.default_rng(width).integers(0, 256, (3, height, width), dtype=np.uint8)
    hr = torch.from_numpy(pixels)[:, : height // scale * scale, : width // scale * scale].float() / 255
    return Pair.from_tensors(name, make_lr(hr, scale), hr)


def test_a_pair_keeps_8_bits_and_gives_floats(tmp_path: Path):
    pixels = draw(tmp_path / "a.png", 32, 24)
    one = read_pair(PairFiles("a", tmp_path / "a.png"))
    assert one.hr_levels.dtype == one.lr_levels.dtype == np.uint8
    assert np.array_equal(one.hr_levels, pixels.transpose(2, 0, 1))
    assert one.hr.dtype == one.lr.dtype == torch.float32
    assert torch.equal(one.hr, tensor(pixels))
    assert torch.equal(one.lr, make_lr(tensor(pixels)))
    assert one.scale == 4


def test_changing_the_floats_leaves_the_pair_alone():
    one = pair()
    before = one.hr_levels.copy()
    one.hr.zero_()
    assert np.array_equal(one.hr_levels, before)


def test_tensors_are_rounded_and_clamped():
    hr = torch.full((3, 8, 8), 100.4 / 255)
    hr[0, 0, 0] = 1.2
    one = Pair.from_tensors("a", torch.zeros(3, 2, 2), hr)
    assert one.hr_levels[0, 0, 0] == 255
    assert one.hr_levels[1, 1, 1] == 100


def test_floats_are_not_taken_for_levels():
    with pytest.raises(TypeError, match=r"Pair.from_tensors"):
        Pair("a", np.zeros((3, 2, 2), np.float32), np.zeros((3, 8, 8), np.float32))


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("factor", [0.5, 0.75, 0.6])
def test_shrinking_is_bicubic_rounded_then_cropped(scale: int, factor: float):
    one = pair(scale=scale)
    small = shrink_pair(one, factor)
    shrunk = to_uint8(resize_bicubic(one.hr, factor)).numpy()
    height, width = small.hr_levels.shape[1:]
    assert 0 <= shrunk.shape[1] - height < scale
    assert 0 <= shrunk.shape[2] - width < scale
    assert np.array_equal(small.hr_levels, shrunk[:, :height, :width])
    assert torch.equal(small.lr, make_lr(small.hr, scale))
    assert (small.name, small.scale) == (f"a@{factor}", scale)


def test_the_middle_is_cut_from_both_alike():
    one = pair(96, 40)
    cut = one.centre(8)
    assert np.array_equal(cut.hr_levels, one.hr_levels[:, 4:36, 32:64])
    assert np.array_equal(cut.lr_levels, one.lr_levels[:, 1:9, 8:16])
