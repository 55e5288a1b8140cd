import math

import pytest
import torch
from torch import nn

from mfagan.coronetgan.training.objectives import TranslatorPair
from mfagan.coronetgan.training.validation import HeldOut
from mfagan.evaluation.psnr_ssim import signed_psnr_db

A, B = torch.full((2, 3, 4, 4), 0.5), torch.full((2, 3, 4, 4), -0.5)


class Add(nn.Module):
    def __init__(self, by: float) -> None:
        super().__init__()
        self.by = by

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.by


def decibels(error: float) -> float:
    return 20 * math.log10(2 / error)


def test_the_peak_is_2():
    assert signed_psnr_db(A, A - 0.2) == pytest.approx(20, abs=1e-4)
    assert signed_psnr_db(3 * A, A * 2) == pytest.approx(106.02, abs=1e-2)  # clamped as they are shown


def test_pairs_are_scored_by_psnr():
    found = HeldOut(A, B, True)(Add(-0.9))
    assert found.score == found.figures["psnr_db"] == pytest.approx(decibels(0.1), abs=1e-3)
    assert found.figures["distance"] == pytest.approx(0.05)
    assert HeldOut(A, B, True).picture(Add(-0.9)).shape == (3, 12, 8)


def test_two_translators_are_scored_there_and_back_and_by_pairs_where_there_are_some():
    pair = TranslatorPair(Add(-0.9), Add(0.8))
    unpaired = HeldOut(A, B, False)(pair)
    assert unpaired.score == unpaired.figures["cycle_psnr_db"] == pytest.approx(decibels(0.1), abs=1e-3)
    assert "psnr_db" not in unpaired.figures
    paired = HeldOut(A, B, True)(pair)
    assert paired.figures["psnr_a_db"] == pytest.approx(decibels(0.1), abs=1e-3)
    assert paired.figures["psnr_b_db"] == pytest.approx(decibels(0.2), abs=1e-3)
    assert paired.score == pytest.approx((decibels(0.1) + decibels(0.2)) / 2, abs=1e-3)
    assert HeldOut(A, B, False).picture(pair).shape == (3, 16, 8)
