import pytest
import torch

from mfagan.errors import InputError
from mfagan.mobilestylegan.training.draws import Draws, EmptyBatches
from mfagan.mobilestylegan.training.width_sampling import draw_slices

SIDES = (4, 8, 8)


def test_a_step_and_its_purpose_give_the_same_numbers_always_and_others_others():
    draws, again, other = Draws(8, SIDES, 4, seed=3), Draws(8, SIDES, 4, seed=3), Draws(8, SIDES, 4, seed=4)
    torch.manual_seed(5)
    z, noise = draws.draw(7)
    torch.manual_seed(6)
    assert torch.equal(again.draw(7)[0], z)
    assert all(torch.equal(a, b) for a, b in zip(again.draw(7)[1], noise, strict=True))
    assert [tuple(one.shape) for one in noise] == [(4, 1, side, side) for side in SIDES]
    for found, _ in (draws.draw(8), draws.draw(7, "discriminator"), other.draw(7)):
        assert not torch.isclose(found, z).any()


def test_numbers_are_of_the_normal_distribution():
    z, noise = Draws(64, (32,), 64, seed=0).draw(0)
    for one in (z, noise[0]):
        assert abs(one.mean()) < 0.05
        assert abs(one.std() - 1) < 0.05


def test_processes_share_the_batch_of_one():
    z, noise = Draws(8, SIDES, 4, seed=0).draw(1)
    parts = [Draws(8, SIDES, 4, 0, rank, 2).draw(1) for rank in range(2)]
    assert torch.equal(torch.cat([part for part, _ in parts]), z)
    for i, one in enumerate(noise):
        assert torch.equal(torch.cat([maps[i] for _, maps in parts]), one)
    with pytest.raises(InputError, match="a batch of 3 cannot be shared by 2 processes"):
        Draws(8, SIDES, 3, 0, 0, 2)


def test_batches_are_empty_one_for_each_step_that_is_left():
    assert list(EmptyBatches(3, 6)) == [(), (), ()]


def test_the_sandwich_has_the_full_student_the_narrowest_slice_and_a_random_one():
    drawn = [draw_slices((64, 64, 64), 0, number) for number in range(200)]
    assert all(slices[:2] == [(64, 64, 64), (32, 32, 32)] for slices in drawn)
    assert len({slices[2] for slices in drawn}) == 27
    assert drawn[5] == draw_slices((64, 64, 64), 0, 5)
    assert [slices[2] for slices in drawn] != [
        draw_slices((64, 64, 64), 1, number)[2] for number in range(200)
    ]
