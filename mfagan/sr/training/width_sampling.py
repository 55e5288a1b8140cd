"""Which SubGenerators a step of the SuperGenerator trains.

The paper draws them at random. The sandwich rule (Yu and Huang, *Universally Slimmable Networks*, 2019) trains
the widest and the narrowest at every step besides, which bound all others. Progressive shrinking (Cai et al.,
*Once-for-All*, 2020) trains the full width first, so that the others have something to follow.
"""

import random

from mfagan.sr.network.widths import OPTIONS, Widths, random_choice
from mfagan.sr.training.recipe import Sampling

__all__ = ["draw_widths", "fixed_widths"]


def draw_widths(sampling: Sampling, full: Widths, seed: int, number: int) -> list[Widths]:
    """Draw the slices of one step, a function of the arguments alone, so that a resumed run draws the same.

    Args:
        sampling: the rule.
        full: the SuperGenerator's widths.
        seed: the run's.
        number: the step's, from 0.

    Returns:
        The slices; under the sandwich rule the first is `full` and the second the narrowest searched width everywhere.
    """
    if number < sampling.full_first:
        return [full]
    rng = random.Random(f"{seed} {number}")
    drawn = [random_choice(rng) for _ in range(sampling.n_random)]
    if sampling.rule == "random":
        return drawn
    return [*fixed_widths(sampling, full), *drawn]


def fixed_widths(sampling: Sampling, full: Widths) -> list[Widths]:
    """The slices that every step trains, besides those that are drawn.

    Args:
        sampling: the rule.
        full: the SuperGenerator's widths.

    Returns:
        Under the sandwich rule `full` and the narrowest searched width everywhere, otherwise none.
    """
    return [full, Widths.uniform(min(OPTIONS))] if sampling.rule == "sandwich" else []
