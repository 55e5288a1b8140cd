import math

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from mfagan.data.images import luma
from mfagan.errors import InputError
from mfagan.evaluation.psnr_ssim import psnr_db, psnr_y, shaved_luma, ssim, ssim_y


def pair(height: int = 48, width: int = 40, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """A smooth picture with detail, and a noisy copy that leaves [0, 1] here and there."""
    random = torch.Generator().manual_seed(seed)
    y, x = torch.meshgrid(torch.linspace(0, 3, height), torch.linspace(0, 4, width), indexing="ij")
    hr = torch.stack([torch.sin(x * y), torch.cos(3 * x), torch.sin(2 * y)]) / 2 + 0.5
    return hr + 0.08 * torch.randn(hr.shape, generator=random), hr


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("seed", range(3))
def test_both_agree_with_scikit_image(scale: int, seed: int):
    sr, hr = pair(seed=seed)
    inner = (slice(scale, -scale), slice(scale, -scale))
    ours, theirs = (luma(image.double().clamp(0, 1))[inner].numpy() for image in (sr, hr))
    assert psnr_y(sr, hr, scale) == pytest.approx(
        peak_signal_noise_ratio(theirs, ours, data_range=255), abs=1e-6
    )
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}
    expected = np.asarray(structural_similarity(theirs, ours, **options)).item()
    assert ssim_y(sr, hr, scale) == pytest.approx(expected, abs=1e-6)
    assert 0.1 < expected < 0.9


def test_known_value_of_a_constant_difference():
    # 1/73 more of every colour is 219/73 = 3 more of Y: MSE 9, PSNR 20 log10(255 / 3) = 38.588 dB.
    hr = torch.full((3, 32, 32), 0.25, dtype=torch.float64)
    assert psnr_y(hr + 1 / 73, hr, 4) == pytest.approx(20 * math.log10(85), abs=1e-9)
    # Without variance only the luminance term is left; Y is 70.75 and 73.75.
    c1 = 2.55**2
    expected = (2 * 70.75 * 73.75 + c1) / (70.75**2 + 73.75**2 + c1)
    assert ssim_y(hr + 1 / 73, hr, 4) == pytest.approx(expected, abs=1e-9)


def test_equal_images():
    _, hr = pair()
    assert psnr_y(hr, hr, 4) == math.inf
    assert ssim_y(hr, hr, 4) == pytest.approx(1, abs=1e-12)


def test_an_inverted_image_is_negatively_similar():
    noise = torch.rand(3, 40, 40, generator=torch.Generator().manual_seed(1))
    assert ssim_y(1 - noise, noise, 4) < -0.5


def test_flips_turns_and_order_change_nothing():
    sr, hr = pair()
    hr = hr.clamp(0, 1)
    for metric in (psnr_y, ssim_y):
        value = metric(sr, hr, 4)
        for turn in (lambda x: x.flip(-1), lambda x: x.flip(-2), lambda x: x.mT):
            assert metric(turn(sr), turn(hr), 4) == pytest.approx(value, abs=1e-9)
        assert metric(hr, sr, 4) == pytest.approx(value, abs=1e-9)


def test_borders_are_shaved_and_no_more():
    sr, hr = pair()
    for metric in (psnr_y, ssim_y):
        value = metric(sr, hr, 4)
        changed = sr.clone()
        changed[:, :4], changed[:, -4:], changed[:, :, :4], changed[:, :, -4:] = 0, 1, 0, 1
        assert metric(changed, hr, 4) == value
        for row, column in ((4, 20), (-5, 20), (20, 4), (20, -5)):
            inside = sr.clone()
            inside[:, row, column] = 1 - hr[:, row, column].round()
            assert metric(inside, hr, 4) != value


def test_overshoot_is_clamped():
    sr, hr = pair()
    for metric in (psnr_y, ssim_y):
        assert metric(sr, hr, 4) == metric(sr.clamp(0, 1), hr, 4)


def test_dtypes():
    sr, hr = pair()
    value = psnr_y(sr, hr, 4), ssim_y(sr, hr, 4)
    assert type(value[0]) is float
    assert type(value[1]) is float
    assert (psnr_y(sr.double(), hr.double(), 4), ssim_y(sr.double(), hr.double(), 4)) == value
    assert psnr_y(sr.half(), hr, 4) == pytest.approx(value[0], abs=0.01)
    assert psnr_y(sr.requires_grad_(), hr, 4) == value[0]


def test_a_kept_luma_gives_the_same_figures():
    sr, hr = pair()
    kept = shaved_luma(hr, 4)
    assert kept.dtype == torch.float64
    assert kept.shape == (40, 32)
    assert psnr_db(shaved_luma(sr, 4), kept) == psnr_y(sr, hr, 4)
    assert ssim(shaved_luma(sr, 4), kept) == ssim_y(sr, hr, 4)


def test_a_luma_in_float32_gives_the_same_psnr():
    sr, hr = pair()
    found = psnr_db(shaved_luma(sr, 4, torch.float32), shaved_luma(hr, 4, torch.float32))
    assert found == pytest.approx(psnr_y(sr, hr, 4), abs=1e-5)


@pytest.mark.parametrize("metric", [psnr_y, ssim_y])
def test_different_sizes_are_refused_with_both_named(metric):
    with pytest.raises(InputError, match="40x48 and 44x48 px"):
        metric(torch.zeros(3, 48, 40), torch.zeros(3, 48, 44), 4)
    with pytest.raises(InputError, match="1x48 and 40x48 px"):  # would broadcast
        metric(torch.zeros(3, 48, 1), torch.zeros(3, 48, 40), 4)


@pytest.mark.parametrize("metric", [psnr_db, ssim])
def test_different_lumas_are_refused(metric):
    with pytest.raises(InputError, match="20x1 and 20x24 px"):
        metric(torch.zeros(1, 20), torch.zeros(24, 20))


def test_too_small_images_are_refused():
    with pytest.raises(InputError, match="8x20 px"):
        psnr_y(torch.zeros(3, 20, 8), torch.zeros(3, 20, 8), 4)
    with pytest.raises(InputError, match=r"10x12 px are left .* SSIM needs 11"):
        ssim_y(torch.zeros(3, 20, 18), torch.zeros(3, 20, 18), 4)
    assert ssim_y(torch.zeros(3, 19, 19), torch.zeros(3, 19, 19), 4) == 1
