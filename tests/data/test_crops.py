import pickle
import threading
import time

import numpy as np
import pytest
import torch

from mfagan.data.crops import CropSampler, Prefetcher, waiting_share
from mfagan.data.images import from_uint8, make_lr, to_uint8
from mfagan.data.pairs import Pair
from mfagan.data.splits import read_pairs
from mfagan.errors import InputError


def located(height: int, width: int, scale: int = 4) -> Pair:
    """A pair whose LR pixels name their place (row, column) and whose HR pixels that of their LR pixel."""
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    lr = torch.stack([rows, columns, torch.full_like(rows, 7)]).to(torch.uint8)
    hr = lr.repeat_interleave(scale, 1).repeat_interleave(scale, 2)
    return Pair(f"{height}x{width}", lr.numpy(), hr.numpy())


def photo_pair() -> Pair:
    return read_pairs("embedded", max_images=1)[0]


def test_a_batch_has_the_asked_shape_and_range():
    lr, hr = CropSampler([photo_pair()], 12, 5).batch(0)
    assert lr.shape == (5, 3, 12, 12)
    assert hr.shape == (5, 3, 48, 48)
    assert lr.dtype == hr.dtype == torch.float32
    assert torch.equal(hr, from_uint8(to_uint8(hr)))
    assert hr.max() > 0.3


def test_lr_and_hr_are_the_same_place_turned_the_same_way():
    lr, hr = CropSampler([photo_pair()], 24, 32, seed=3).batch(0)
    again = make_lr(hr)
    # Inside, where the kernel (8 HR px = 2 LR px a side) sees nothing beyond the crop, they agree to the bit.
    assert torch.equal(again[..., 2:-2, 2:-2], lr[..., 2:-2, 2:-2])
    assert not torch.equal(again, lr)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_every_scale_is_aligned(scale: int):
    lr, hr = CropSampler([located(20, 30, scale)], 6, 16).batch(1)
    assert torch.equal(hr, lr.repeat_interleave(scale, 2).repeat_interleave(scale, 3))


def test_batches_depend_on_the_seed_and_the_step_alone():
    pairs = [located(30, 40), located(50, 20)]
    sampler = CropSampler(pairs, 8, 6, seed=1)
    first = [sampler.batch(step) for step in range(4)]
    torch.manual_seed(99)
    restarted = CropSampler(pairs, 8, 6, seed=1)
    for step in (3, 0):
        assert all(torch.equal(a, b) for a, b in zip(restarted.batch(step), first[step], strict=True))
    others = [
        first[1],
        first[2],
        CropSampler(pairs, 8, 6, seed=2).batch(0),
        CropSampler(pairs, 8, 6, seed=0).batch(1),
    ]
    assert not any(torch.equal(first[0][0], other[0]) for other in others)


def test_sampling_leaves_the_global_generators_alone():
    def states() -> tuple[bytes, bytes]:
        return torch.get_rng_state().numpy().tobytes(), pickle.dumps(np.random.get_state())  # noqa: NPY002

    before = states()
    CropSampler([located(30, 40)], 8, 6).batch(0)
    assert states() == before


def test_all_eight_orientations_occur_equally_often():
    corner = {}
    lr, _ = CropSampler([located(16, 16)], 16, 800).batch(0)
    for crop in to_uint8(lr):
        # Where the origin went and which way the rows run tells the eight apart.
        key = (tuple(crop[:2, 0, 0].tolist()), tuple(crop[:2, 0, 15].tolist()))
        corner[key] = corner.get(key, 0) + 1
    assert len(corner) == 8
    assert min(corner.values()) > 60


def test_places_reach_every_border_and_images_are_drawn_evenly():
    sampler = CropSampler([located(20, 31), located(8, 8)], 8, 4000)
    lr = to_uint8(sampler.batch(0)[0])
    rows, columns = lr[:, 0].flatten(1), lr[:, 1].flatten(1)
    tops, lefts = rows.amin(1), columns.amin(1)
    # The 8x8 image has one place only, (0, 0): about half of the crops, although it is a tenth of the area.
    share = ((tops == 0) & (lefts == 0)).float().mean().item()
    assert 0.45 < share < 0.55
    assert set(tops.tolist()) == set(range(13))
    assert set(lefts.tolist()) == set(range(24))


BAD_SAMPLERS: dict[str, tuple[tuple, str]] = {
    "small image": (
        ([located(40, 40), located(40, 15)], 16, 4),
        "image 40x15 is 60x160 px, smaller than a crop of 64x64",
    ),
    "no images": (([], 16, 4), "no training images"),
    "no crop": (([located(20, 20)], 0, 4), "crop is 0"),
    "no batch": (([located(20, 20)], 8, 0), "batch is 0"),
    "negative seed": (([located(20, 20)], 8, 4, -1), "seed is -1"),
}


@pytest.mark.parametrize("case", BAD_SAMPLERS)
def test_a_sampler_that_cannot_work_is_refused(case: str):
    arguments, message = BAD_SAMPLERS[case]
    with pytest.raises(InputError, match=message):
        CropSampler(*arguments)


# Several processes


def test_the_parts_of_all_processes_joined_are_the_batch():
    sampler = CropSampler([located(30, 40), located(50, 20)], 8, 6, seed=1)
    for world in (1, 2, 3, 6):
        parts = [sampler.batch(5, rank, world) for rank in range(world)]
        for joined, whole in zip(map(torch.cat, zip(*parts, strict=True)), sampler.batch(5), strict=True):
            assert torch.equal(joined, whole)


def test_a_batch_that_cannot_be_shared_is_refused():
    sampler = CropSampler([located(30, 40)], 8, 6)
    with pytest.raises(InputError, match="batch of 6 cannot be shared by 4 processes"):
        sampler.batch(0, 0, 4)
    with pytest.raises(InputError, match="rank is 2: give 0 to 1 of 2 processes"):
        sampler.batch(0, 2, 2)


# Batches prepared in the background


class Broken(CropSampler):
    """Fails from a step on."""

    def batch(self, step: int, rank: int = 0, world: int = 1):
        if step >= 3:
            raise InputError(f"no crops at step {step}")
        return super().batch(step, rank, world)


class Slow(CropSampler):
    """Every batch takes 20 ms to make."""

    def batch(self, step: int, rank: int = 0, world: int = 1):
        time.sleep(0.02)
        return super().batch(step, rank, world)


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate()]


@pytest.mark.parametrize("ahead", [1, 4, 50])
def test_prefetched_batches_are_the_samplers_in_order(ahead: int):
    sampler = CropSampler([located(30, 40)], 8, 6)
    with Prefetcher(sampler, 3, 13, ahead, rank=1, world=3) as batches:
        found = list(batches)
    assert len(found) == 10
    for step, batch in enumerate(found, start=3):
        expected = sampler.batch(step, 1, 3)
        assert all(torch.equal(one, other) for one, other in zip(batch, expected, strict=True))
    assert "crops" not in threads()


def test_an_error_of_the_thread_is_raised_where_its_batch_would_have_come():
    with Prefetcher(Broken([located(30, 40)], 8, 6), 0, 9) as batches:
        taken = iter(batches)
        assert [next(taken)[0].shape[0] for _ in range(3)] == [6, 6, 6]
        with pytest.raises(InputError, match="no crops at step 3"):
            next(taken)


def test_leaving_early_stops_the_thread():
    with Prefetcher(CropSampler([located(30, 40)], 8, 6), 0, 10**9, ahead=2) as batches:
        next(iter(batches))
        assert "crops" in threads()
    assert "crops" not in threads()
    with pytest.raises(RuntimeError, match="context"):
        list(batches)


def test_nothing_to_do_is_no_batch():
    with Prefetcher(CropSampler([located(30, 40)], 8, 6), 4, 4) as batches:
        assert list(batches) == []
    with pytest.raises(InputError, match="ahead is 0"):
        Prefetcher(CropSampler([located(30, 40)], 8, 6), 0, 4, ahead=0)


def test_a_batch_no_process_can_share_is_refused_before_the_thread_starts():
    with pytest.raises(InputError, match="batch of 6 cannot be shared by 4 processes"):
        Prefetcher(CropSampler([located(30, 40)], 8, 6), 0, 4, world=4)


def test_waiting_is_counted():
    with Prefetcher(Slow([located(30, 40)], 8, 6), 0, 5) as batches:
        assert batches.waited_s == 0
        assert len(list(batches)) == 5
        assert batches.waited_s > 0


def test_the_share_of_waiting_lies_between_all_and_nothing():
    starved = waiting_share(Slow([located(30, 40)], 8, 6), lambda lr, hr: None, steps=5, warm_up=1)
    fed = waiting_share(CropSampler([located(30, 40)], 8, 6), lambda lr, hr: time.sleep(0.02), 5, 2)
    assert 0 <= fed < starved <= 1
