"""Training runs of this system: a recipe and its pictures on a device, into a folder."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mfagan.coronetgan.training.pictures import Pictures, open_pictures
from mfagan.coronetgan.training.recipe import TranslationRecipe
from mfagan.progress import ProgressFactory, no_progress
from mfagan.training.fabric import make_fabric
from mfagan.training.recipe import FallingStage
from mfagan.training.run import RunOptions, TrainingRun
from mfagan.training.stage import StageSpec

__all__ = ["RATIO_STAGES", "TranslationRun", "prepare_run"]

RATIO_STAGES = ("uniform", "search", "pruned", "magnitude", "distilled")
"""The stages that make a network of a ratio."""


@dataclass(frozen=True)
class TranslationRun(TrainingRun[FallingStage]):
    """A recipe of translators on a device, into a folder."""

    recipe: TranslationRecipe
    pictures: Pictures
    ratio: float = 1.0
    """The share of the MACs that is asked for, in those stages that make a network of a ratio."""

    def at(self, ratio: float) -> "TranslationRun":
        """The same run with another ratio.

        Args:
            ratio: the share of the MACs.

        Returns:
            The changed copy.
        """
        return replace(self, ratio=ratio)

    def describe_data(self, spec: StageSpec[Any]) -> Mapping[str, object]:
        """What a checkpoint records of the pictures, and of the ratio that is asked for.

        Args:
            spec: the stage.

        Returns:
            Plain data.
        """
        asked = {"ratio_asked": self.ratio} if spec.name in RATIO_STAGES else {}
        return {**self.pictures.about, **asked}


def prepare_run(
    recipe: TranslationRecipe,
    options: RunOptions,
    data: str | Path,
    ratio: float = 1.0,
    paired: bool = False,
    bars: ProgressFactory = no_progress,
) -> TranslationRun:
    """Prepare a training: choose the device and read the pictures.

    Args:
        recipe: every setting of the training.
        options: where and how it trains.
        data: a folder of pictures, or the word `drawings`.
        ratio: the share of the MACs that is asked for.
        paired: whether trainA and trainB of a folder are pairs by their names.
        bars: shows progress; under torchrun in the first process alone.

    Returns:
        The run.

    Raises:
        InputError: as `make_fabric` and `open_pictures`.
    """
    fabric = make_fabric(options.device, recipe.precision)
    bars = bars if fabric.is_global_zero else no_progress
    with fabric.rank_zero_first(local=True):  # a large set is decoded once a machine
        pictures = open_pictures(recipe, data, paired, options.seed, bars)
    return TranslationRun(recipe, options, fabric, bars, pictures, ratio)
