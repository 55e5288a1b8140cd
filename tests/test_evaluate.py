from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from mfagan.data import Pair
from mfagan.evaluate import enlarge_bicubic, mean_psnr_db, mean_scores, score, super_resolve
from mfagan.images import make_lr
from mfagan.metrics import psnr_y, ssim_y


class Nearest(nn.Module):
    """Enlarges by repetition; its one parameter tells its device."""

    def __init__(self):
        super().__init__()
        self.one = nn.Parameter(torch.ones(1))

    def forward(self, x):
        return self.one * F.interpolate(x, scale_factor=4.0, mode="nearest")


def pair(name: str = "a", seed: int = 0) -> Pair:
    torch.manual_seed(seed)
    hr = (
        F.interpolate(torch.rand(1, 3, 9, 8), size=(48, 40), mode="bicubic")[0].clamp(0, 1) * 255
    ).round() / 255
    return Pair.from_tensors(name, make_lr(hr), hr)


def test_super_resolve_runs_the_network_on_one_image():
    one = pair()
    assert torch.equal(
        super_resolve(Nearest(), one.lr), one.lr.repeat_interleave(4, 1).repeat_interleave(4, 2)
    )


def test_scores_are_the_metrics_beside_bicubics():
    one = pair()
    sr = super_resolve(Nearest(), one.lr)
    found = score(sr, one)
    assert found.name == "a"
    assert found.psnr_db == pytest.approx(psnr_y(sr, one.hr, 4))
    assert found.ssim == pytest.approx(ssim_y(sr, one.hr, 4))
    bicubic = enlarge_bicubic(one)
    assert found.bicubic_psnr_db == pytest.approx(psnr_y(bicubic, one.hr, 4))
    assert found.bicubic_psnr_db > found.psnr_db
    assert found.lpips is None


def test_means_are_over_images():
    pairs = [pair("a", 0), pair("b", 1)]
    rows = [score(super_resolve(Nearest(), one.lr), one) for one in pairs]
    mean = mean_scores(rows)
    assert mean.psnr_db == pytest.approx((rows[0].psnr_db + rows[1].psnr_db) / 2)
    assert mean_psnr_db(Nearest(), pairs) == pytest.approx(mean.psnr_db)
    assert rows[0].psnr_db != rows[1].psnr_db


def test_lpips_sees_rgb_from_minus_one_to_one_and_has_a_mean_only_where_all_have_it():
    seen = []

    def distance(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        seen.extend([x, y])
        return (x - y).abs().mean()

    one = pair()
    row = score(one.hr * 3 - 1, one, distance)
    assert seen[0].shape == (1, 3, 48, 40)
    assert seen[0].min() >= -1
    assert seen[0].max() <= 1
    torch.testing.assert_close(seen[1][0], one.hr * 2 - 1)
    assert row.lpips is not None
    assert mean_scores([row, row]).lpips == pytest.approx(row.lpips)
    assert mean_scores([row, replace(row, lpips=None)]).lpips is None
