"""Training runs of this system: of a teacher, and of a student with its perceptual network."""

import hashlib
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mfagan import pretrained
from mfagan.data.image_sets import PairFiles
from mfagan.data.squares import find_squares, read_squares
from mfagan.errors import InputError
from mfagan.mobilestylegan.network.layers.geometry import require_size
from mfagan.mobilestylegan.training.distances import FeatureDistance
from mfagan.mobilestylegan.training.recipe import StudentRecipe, StudentStage, TeacherRecipe
from mfagan.progress import ProgressFactory, no_progress
from mfagan.training.fabric import make_fabric
from mfagan.training.recipe import FallingStage
from mfagan.training.run import RunOptions, TrainingRun
from mfagan.training.stage import StageSpec

__all__ = [
    "StudentRun",
    "StudentRunOptions",
    "TeacherRun",
    "prepare_student_run",
    "prepare_teacher_run",
]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class StudentRunOptions(RunOptions):
    """Where and how a student trains: what the user gives besides the recipe and the teacher."""

    vgg: Path | None = None
    """Weights of VGG16; None for those in the cache."""


@dataclass(frozen=True)
class TeacherRun(TrainingRun[FallingStage]):
    """A recipe of a teacher on a device, into a folder."""

    recipe: TeacherRecipe
    images: Sequence[str] = ()
    """Folders of pictures, or the word `embedded`; none for drawings."""
    squares: Sequence[np.ndarray] = ()
    """The pictures, uint8 (3, size, size) each; none for drawings."""
    files: Sequence[PairFiles] = ()
    """Their files, for the record."""

    def describe_data(self, spec: StageSpec[Any]) -> Mapping[str, object]:
        """What a checkpoint records of what it learns: how many pictures, and a hash of their names.

        Args:
            spec: the stage.

        Returns:
            Plain data.
        """
        if self.recipe.learns == "drawings":
            return {"fitted_to": "drawings of faces"}
        names = "\n".join(one.name for one in self.files)
        return {
            "images": list(self.images),
            "n_images": len(self.files),
            "images_sha256": hashlib.sha256(names.encode()).hexdigest(),
        }


@dataclass(frozen=True)
class StudentRun(TrainingRun[StudentStage]):
    """A recipe of a student on a device, into a folder."""

    recipe: StudentRecipe
    options: StudentRunOptions
    perceptual: FeatureDistance | None = None
    """None leaves the perceptual term out."""

    def describe_data(self, spec: StageSpec[Any]) -> Mapping[str, object]:
        """What a checkpoint records of the perceptual term: whether the stage learns from it.

        Args:
            spec: the stage.

        Returns:
            Plain data.
        """
        weighed = bool(self.recipe.stages[spec.name].weights.percep)
        return {"perceptual_loss": weighed and self.perceptual is not None}


def prepare_teacher_run(
    recipe: TeacherRecipe,
    options: RunOptions,
    images: Sequence[str] = (),
    bars: ProgressFactory = no_progress,
) -> TeacherRun:
    """Prepare the training of a teacher: choose the device and read the pictures.

    Args:
        recipe: every setting of the training.
        options: where and how it trains.
        images: folders of pictures, or the word `embedded`, for a recipe that learns pictures.
        bars: shows progress; under torchrun in the first process alone.

    Returns:
        The run.

    Raises:
        InputError: as `make_fabric`, `find_squares` and `read_squares`; pictures for a recipe that learns drawings, or
            none for one that learns pictures.
    """
    drawn = recipe.learns == "drawings"
    if drawn and images:
        raise InputError(
            f"images {', '.join(images)}: recipe {recipe.name} learns drawings and needs none; leave them out, "
            "or give a recipe that learns pictures"
        )
    if not drawn and not images:
        raise InputError(f"recipe {recipe.name} learns pictures: give --images FOLDER")
    fabric = make_fabric(options.device, recipe.precision)
    bars = bars if fabric.is_global_zero else no_progress
    if drawn:
        return TeacherRun(recipe, options, fabric, bars)
    side_px = require_size(4 << (len(recipe.channels) - 1))
    files = find_squares(images, side_px)
    with fabric.rank_zero_first(local=True):  # a large set is decoded once a machine
        squares = read_squares(files, side_px, bars=bars)
    return TeacherRun(recipe, options, fabric, bars, tuple(images), squares, files)


def prepare_student_run(
    recipe: StudentRecipe,
    options: StudentRunOptions,
    stages: Collection[str] | None = None,
    bars: ProgressFactory = no_progress,
) -> StudentRun:
    """Prepare the training of a student: choose the device and load VGG16.

    Args:
        recipe: every setting of the training.
        options: where and how it trains.
        stages: names of the stages that it will train, None for all; VGG16 is needed only if one of them weighs the
            perceptual term.
        bars: shows progress; under torchrun in the first process alone.

    Returns:
        The run.

    Raises:
        InputError: as `make_fabric`; VGG16's weights are needed and absent, or not VGG16's.
    """
    fabric = make_fabric(options.device, recipe.precision)
    perceptual = _load_perceptual(recipe, options.vgg, recipe.stages if stages is None else stages)
    return StudentRun(recipe, options, fabric, bars if fabric.is_global_zero else no_progress, perceptual)


def _load_perceptual(
    recipe: StudentRecipe, vgg: Path | None, stages: Collection[str]
) -> FeatureDistance | None:
    path = pretrained.find_weights("vgg16", vgg)  # a path that is given must be one, needed or not
    weighing = [name for name in stages if recipe.stages[name].weights.percep]
    if not weighing:
        return None
    if path is not None:
        return FeatureDistance.from_weights(path)
    missing = pretrained.describe_missing("vgg16")
    if recipe.perceptual == "required":
        raise InputError(
            f"recipe {recipe.name} needs the perceptual term in {', '.join(weighing)}: {missing}; or set perceptual to "
            "where_present"
        )
    logger.info("training without the perceptual term: %s", missing)
    return None
