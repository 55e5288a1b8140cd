import torch

from mfagan.coronetgan.training.draws.pool import PicturePool
from mfagan.training.fabric import make_fabric

FABRIC = make_fabric("cpu", "fp32")


def numbered(*values: int) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float32).view(-1, 1, 1, 1)


def test_a_pool_gives_what_comes_until_it_is_full_and_half_of_it_afterwards():
    pool = PicturePool(4, 0, "a", FABRIC)
    assert torch.equal(pool.swap(0, numbered(0, 1, 2, 3)), numbered(0, 1, 2, 3))
    given = [int(pool.swap(step, numbered(step))) for step in range(4, 204)]
    fresh = sum(one == step for step, one in enumerate(given, 4))
    assert 70 < fresh < 130
    assert all(one <= step for step, one in enumerate(given, 4))


def test_an_empty_pool_gives_back_what_comes():
    pictures = numbered(1)
    assert PicturePool(0, 0, "a", FABRIC).swap(0, pictures) is pictures


def test_a_pool_that_is_restored_goes_on_as_before():
    one, other = PicturePool(3, 0, "a", FABRIC), PicturePool(3, 0, "a", FABRIC)
    for step in range(10):
        one.swap(step, numbered(step))
    other.load_state_dict(one.state_dict())
    for step in range(10, 30):
        assert torch.equal(one.swap(step, numbered(step)), other.swap(step, numbered(step)))
