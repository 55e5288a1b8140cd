"""Slices of a SuperGenerator against each other: their PSNR with inherited weights, and whether it follows the cost."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.stats import spearmanr
from torch import nn

from mfagan.data.pairs import Pair
from mfagan.errors import InputError
from mfagan.evaluation.scores import mean_psnr_db
from mfagan.graph.costs import sum_costs
from mfagan.progress import ProgressFactory, no_progress
from mfagan.sr.network.layers import Residual
from mfagan.sr.network.mfanet import INPUT_SIZE, operators
from mfagan.sr.network.supergenerator import SuperGenerator
from mfagan.sr.network.widths import NAMES, OPTIONS, Widths, random_choice
from mfagan.sr.study.scoring.scorer import SliceScorer

__all__ = ["Ranking", "Slice", "rank_slices"]


@dataclass(frozen=True)
class Slice:
    """A SubGenerator with inherited weights; FLOPs in the paper's count, at its `INPUT_SIZE`."""

    widths: Widths
    psnr_db: float
    flops: int


@dataclass(frozen=True)
class Ranking:
    """Slices of uniform widths and slices drawn at random."""

    uniform: Sequence[Slice]
    drawn: Sequence[Slice]
    spearman: float | None
    """The rank correlation of PSNR-Y and FLOPs over the drawn ones, or None if one of the two is constant."""


def rank_slices(
    network: SuperGenerator,
    pairs: Sequence[Pair],
    n: int = 200,
    seed: int = 0,
    extract: Callable[[Widths], nn.Module] | None = None,
    bars: ProgressFactory = no_progress,
) -> Ranking:
    """Score the uniform widths and different choices drawn at random.

    Args:
        network: whose slices they are.
        pairs: images to score on.
        n: how many choices are drawn.
        seed: of the drawing.
        extract: gives each slice, for slices that are changed after they are cut; None scores them as they are,
            faster, since they share work.
        bars: shows progress.

    Returns:
        The scores and their correlation with the costs.

    Raises:
        InputError: fewer than 1 are to be drawn, or more than there are.
    """
    n_choices = len(OPTIONS) ** len(NAMES)
    if not 1 <= n <= n_choices:
        raise InputError(f"{n} slices to rank: give 1 to {n_choices}, as many as there are")
    rng = random.Random(seed)
    drawn: dict[Widths, None] = {}
    while len(drawn) < n:
        drawn.setdefault(random_choice(rng))
    uniform = [Widths.uniform(width) for width in OPTIONS]
    choices = [*uniform, *drawn]
    with bars("scoring slices") as report:
        if extract is None:
            scores = SliceScorer(network, pairs).psnr_db(choices, report)
        else:
            scores = []
            for one in choices:
                scores.append(mean_psnr_db(extract(one), pairs))
                report(len(scores), len(choices), "")
    scale, residual = network.scale, network.residual_kind
    slices = [
        Slice(one, score, _flops(one, scale, residual)) for one, score in zip(choices, scores, strict=True)
    ]
    sample = slices[len(uniform) :]
    return Ranking(slices[: len(uniform)], sample, _correlation(sample))


def _correlation(sample: Sequence[Slice]) -> float | None:
    flops, psnr_db = [one.flops for one in sample], [one.psnr_db for one in sample]
    if min(len(set(flops)), len(set(psnr_db))) < 2:
        return None
    return float(np.asarray(spearmanr(flops, psnr_db))[0])  # then its p-value


@lru_cache(
    maxsize=len(OPTIONS) ** len(NAMES)
)  # longer to count than to score a small image; every ranking asks again
def _flops(widths: Widths, scale: int, residual: Residual) -> int:
    return sum_costs(operators(widths, *INPUT_SIZE, scale, residual)).flops
