from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from mfagan.data.images import make_lr
from mfagan.data.splits import Pair
from mfagan.evaluation.psnr_ssim import psnr_y, ssim_y
from mfagan.evaluation.scores import (
    Scores,
    as_method,
    enlarge_bicubic,
    mean_psnr_db,
    mean_scores,
    score,
    score_methods,
    super_resolve,
)


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


def test_scores_are_the_metrics():
    one = pair()
    sr = super_resolve(Nearest(), one.lr)
    assert score(sr, one) == Scores("a", psnr_y(sr, one.hr, 4), ssim_y(sr, one.hr, 4), None)
    assert score(enlarge_bicubic(one), one).psnr_db > score(sr, one).psnr_db


def test_methods_are_scored_image_by_image():
    pairs = [pair("a", 0), pair("b", 1)]
    seen: list[tuple] = []
    done: list[tuple] = []
    found = score_methods(
        {"bicubic": enlarge_bicubic, "nearest": as_method(Nearest())},
        pairs,
        seen=lambda one, pictures, scores: seen.append((one, pictures, scores)),
        report=lambda *progress: done.append(progress),
    )
    assert found == {
        "bicubic": [score(enlarge_bicubic(one), one) for one in pairs],
        "nearest": [score(super_resolve(Nearest(), one.lr), one) for one in pairs],
    }
    assert [one for one, _, _ in seen] == pairs
    for i, (one, pictures, scores) in enumerate(seen):
        assert torch.equal(pictures["bicubic"], enlarge_bicubic(one))
        assert scores == {name: rows[i] for name, rows in found.items()}
    assert done == [(1, 2, "a"), (2, 2, "b")]


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
