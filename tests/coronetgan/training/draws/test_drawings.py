import pytest
import torch

from mfagan.coronetgan.training.draws.drawings import DrawingSampler, draw_held_out
from mfagan.errors import InputError


@pytest.mark.parametrize("subject", ["shapes", "discs"])
def test_a_batch_is_a_function_of_seed_and_step(subject):
    sampler = DrawingSampler(subject, 16, 4, seed=1)
    a, b = sampler.batch(3)
    assert a.shape == b.shape == (4, 3, 16, 16)
    assert all(torch.equal(one, two) for one, two in zip((a, b), sampler.batch(3), strict=True))
    for other in (sampler.batch(4), DrawingSampler(subject, 16, 4, seed=2).batch(3)):
        assert not torch.equal(other[1], b)
    for each in (a, b):
        assert -1 <= each.min() < each.max() <= 1


@pytest.mark.parametrize("subject", ["shapes", "discs"])
def test_the_parts_of_two_processes_are_the_batch(subject):
    sampler = DrawingSampler(subject, 16, 4)
    halves = [sampler.batch(0, rank, 2) for rank in (0, 1)]
    for whole, one, two in zip(sampler.batch(0), *halves, strict=True):
        assert torch.equal(whole, torch.cat((one, two)))
    with pytest.raises(InputError, match="a batch of 4 cannot be shared by 3 processes"):
        sampler.batch(0, 0, 3)


def test_outlines_are_where_shapes_end_and_tell_them_apart():
    """The outlines are grey; in the middle of the filled disc there is red, of the square blue."""
    outlines, filled = draw_held_out("shapes", 8, 64)
    assert torch.equal(outlines[:, 0], outlines[:, 2])
    assert (outlines < 0).float().mean() < 0.15
    red, _, blue = filled.unbind(1)
    for picture in range(8):
        assert (red[picture] - blue[picture]).max() > 0.5
        assert (blue[picture] - red[picture]).max() > 0.5


def test_discs_with_stripes_differ_inside_the_disc_alone():
    plain, striped = draw_held_out("discs", 4, 48)
    changed = (plain != striped).any(1)
    assert 0.05 < changed.float().mean() < 0.5
    assert torch.equal(plain[..., 0, 0], striped[..., 0, 0])


def test_held_out_drawings_are_no_batch():
    held_out = draw_held_out("shapes", 4, 16)[1]
    assert torch.equal(held_out, draw_held_out("shapes", 4, 16)[1])
    assert not torch.equal(held_out, DrawingSampler("shapes", 16, 4).batch(0)[1])
