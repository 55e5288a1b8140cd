import pytest
import torch

from mfagan.errors import InputError
from mfagan.mobilestylegan.network.layers.styles import draw_latents
from mfagan.mobilestylegan.network.teacher.mapping import normalise
from mfagan.mobilestylegan.training.drawings import N_FACTORS, draw_faces

PLAIN = torch.zeros(1, 32)
PLAIN[0, 6] = PLAIN[0, -1] = 1.0  # a reddish head; the last number is no factor


def change(factor: int, value: float) -> torch.Tensor:
    z = PLAIN.clone()
    z[0, factor] = value
    return z


def test_a_drawing_has_its_colours_at_their_places():
    z = draw_latents([1], 32)
    factors = normalise(z)[0].sigmoid()
    image = (draw_faces(z, 64)[0] + 1) / 2
    corner, foot, brow = image[:, 0, 0], image[:, -1, 0], image[:, 20, 32]
    assert torch.allclose(corner, factors[0:3], atol=0.02)
    assert torch.allclose(foot, factors[3:6], atol=0.02)
    assert torch.allclose(brow, factors[6:9], atol=1e-5)


@pytest.mark.parametrize("factor", range(N_FACTORS))
def test_every_factor_shows_and_no_other_number_does(factor: int):
    low, high = (draw_faces(change(factor, value), 32) for value in (-1.0, 1.0))
    assert (low - high).abs().max() > 0.1
    assert torch.equal(draw_faces(change(20, -1.0), 32), draw_faces(change(20, 1.0), 32))


def test_faces_are_mirrored_and_in_range_at_any_size():
    for size in (16, 32):
        images = draw_faces(draw_latents(range(8), 32), size)
        assert images.shape == (8, 3, size, size)
        assert torch.allclose(images, images.flip(3), atol=1e-5)
        assert images.abs().max() <= 1


def test_the_same_face_at_twice_the_size():
    z = draw_latents(range(4), 32)
    small, large = draw_faces(z, 32), torch.nn.functional.avg_pool2d(draw_faces(z, 64), 2)
    assert (small - large).abs().mean() < 0.01


def test_too_few_numbers_are_refused():
    with pytest.raises(InputError, match=r"\(2, 8\): drawings of faces need \(N, at least 15\)"):
        draw_faces(torch.zeros(2, 8), 32)
