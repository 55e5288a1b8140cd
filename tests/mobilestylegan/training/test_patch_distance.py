import pytest
import torch

from mfagan.errors import InputError
from mfagan.mobilestylegan.training.patch_distance import patch_distance


def noise(n: int = 4, side: int = 16, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, 3, side, side, generator=torch.Generator().manual_seed(seed))


def test_the_same_set_in_another_order_is_at_distance_0():
    images = noise()
    assert patch_distance(images, images.flip(0)) == pytest.approx(0, abs=1e-6)


def test_grey_images_are_as_far_apart_as_their_projections():
    """The projection of a patch that is c everywhere on a direction d is c times the sum of d."""
    generator = torch.Generator("cpu").manual_seed(0)
    directions = torch.randn(147, 128, generator=generator)
    directions /= directions.norm(dim=0)
    expected = 0.5 * directions.sum(0).abs().mean().item()
    found = patch_distance(torch.full((2, 3, 16, 16), 0.25), torch.full((2, 3, 16, 16), 0.75))
    assert found == pytest.approx(expected, rel=1e-5)


def test_other_images_of_one_kind_are_nearer_than_those_of_another():
    assert patch_distance(noise(), noise(seed=1)) < 0.3 * patch_distance(noise(), 2 * noise(seed=1))


@pytest.mark.parametrize("shape", [(3, 3, 16, 16), (4, 3, 32, 32), (4, 3, 8, 8)])
def test_sets_of_different_shapes_are_refused(shape: tuple[int, ...]):
    with pytest.raises(InputError, match=r"give as many of the same size, at least 14 px a side"):
        patch_distance(noise(side=shape[-1]) if shape[-1] == 8 else noise(), torch.zeros(shape))
