"""Slices of a SuperGenerator against each other: their PSNR with inherited weights, and whether it follows the cost."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from scipy.stats import spearmanr

from mfagan.data.pairs import Pair
from mfagan.errors import InputError
from mfagan.evaluation import psnr_ssim
from mfagan.evaluation.psnr_ssim import shaved_luma
from mfagan.evaluation.scores import Lpips, lpips_distance
from mfagan.graph.costs import sum_costs
from mfagan.sr.experiments.paper_tables import INPUT_SIZE
from mfagan.sr.network.layers import Residual
from mfagan.sr.network.mfanet import operators
from mfagan.sr.network.supergenerator import SuperGenerator
from mfagan.sr.network.widths import NAMES, OPTIONS, Widths, random_choice
from mfagan.sr.study.prefix_walk import PrefixWalk


@dataclass(frozen=True)
class Slice:
    """A SubGenerator with inherited weights; FLOPs in the paper's count, at its `INPUT_SIZE`."""

    widths: Widths
    psnr_db: float
    flops: int


@dataclass(frozen=True)
class Ranking:
    """Slices of uniform widths and slices drawn at random.

    spearman: the rank correlation of PSNR-Y and FLOPs over the drawn ones, None where one of the two is constant.
    """

    uniform: Sequence[Slice]
    drawn: Sequence[Slice]
    spearman: float | None


class SliceScorer:
    """Mean PSNR-Y of slices of one network on some images.

    The network stays on its device, and its weights must not change meanwhile.
    """

    def __init__(
        self,
        network: SuperGenerator,
        pairs: Sequence[Pair],
        dtype: torch.dtype = torch.float32,
        lpips: Lpips | None = None,
    ) -> None:
        """`dtype` is what the slices compute in; with `lpips`, `score` measures that as well."""
        self._walk = PrefixWalk(network, dtype)
        self._pairs = list(pairs)
        self._references = [shaved_luma(pair.hr, pair.scale, torch.float32) for pair in self._pairs]
        self._device = next(network.parameters()).device
        self._lpips = lpips

    def psnr_db(self, choices: Sequence[Widths]) -> list[float]:
        """In dB, the mean over the images, in the order of `choices`; shared prefixes are computed once."""
        return [psnr_db for psnr_db, _ in self.score(choices)]

    def score(self, choices: Sequence[Widths]) -> list[tuple[float, float | None]]:
        """PSNR-Y in dB and LPIPS, None where it is not measured: means over the images, as `psnr_db`."""
        psnr_db, distances = [0.0] * len(choices), [0.0] * len(choices)
        share = 1 / len(self._pairs)
        for pair, reference in zip(self._pairs, self._references, strict=True):
            x = pair.lr[None].to(self._device).contiguous(memory_format=torch.channels_last)
            for i, output in self._walk.run(x, choices):
                luma = shaved_luma(output[0], pair.scale, torch.float32).cpu()
                psnr_db[i] += share * psnr_ssim.psnr_db(luma, reference)
                if self._lpips is not None:
                    distances[i] += share * lpips_distance(output[0].float().cpu(), pair.hr, self._lpips)
        return list(zip(psnr_db, distances if self._lpips else [None] * len(choices), strict=True))


def rank_slices(network: SuperGenerator, pairs: Sequence[Pair], n: int = 200, seed: int = 0) -> Ranking:
    """Score the uniform widths and `n` different choices drawn at random; InputError where there are not so many."""
    n_choices = len(OPTIONS) ** len(NAMES)
    if not 1 <= n <= n_choices:
        raise InputError(f"{n} slices to rank: give 1 to {n_choices}, as many as there are")
    chance = random.Random(seed)
    drawn: dict[Widths, None] = {}
    while len(drawn) < n:
        drawn.setdefault(random_choice(chance))
    uniform = [Widths.uniform(width) for width in OPTIONS]
    choices = [*uniform, *drawn]
    scores = SliceScorer(network, pairs).psnr_db(choices)
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
