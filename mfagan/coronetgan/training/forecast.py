"""What a training will need, said before it starts: steps until the ratio is reached, and memory."""

import logging
import math
from dataclasses import dataclass, replace
from itertools import accumulate

import torch

from mfagan.coronetgan.network.costs import WidthCosts
from mfagan.coronetgan.network.hyper.ratio import FORECAST_MARGIN, STOP_ABOVE, count_steps
from mfagan.coronetgan.training.recipe import TranslationRecipe
from mfagan.deploy.memory import machine_bytes
from mfagan.errors import InputError
from mfagan.training.recipe import FallingStage

__all__ = ["Forecast", "forecast", "tell_memory"]

logger = logging.getLogger(__name__)

_PARTS = 4000
"""Into so many the shrinkage of a whole latent is divided."""
_BYTES_PER_NUMBER = 16
"""Of a trainable number: itself, its gradient and Adam's two averages, in fp32; 0 of them is for activations."""
_BYTES_OF_AVERAGE = 4
"""Of a trainable number's moving average, in fp32."""
_LARGEST = 5.0
"""Hardly an entry of N(0, 1) is larger."""


@dataclass(frozen=True)
class Forecast:
    """How many steps a ratio needs.

    steps: after so many it will be reached, about; None if not in the course.
    needed: a course of the same schedule needs so many at least.
    """

    steps: int | None
    needed: int

    def require(self, ratio: float, stage: FallingStage) -> int:
        """Refuse a course that is too short.

        Args:
            ratio: what is asked for.
            stage: the course.

        Returns:
            The steps after which the ratio will be reached, about.

        Raises:
            InputError: it will not be reached in the course.
        """
        if self.steps is None:
            raise InputError(
                f"ratio {ratio}: a course of {stage.steps} steps at learning rate {stage.learning_rate:g} is too short "
                f"for it; give about {self.needed} steps, or a larger gamma or learning rate"
            )
        return self.steps


def forecast(recipe: TranslationRecipe, stage: FallingStage, ratio: float, seed: int) -> Forecast:
    """Forecast when a ratio is reached, from latents as training starts with; nothing large is allocated.

    The proximal steps alone are counted; Adam moves the latents too, which took 1.25 to 1.33 times that.

    Args:
        recipe: gives the translator, gamma and tau.
        stage: the course, search and what follows.
        ratio: the share of the MACs that is asked for.
        seed: of the latents.

    Returns:
        The forecast.

    Raises:
        InputError: as `TranslationRecipe.translator`.
    """
    with torch.device("meta"):
        translator = recipe.translator()
    costs = WidthCosts.of(translator, recipe.crop_px, recipe.crop_px)
    generator = torch.Generator("cpu").manual_seed(seed)
    latents = {name: torch.randn(full, generator=generator) for name, full in translator.widths.items()}
    part = _LARGEST / _PARTS
    parts = count_steps(
        latents,
        costs,
        ratio + recipe.stop_above - STOP_ABOVE,
        [part] * _PARTS,
        recipe.tau,
        recipe.min_channels,
    )
    total = (_PARTS if parts is None else parts) * part / recipe.gamma * FORECAST_MARGIN
    made = list(accumulate(stage.learning_rate_at(step) for step in range(stage.steps)))
    steps = next((number for number, so_far in enumerate(made, 1) if so_far >= total), None)
    if steps is not None and steps >= stage.steps - 1:
        steps = None
    return Forecast(steps, _needed(stage, total))


def _needed(stage: FallingStage, total: float) -> int:
    """The steps of a course of the same schedule whose learning rates add up to a number before its end."""
    shape = replace(stage, steps=_PARTS, halve_at=(), warm_up=0)  # pyright: ignore[reportArgumentType]
    mean = sum(shape.learning_rate_at(step) for step in range(_PARTS - 1)) / _PARTS
    return math.ceil(total / mean) + stage.warm_up + 2


def tell_memory(stage: str, numbers: int, averaged: bool = False) -> None:
    """Log how much memory the trained numbers of a stage take, and warn if the machine has less.

    Args:
        stage: its name.
        numbers: trained numbers of all its networks.
        averaged: whether an average of the weights is kept too, as `ema_decay` asks for.
    """
    needed = numbers * (_BYTES_PER_NUMBER + _BYTES_OF_AVERAGE * averaged)
    logger.info(
        "stage %s trains %s numbers: %.1f GB with gradients%s Adam's averages%s, before activations",
        stage,
        f"{numbers:,}",
        needed / 1e9,
        "," if averaged else " and",
        " and that of the weights" if averaged else "",
    )
    available = _device_bytes()
    if needed > available:
        logger.warning(
            "stage %s needs %.1f GB before activations and there are %.1f GB: take a smaller base",
            stage,
            needed / 1e9,
            available / 1e9,
        )


def _device_bytes() -> int:
    if torch.cuda.is_available():
        return torch.cuda.get_device_properties(0).total_memory
    return machine_bytes()
