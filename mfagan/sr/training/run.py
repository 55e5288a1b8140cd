"""A training run of MFAGAN: its images, its crops, its perceptual loss."""

import logging
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from mfagan import pretrained
from mfagan.data.crops import CropSampler, Prefetcher
from mfagan.data.image_sets import PairFiles
from mfagan.data.images import MIN_SIDE_PX, scored_side_px
from mfagan.data.inventory import describe_sets
from mfagan.data.many import skip_small
from mfagan.data.pairs import Pair
from mfagan.data.splits import find_split, read_files
from mfagan.devices import to_device
from mfagan.errors import InputError
from mfagan.evaluation.contact_sheet import side_by_side
from mfagan.evaluation.scores import PerceptualDistance, enlarge_bicubic, mean_psnr_db, super_resolve
from mfagan.progress import ProgressFactory, no_progress
from mfagan.sr.training.recipe import Recipe, Stage
from mfagan.sr.training.validation import Validator, record_figures
from mfagan.training.fabric import make_fabric
from mfagan.training.learner import Learner
from mfagan.training.losses import PerceptualLoss
from mfagan.training.run import RunOptions, TrainingRun
from mfagan.training.stage import StageSpec, StageWork

__all__ = ["SRRun", "SRRunOptions", "load_perceptual", "prepare_run"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SRRunOptions(RunOptions):
    """Where and how a run of MFAGAN trains: what the command line gives besides the recipe."""

    images: str | Sequence[str] = "embedded"
    """Folders of images, or the word `embedded`."""
    validation: str | None = None
    """Likewise, to validate on; None for a held-out part of `images`."""
    vgg: Path | None = None
    """Weights of the recipe's perceptual backbone; None for those in the cache."""
    alexnet: Path | None = None
    """AlexNet's weights, for LPIPS; None for those in the cache."""


@dataclass(frozen=True)
class SRRun(TrainingRun[Stage]):
    """A recipe of MFAGAN on images on a device, into a folder."""

    recipe: Recipe
    options: SRRunOptions
    training: Sequence[Pair]
    validation: Sequence[Pair]
    perceptual: PerceptualLoss | None
    """None leaves the perceptual term out."""
    lpips: PerceptualDistance | None = None
    """Measures LPIPS of the validation images; None leaves it out."""
    files: Mapping[str, Sequence[PairFiles]] = field(default_factory=dict)
    """The files of the images under "training" and "validation", for the record."""

    def describe_data(self, spec: StageSpec[Any]) -> Mapping[str, object]:
        """What a checkpoint records of the images, and whether the stage learns from the perceptual loss.

        Args:
            spec: the stage.

        Returns:
            Plain data.
        """
        weighed = bool(self.recipe.stages[spec.name].weights.percep) and self.perceptual is not None
        found = {
            "images": self.options.images,
            "training_images": [pair.name for pair in self.training],
            "validation_images": [pair.name for pair in self.validation],
            "perceptual_loss": weighed,
        }
        return found | ({"perceptual_features": self.recipe.describe_features()} if weighed else {})

    def work(self, learner: Learner, crop_seed: int, settings: Stage | None = None) -> StageWork:
        """What a training of this run consists of: the learner on the run's crops, scored on the validation images.

        Args:
            learner: what is trained.
            crop_seed: of the crops, at least 0.
            settings: of a stage that keeps its best, whose criterion gives the score; None for PSNR-Y.

        Returns:
            The work of a stage.
        """
        crops = CropSampler(list(self.training), self.recipe.crop_px, self.recipe.batch, crop_seed)
        rank, world = self.fabric.global_rank, self.fabric.world_size

        criterion = "psnr" if settings is None else settings.criterion
        least_psnr_db = -math.inf
        if settings is not None and settings.max_psnr_loss_db is not None:
            least_psnr_db = mean_psnr_db(learner.network.eval(), self.validation) - settings.max_psnr_loss_db
            learner.network.train()
        validator = Validator(self.validation, self.lpips, criterion, least_psnr_db)
        return StageWork(
            learner,
            lambda start, stop: Prefetcher(crops, start, stop, rank=rank, world=world),
            validator,
            self._sample,
            lambda result: record_figures(result, criterion) | self._describe_sets(),
            validator.format_score,
        )

    def _describe_sets(self) -> dict[str, object]:
        """Called at the end of a stage alone: all files are read once more, to be hashed."""
        return {"sets": {part: describe_sets(files) for part, files in self.files.items()}}

    def _sample(self, network: nn.Module) -> Tensor:
        """A detail of the first validation image: bicubic, the network's, the original."""
        pair = self.validation[0]
        images = {"bicubic": enlarge_bicubic(pair), "network": super_resolve(network.eval(), pair.lr).cpu()}
        return side_by_side(images | {"original": pair.hr}, detail_px=128)


def prepare_run(
    recipe: Recipe,
    options: SRRunOptions,
    stages: Collection[str] | None = None,
    bars: ProgressFactory = no_progress,
) -> SRRun:
    """Prepare a run: choose the device, load the perceptual loss and read the images.

    Args:
        recipe: every setting of the training.
        options: where and how it trains.
        stages: names of the stages that it will train, None for all; the perceptual backbone is needed only if one of
            them weighs the perceptual loss.
        bars: shows progress; under torchrun in the first process alone.

    Returns:
        The run.

    Raises:
        InputError: as `make_fabric`, `load_perceptual`, `load_lpips`, `find_split` and `read_files`; every training
            image is smaller than a crop, or every validation image too small to be scored.
    """
    fabric = make_fabric(options.device, recipe.precision)
    if not fabric.is_global_zero:
        bars = no_progress
    perceptual = load_perceptual(recipe, options.vgg, stages)
    training, held_out = find_split(options.images, options.validation, recipe.scale)
    training = skip_small(training, recipe.crop_px * recipe.scale, "training", recipe.scale)
    scored_px = math.ceil(max(MIN_SIDE_PX, scored_side_px(recipe.scale)) / recipe.scale)
    held_out = skip_small(held_out, scored_px * recipe.scale, "validation", recipe.scale)
    crop_px = recipe.crop_px * recipe.scale
    with fabric.rank_zero_first(local=True):  # a large set is decoded once a machine
        read = read_files(training, recipe.scale, recipe.shrink, crop_px, bars=bars)
        validation = read_files(held_out, recipe.scale, bars=bars)
    lpips = load_lpips(recipe, options.alexnet, stages, min(min(pair.hr.shape[1:]) for pair in validation))
    if lpips is not None:
        to_device(lpips, fabric.device)
    files = {"training": training, "validation": held_out}
    return SRRun(recipe, options, fabric, bars, read, validation, perceptual, lpips, files)


def load_perceptual(
    recipe: Recipe, vgg: Path | None = None, stages: Collection[str] | None = None
) -> PerceptualLoss | None:
    """Load the perceptual loss if it is needed.

    Args:
        recipe: its stages' weights, the backbone and its layers, and whether training goes on without the loss.
        vgg: the backbone's weights; None for those in the cache.
        stages: names of the stages that are to be trained, None for all.

    Returns:
        The loss, or None if no such stage weighs it, or if the backbone's weights are absent and the recipe allows
        that.

    Raises:
        InputError: the weights are needed and absent, or not the backbone's.
    """
    backbone = recipe.perceptual_backbone
    path = pretrained.find_weights(backbone, vgg)  # a path that is given must be one, needed or not
    names = recipe.stages if stages is None else stages
    weighing = [name for name in names if recipe.stages[name].weights.percep]
    if not weighing:
        return None
    if path is not None:
        layers = recipe.read_layers()
        features = pretrained.load_vgg(backbone, path, list(layers))
        return PerceptualLoss(features, recipe.norm, list(layers.values()))
    missing = pretrained.describe_missing(backbone)
    if recipe.perceptual == "required":
        raise InputError(
            f"recipe {recipe.name} needs the perceptual loss in {', '.join(weighing)}: {missing}"
        )
    logger.info("training without the perceptual loss: %s", missing)
    return None


def load_lpips(
    recipe: Recipe, alexnet: Path | None, stages: Collection[str] | None, least_px: int
) -> pretrained.Lpips | None:
    """Load LPIPS if the validation of a training uses it: where weights are chosen by it or looks are trained for.

    Args:
        recipe: its stages' criteria and weights.
        alexnet: AlexNet's weights; None for those in the cache.
        stages: names of the stages that are to be trained, None for all.
        least_px: the shortest side of the validation images in HR px.

    Returns:
        The metric. None if every such stage keeps the best PSNR and either none weighs the perceptual or the
        adversarial term, or AlexNet's weights are absent, or a validation image is too small for it.

    Raises:
        InputError: a stage chooses by LPIPS, and the weights are absent or a validation image is too small; weights
            that are not AlexNet's.
    """
    path = pretrained.find_weights("alexnet", alexnet)  # a path that is given must be one, needed or not
    chosen = {name: recipe.stages[name] for name in (recipe.stages if stages is None else stages)}
    choosing = [f"{name} by {stage.criterion}" for name, stage in chosen.items() if stage.criterion != "psnr"]
    if not choosing and not any(stage.weights.percep or stage.weights.adv for stage in chosen.values()):
        return None
    reason = None
    if path is None:
        reason = pretrained.describe_missing("alexnet")
    elif least_px < pretrained.LPIPS_MIN_SIDE_PX:
        reason = (
            f"a validation image has a side of {least_px} px, LPIPS needs {pretrained.LPIPS_MIN_SIDE_PX}; "
            "give larger ones"
        )
    if path is not None and reason is None:
        return pretrained.load_lpips(path)
    if choosing:
        raise InputError(f"recipe {recipe.name} chooses the weights of {', '.join(choosing)}: {reason}")
    return None
