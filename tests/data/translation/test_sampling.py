"""Batches of two domains."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mfagan.data.crops import Prefetcher
from mfagan.data.translation.folders import find_translation
from mfagan.data.translation.reading import TrainingPictures, read_training
from mfagan.data.translation.sampling import TranslationSampler
from mfagan.errors import InputError


def pictures(n: int, side: int = 9, seed: int = 0) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    return [random.integers(0, 256, (3, side, side), dtype=np.uint8) for _ in range(n)]


def negatives(n: int = 4) -> TrainingPictures:
    a = pictures(n)
    return TrainingPictures(a, [255 - one for one in a], True)


def unpaired() -> TrainingPictures:
    return TrainingPictures(pictures(4), pictures(3, seed=1), False)


@given(st.integers(0, 2**32), st.integers(0, 10**6), st.integers(1, 3), st.integers(1, 3), st.booleans())
@settings(max_examples=30, deadline=None)
def test_a_batch_follows_from_seed_and_step_and_is_shared(
    seed: int, step: int, world: int, share: int, paired: bool
):
    data = negatives() if paired else unpaired()
    sampler = TranslationSampler(data, world * share, 5, seed)
    whole = sampler.batch(step)
    assert [one.shape for one in whole] == [(world * share, 3, 5, 5)] * 2
    again = TranslationSampler(data, world * share, 5, seed).batch(step)
    parts = [sampler.batch(step, rank, world) for rank in range(world)]
    for side in range(2):
        assert whole[side].dtype == torch.float32
        assert torch.equal(whole[side], again[side])
        assert torch.equal(torch.cat([part[side] for part in parts]), whole[side])
    if paired:
        assert torch.allclose(whole[0], -whole[1], atol=1e-6)


def test_pairs_from_files_stay_aligned(tmp_path: Path):
    """The right half of each picture is the negative of its left one; resizing rounds both."""
    (tmp_path / "train").mkdir()
    for i, levels in enumerate(pictures(3, 32)):
        both = np.concatenate((levels, 255 - levels), axis=2).transpose(1, 2, 0)
        Image.fromarray(both).save(tmp_path / "train" / f"{i}.png")
    found = read_training(find_translation(tmp_path).part("train"), 24)
    a, b = TranslationSampler(found, 32, 16).batch(0)
    assert torch.allclose(a, -b, atol=4 / 255)
    assert a.std() > 0.2


def places(crop: torch.Tensor, data: list[np.ndarray]) -> set[tuple[int, int, int, bool]]:
    """Where a crop may come from: picture, row, column, mirrored."""
    side = crop.shape[-1]
    found = set()
    for i, levels in enumerate(data):
        whole = torch.from_numpy(levels).float() / 255 * 2 - 1
        for top in range(whole.shape[1] - side + 1):
            for left in range(whole.shape[2] - side + 1):
                here = whole[:, top : top + side, left : left + side]
                found |= {
                    (i, top, left, m)
                    for m in (False, True)
                    if torch.equal(here.flip(-1) if m else here, crop)
                }
    return found


def test_the_domains_of_unpaired_pictures_are_drawn_independently():
    a, b = pictures(2, 6), pictures(3, 6, 1)
    crops = TranslationSampler(TrainingPictures(a, b, False), 600, 5).batch(0)
    drawn = [[places(crop, side) for crop in some] for side, some in zip((a, b), crops, strict=True)]
    assert all(len(found) == 1 for side in drawn for found in side)
    (from_a, from_b) = ([found.pop() for found in side] for side in drawn)
    assert len(set(from_a)) == 2 * 2 * 2 * 2
    assert len(set(from_b)) == 3 * 2 * 2 * 2
    for i in (1, 2, 3):
        assert len({(one[i], other[i]) for one, other in zip(from_a, from_b, strict=True)}) == 4
    assert len({(one[0], other[0]) for one, other in zip(from_a, from_b, strict=True)}) == 6


def test_pictures_are_mirrored_if_asked_alone():
    data = TrainingPictures(pictures(1, 5), pictures(1, 5, 1), False)
    whole = torch.from_numpy(data.a[0]).float() / 255 * 2 - 1
    a, _ = TranslationSampler(data, 100, 5, mirror=False).batch(0)
    assert all(torch.equal(one, whole) for one in a)
    a, b = TranslationSampler(data, 200, 5).batch(0)
    assert 70 < sum(torch.equal(one, whole.flip(-1)) for one in a) < 130
    assert (
        len({(bool(torch.equal(x, a[0])), bool(torch.equal(y, b[0]))) for x, y in zip(a, b, strict=True)})
        == 4
    )


def test_pairs_may_be_drawn_as_if_they_were_none():
    a, b = TranslationSampler(replace(negatives(), paired=False), 50, 5).batch(0)
    assert not torch.allclose(a, -b, atol=1e-6)


def test_batches_are_prepared_in_the_background():
    sampler = TranslationSampler(unpaired(), 4, 5, seed=3)
    with Prefetcher(sampler, 2, 4, rank=1, world=2) as batches:
        for step, (a, b) in zip((2, 3), batches, strict=True):
            expected = sampler.batch(step, 1, 2)
            assert torch.equal(a, expected[0])
            assert torch.equal(b, expected[1])
    with pytest.raises(InputError, match="a batch of 4 cannot be shared by 3 processes"):
        Prefetcher(sampler, 0, 1, world=3)
    with pytest.raises(InputError, match="rank is 2: give 0 to 1 of 2 processes"):
        sampler.batch(0, 2, 2)


@pytest.mark.parametrize(
    ("data", "batch", "crop_px", "seed", "message"),
    [
        (unpaired(), 0, 5, 0, "batch is 0: give at least 1"),
        (unpaired(), 1, 0, 0, "crop is 0: give at least 1"),
        (unpaired(), 1, 5, -1, "seed is -1: give at least 0"),
        (
            unpaired(),
            1,
            10,
            0,
            "crops of 10x10 px cannot be cut from pictures of 9x9 px: give a smaller crop",
        ),
        (TrainingPictures([], pictures(1), False), 1, 5, 0, "no training images"),
        (
            TrainingPictures(pictures(2), pictures(1), True),
            1,
            5,
            0,
            "2 pictures of A and 1 of B are no pairs",
        ),
    ],
)
def test_what_cannot_be_drawn_is_refused(
    data: TrainingPictures, batch: int, crop_px: int, seed: int, message: str
):
    with pytest.raises(InputError, match=message):
        TranslationSampler(data, batch, crop_px, seed)
