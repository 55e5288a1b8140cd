import math

import pytest
import torch

from mfagan.errors import InputError
from mfagan.mobilestylegan.network.layers.styles import draw_latents, mix_styles, spread_rows, truncate


def test_a_seeds_latent_does_not_depend_on_the_others():
    assert torch.equal(draw_latents([3, 7], 16)[1], draw_latents([7], 16)[0])


def test_truncation_draws_styles_to_their_mean():
    w, mean = torch.tensor([[1.0, 5.0]]), torch.tensor([3.0, 1.0])
    assert truncate(w, mean, 1).tolist() == [[1, 5]]
    assert truncate(w, mean, 0).tolist() == [[3, 1]]
    assert truncate(w, mean, 0.5).tolist() == [[2, 3]]
    assert truncate(w[:, None].expand(1, 4, 2), mean, 0.5).tolist() == [[[2, 3]] * 4]


@pytest.mark.parametrize("psi", [math.nan, math.inf, -math.inf])
def test_psi_is_finite(psi: float):
    with pytest.raises(InputError, match="give a finite number"):
        truncate(torch.ones(1, 2), torch.ones(2), psi)


def test_styles_are_mixed_by_rows():
    coarse, middle, fine = (torch.full((2, 3), float(i)) for i in range(3))
    w = mix_styles([coarse, middle, fine], [1, 4], rows=6)
    assert w.shape == (2, 6, 3)
    assert w[1, :, 0].tolist() == [0, 1, 1, 1, 2, 2]
    assert mix_styles([coarse], [], rows=6).unique().tolist() == [0]


@pytest.mark.parametrize(
    ("count", "crossovers", "message"),
    [
        (2, [], "crossovers none: give 1 rising rows from 1 to 1"),
        (2, [0], "give 1 rising rows from 1 to 1"),
        (2, [2], "give 1 rising rows"),
        (3, [1, 2], "3 given for the 2 rows of W"),
        (0, [], "0 given for the 2 rows"),
    ],
)
def test_styles_that_cannot_be_mixed(count: int, crossovers: list[int], message: str):
    with pytest.raises(InputError, match=message):
        mix_styles([torch.zeros(1, 4)] * count, crossovers, rows=2)


def test_one_style_is_given_to_every_row():
    w = torch.arange(4.0).view(2, 2)
    assert torch.equal(spread_rows(w, 2, [3], "network"), w[:, None].expand(2, 3, 2))
    rows = torch.zeros(1, 3, 2)
    assert spread_rows(rows, 2, [4, 3], "network") is rows


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((1, 14, 4), "W\\+ has 14 rows, 18 or 16 are needed"),
        ((1, 18, 5), r"give \(N, 4\) or \(N, 18, 4\)"),
        ((4,), r"the shape \(4,\)"),
    ],
)
def test_styles_of_another_generator(shape: tuple[int, ...], message: str):
    with pytest.raises(InputError, match=message):
        spread_rows(torch.zeros(shape), 4, [18, 16], "network")
