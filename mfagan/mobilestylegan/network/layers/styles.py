"""Styles: latents z, the rows of W+, truncation and mixing."""

import itertools
import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from mfagan.errors import InputError
from mfagan.graph.operators import Activation
from mfagan.graph.recorder import OperatorRecorder

__all__ = ["Styles", "draw_latents", "mix_styles", "spread_rows", "truncate", "write_rows"]

Styles = Literal["rows", "w", "w_plus"]
"""What a list of operators begins with. rows: each row of W+ is an input of its own, (1, 1, features); w: one style for
all layers, (1, 1, features); w_plus: all rows in one input, (1, rows, features)."""


def draw_latents(seeds: Sequence[int], features: int) -> Tensor:
    """One latent for each seed, whatever the other seeds are.

    Args:
        seeds: whole numbers.
        features: numbers of a latent.

    Returns:
        z of N(0, 1), (len(seeds), features), on the CPU in float32.
    """
    return torch.stack(
        [torch.randn(features, generator=torch.Generator("cpu").manual_seed(seed)) for seed in seeds]
    )


def truncate(w: Tensor, mean: Tensor, psi: float) -> Tensor:
    """Draw styles towards their mean, for fewer odd images and less variety (Karras et al. 2019, appendix B).

    Args:
        w: styles, (N, features) or (N, rows, features).
        mean: mean style, (features,).
        psi: 1 leaves the styles, 0 makes all of them the mean.

    Returns:
        mean + psi (w - mean).

    Raises:
        InputError: psi is not finite.
    """
    if not math.isfinite(psi):
        raise InputError(f"psi {psi}: give a finite number, such as 0.7")
    return w if psi == 1 else mean + psi * (w - mean)


def spread_rows(w: Tensor, features: int, allowed: Sequence[int], owner: str) -> Tensor:
    """The W+ that a synthesis network reads.

    Args:
        w: styles (N, features), the same for all layers, or W+ (N, rows, features).
        features: numbers of a style.
        allowed: counts of rows that a W+ may have, the usual one first.
        owner: the network, to name it.

    Returns:
        (N, rows, features).

    Raises:
        InputError: another shape.
    """
    if w.dim() not in (2, 3) or w.shape[-1] != features:
        raise InputError(
            f"{owner}: styles of the shape {tuple(w.shape)}; give (N, {features}) or (N, {allowed[0]}, {features})"
        )
    if w.dim() == 2:
        return w[:, None].expand(-1, allowed[0], -1)
    if w.shape[1] not in allowed:
        raise InputError(
            f"{owner}: W+ has {w.shape[1]} rows, {' or '.join(map(str, allowed))} are needed; it is of a generator of "
            "another size"
        )
    return w


def write_rows(recorder: OperatorRecorder, styles: Styles, count: int, features: int) -> list[Activation]:
    """Record where the rows of W+ are taken from.

    Args:
        recorder: what records the operators.
        styles: as in `Styles`.
        count: rows of the W+.
        features: numbers of a style.

    Returns:
        Each row, (1, 1, features).
    """
    if styles == "rows":
        return [recorder.value(1, 1, features) for _ in range(count)]
    if styles == "w":
        return [recorder.value(1, 1, features)] * count
    whole = recorder.value(1, count, features)
    return [recorder.row(whole, number) for number in range(count)]


def mix_styles(styles: Sequence[Tensor], crossovers: Sequence[int], rows: int) -> Tensor:
    """Mix styles: coarse layers follow the first, finer ones the next (Karras et al. 2019, section 3.1).

    Args:
        styles: each (N, features).
        crossovers: the row at which each style after the first begins, rising, from 1 to rows - 1.
        rows: rows of the W+.

    Returns:
        W+ (N, rows, features).

    Raises:
        InputError: more styles than rows, or crossovers that do not fit.
    """
    if not 1 <= len(styles) <= rows:
        raise InputError(
            f"styles: {len(styles)} given for the {rows} rows of W+; give at least 1 and at most {rows}"
        )
    bounds = [0, *crossovers, rows]
    if len(bounds) != len(styles) + 1 or any(a >= b for a, b in itertools.pairwise(bounds)):
        raise InputError(
            f"crossovers {', '.join(map(str, crossovers)) or 'none'}: give {len(styles) - 1} rising rows from 1 to "
            f"{rows - 1}, where each style after the first begins"
        )
    counts = [b - a for a, b in itertools.pairwise(bounds)]
    parts = [w[:, None].expand(-1, n, -1) for w, n in zip(styles, counts, strict=True)]
    return torch.cat(parts, 1)
