import pytest
import torch

from mfagan.mobilestylegan.network.layers.haar import (
    HAAR,
    InverseHaar,
    forward_haar,
    group_order,
    inverse_haar,
)


def test_the_transform_of_counting_numbers():
    bands = forward_haar(torch.arange(16.0).view(1, 1, 4, 4))[0]
    low, lh, hl, hh = (band.flatten().tolist() for band in bands)
    assert low == [5, 9, 21, 25]
    assert lh == [-4] * 4
    assert hl == [-1] * 4
    assert hh == [0] * 4


@pytest.mark.parametrize(
    ("band", "pixels"),
    [
        (0, [[0.5, 0.5], [0.5, 0.5]]),
        (1, [[0.5, 0.5], [-0.5, -0.5]]),
        (2, [[0.5, -0.5], [0.5, -0.5]]),
        (3, [[0.5, -0.5], [-0.5, 0.5]]),
    ],
)
def test_the_pixels_of_one_number_in_a_band(band: int, pixels: list[list[float]]):
    bands = torch.zeros(1, 8, 1, 1)
    bands[0, 4 + band] = 1
    first, second = inverse_haar(bands)[0]
    assert not first.any()
    assert second.tolist() == pixels


def test_the_inverse_undoes_the_transform_and_keeps_the_energy():
    image = torch.rand(2, 3, 8, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    bands = forward_haar(image)
    assert bands.shape == (2, 12, 4, 6)
    assert (inverse_haar(bands) - image).abs().max() < 5e-16
    assert abs(bands.square().sum() / image.square().sum() - 1) < 1e-14
    matrix = torch.tensor(HAAR, dtype=torch.float64)
    assert torch.equal(matrix, matrix.T)
    assert torch.equal(matrix @ matrix, torch.eye(4, dtype=torch.float64))


def test_the_module_computes_the_function():
    bands = torch.randn(1, 8, 3, 5, generator=torch.Generator().manual_seed(1))
    assert torch.equal(InverseHaar()(bands), inverse_haar(bands))


def test_group_order_of_the_authors_channels():
    assert group_order(8).tolist() == [0, 2, 3, 4, 1, 5, 6, 7]
    theirs = torch.zeros(1, 8, 1, 1)
    theirs[0, 5] = 1
    first, second = inverse_haar(theirs[:, group_order(8)])[0]
    assert not first.any()
    assert second.tolist() == [[0.5, 0.5], [-0.5, -0.5]]


def test_against_pywavelets_convention():
    """LH is the detail along the height: rows that differ show in it alone."""
    image = torch.tensor([[1.0, 1.0], [-1.0, -1.0]]).view(1, 1, 2, 2)
    assert forward_haar(image).flatten().tolist() == [0, 2, 0, 0]
