"""PSNR in bf16 for choices that cannot be on the front: its error is measured, and doubtful ones are scored in fp32."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mfagan.errors import InputError
from mfagan.sr.network.widths import OPTIONS, Widths, random_choice

__all__ = [
    "PRECISIONS",
    "Bf16Error",
    "Score",
    "Scorer",
    "ScoringPrecision",
    "could_lead",
    "measure_error",
    "require_precision",
    "rescore",
]

ScoringPrecision = Literal["fp32", "bf16"]
PRECISIONS: tuple[ScoringPrecision, ...] = ("fp32", "bf16")
Scorer = Callable[[Sequence[Widths]], list[float]]
"""Choices -> the PSNR of each, in dB."""

N_SAMPLE = 13
MARGIN = 3.0


class Score(NamedTuple):
    """A PSNR and the precision it was computed in."""

    psnr_db: float
    precision: ScoringPrecision


@dataclass(frozen=True)
class Bf16Error:
    """How far PSNR in bf16 lies from fp32, in dB: `bias_db` above it, give or take `bound_db`."""

    bias_db: float
    bound_db: float


def require_precision(name: str) -> ScoringPrecision:
    """The same precision, if it is one of `PRECISIONS`.

    Args:
        name: What a user gave.

    Raises:
        InputError: Another name.
    """
    for precision in PRECISIONS:
        if name == precision:
            return precision
    raise InputError(f"precision {name!r}: give one of {', '.join(PRECISIONS)}")


def measure_error(exact: Scorer, quick: Scorer) -> Bf16Error:
    """The error of PSNR in bf16 on a fixed sample: the uniform choices and 13 random ones.

    The bias is the middle of the sample's range, the bound three times (`MARGIN`) the sample's largest deviation
    from it: on the held-out photos the largest of hundreds of choices was 2.3 times that.

    Args:
        exact: Scores in fp32.
        quick: Scores in bf16.
    """
    rng = random.Random(0)
    sample = [Widths.uniform(width) for width in OPTIONS] + [random_choice(rng) for _ in range(N_SAMPLE)]
    errors = np.subtract(quick(sample), exact(sample))
    low, high = float(errors.min()), float(errors.max())
    return Bf16Error((low + high) / 2, MARGIN * (high - low) / 2)


def rescore(
    choices: Sequence[Widths],
    latency_ms: Sequence[float],
    feasible: Sequence[bool],
    exact: Scorer,
    quick: Scorer,
    error: Bf16Error,
) -> list[Score]:
    """The PSNR of each choice, in fp32 if it could be on the front of PSNR and latency, else in bf16.

    Those in bf16 are not feasible, or a feasible one in fp32 dominates them whichever way they err. If one in
    fp32 deviates by more than the bound, that becomes three times its deviation and more are scored again.

    Args:
        choices: The widths of each choice.
        latency_ms: The latency of each.
        feasible: Whether each meets the ceilings.
        exact: Scores in fp32.
        quick: Scores in bf16.
        error: As `measure_error` found it.

    Returns:
        For each choice its PSNR in dB, and the precision it was computed in.
    """
    estimates = np.array(quick(choices)) - error.bias_db
    bound_db = error.bound_db
    found: dict[int, float] = {}
    while doubtful := [i for i in could_lead(estimates, latency_ms, feasible, bound_db) if i not in found]:
        found |= zip(doubtful, exact([choices[i] for i in doubtful]), strict=True)
        worst_db = max(abs(found[i] - float(estimates[i])) for i in doubtful)
        bound_db = MARGIN * worst_db if worst_db > bound_db else bound_db
    return [
        Score(found[i], "fp32") if i in found else Score(float(estimate), "bf16")
        for i, estimate in enumerate(estimates)
    ]


def could_lead(
    psnr_db: ArrayLike, latency_ms: ArrayLike, feasible: Sequence[bool], bound_db: float
) -> NDArray[np.intp]:
    """The indices of feasible choices that no other is certain to dominate.

    Args:
        psnr_db: The PSNR of each choice, with an error.
        latency_ms: The latency of each.
        feasible: Whether each meets the ceilings.
        bound_db: The largest error of a PSNR.
    """
    candidates = np.flatnonzero(np.asarray(feasible, dtype=np.bool_))
    psnr, latency = np.asarray(psnr_db)[candidates], np.asarray(latency_ms)[candidates]
    order = np.lexsort((-psnr, latency))  # by latency, the best of equals first
    best = np.maximum.accumulate(psnr[order])
    return candidates[order[psnr[order] + bound_db >= best - bound_db]]
