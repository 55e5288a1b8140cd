import random
from collections.abc import Sequence

import numpy as np
import pytest

from mfagan.sr.network.widths import Widths, every_choice
from mfagan.sr.study.scoring.bf16_scoring import Bf16Error, could_lead, measure_error, rescore
from search.pareto import front_mask

DIRECTIONS = ("maximize", "minimize")


def test_what_could_lead_is_told_by_latency_and_twice_the_bound():
    psnr_db, latency_ms = [30.0, 30.3, 30.18, 30.1, 30.3], [1.0, 2.0, 3.0, 3.0, 3.0]
    everything = [True] * 5
    assert sorted(could_lead(psnr_db, latency_ms, everything, bound_db=0.0)) == [0, 1, 4]
    assert sorted(could_lead(psnr_db, latency_ms, everything, bound_db=0.0625)) == [0, 1, 2, 4]
    assert sorted(could_lead(psnr_db, latency_ms, [True, True, False, False, False], bound_db=1)) == [0, 1]
    assert sorted(could_lead(psnr_db, latency_ms, [True, False, True, True, False], bound_db=0.0)) == [0, 2]
    assert list(could_lead([], [], [], bound_db=1)) == []


@pytest.mark.parametrize("seed", range(20))
def test_the_front_is_among_what_could_lead_whichever_way_the_figures_err(seed: int):
    rng = np.random.default_rng(seed)
    exact, latency = rng.integers(0, 40, 60) / 10, rng.integers(0, 20, 60)  # with ties
    psnr = exact + rng.uniform(-0.3, 0.3, 60)
    front = np.flatnonzero(front_mask(np.stack([exact, latency], 1), DIRECTIONS))
    found = could_lead(psnr, latency, [True] * 60, 0.3)
    assert set(front) <= set(found)
    assert len(found) < 60


CHOICES = random.Random(0).sample(list(every_choice()), 200)
EXACT = dict(zip(every_choice(), np.random.default_rng(0).normal(30, 0.03, 6561), strict=True))
LATENCY_MS = [sum(widths) / 10 for widths in CHOICES]


def exact(choices: Sequence[Widths]) -> list[float]:
    return [EXACT[widths] for widths in choices]


def quick(choices: Sequence[Widths]) -> list[float]:
    """0.4 dB above the exact figure, give or take 0.004."""
    return [EXACT[widths] + 0.4 + 0.004 * np.sin(1e6 * EXACT[widths]) for widths in choices]


def test_the_error_is_the_bias_and_three_times_what_is_left():
    error = measure_error(exact, quick)
    assert error.bias_db == pytest.approx(0.4, abs=0.001)
    assert 0.009 < error.bound_db <= 0.012
    assert measure_error(exact, exact) == Bf16Error(0, 0)


@pytest.mark.parametrize("bound_db", [0.012, 0.0])  # one that holds, one that the figures show to be wrong
@pytest.mark.parametrize("ceiling_ms", [30.0, np.inf])
def test_the_front_is_exact_and_the_rest_is_near(bound_db: float, ceiling_ms: float):
    feasible = np.array(LATENCY_MS) <= ceiling_ms
    scores = rescore(CHOICES, LATENCY_MS, feasible.tolist(), exact, quick, Bf16Error(0.4, bound_db))
    assert 5 < sum(score.precision == "fp32" for score in scores) < feasible.sum() / 2
    for widths, score in zip(CHOICES, scores, strict=True):
        assert score.psnr_db == pytest.approx(EXACT[widths], abs=0 if score.precision == "fp32" else 0.0041)
    fronts = [
        front_mask(np.stack([psnr_db, LATENCY_MS], 1)[feasible], DIRECTIONS)
        for psnr_db in ([score.psnr_db for score in scores], exact(CHOICES))
    ]
    assert np.array_equal(fronts[0], fronts[1])
    assert all(score.precision == "bf16" for score, fits in zip(scores, feasible, strict=True) if not fits)
