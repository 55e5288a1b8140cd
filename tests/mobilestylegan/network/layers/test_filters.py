import torch

from mfagan.mobilestylegan.network.layers.filters import Blur, FIRUpsampling


def test_one_pixel_is_enlarged_to_the_middle_of_the_filter():
    assert FIRUpsampling()(torch.ones(1, 1, 1, 1)).flatten().tolist() == [0.5625] * 4


def test_a_constant_image_stays_constant_inside():
    middle = FIRUpsampling()(torch.ones(1, 2, 4, 4))[0, 1, 3]
    assert middle.tolist() == [0.75, 1, 1, 1, 1, 1, 1, 0.75]


def test_enlargement_is_zero_insertion_and_the_filter():
    image = torch.randn(1, 1, 3, 5, generator=torch.Generator().manual_seed(0))
    spread = torch.zeros(1, 1, 8, 12)
    spread[..., 1:7:2, 1:11:2] = image
    # Padding (2, 1) around zeros inserted after each pixel is padding (1, 2) around zeros inserted before.
    row = torch.tensor([1.0, 3.0, 3.0, 1.0])
    kernel = (torch.outer(row, row) / 16)[None, None]
    padded = torch.nn.functional.pad(spread, (1, 0, 1, 0))
    expected = torch.nn.functional.conv2d(padded, kernel)
    assert torch.allclose(FIRUpsampling()(image), expected[..., :6, :10], atol=1e-6)


def test_a_blur_has_its_sum_and_its_stride():
    x = torch.ones(1, 3, 8, 8)
    assert torch.allclose(Blur(padding=0, total=4.0)(x), torch.full((1, 3, 5, 5), 4.0))
    whole = torch.randn(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    assert torch.equal(Blur(padding=1, stride=2)(whole), Blur(padding=1)(whole)[..., ::2, ::2])
