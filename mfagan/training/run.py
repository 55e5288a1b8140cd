"""One training run: its images, device and folder, and how any stage is trained, recorded and resumed in it.

A stage leaves its networks in the run's folder, and while it is unfinished a snapshot beside them. Asked for
again, a finished stage is left as it is and an interrupted one goes on; one made with other settings is refused.
"""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from mfagan import checkpoint, pretrained
from mfagan.checkpoint import Checkpoint
from mfagan.data.crops import CropSampler, Prefetcher
from mfagan.data.pairs import Pair
from mfagan.data.splits import read_split
from mfagan.errors import InputError
from mfagan.evaluation.contact_sheet import side_by_side
from mfagan.evaluation.scores import enlarge_bicubic, mean_psnr_db, super_resolve
from mfagan.files import require_writable
from mfagan.networks.discriminators import Discriminator
from mfagan.progress import ProgressFactory, no_progress
from mfagan.sr.network.kinds import Generator
from mfagan.training.fabric import make_fabric
from mfagan.training.loop import Loop, LoopConfig, LoopResult
from mfagan.training.losses import PerceptualLoss
from mfagan.training.recipe import STAGE_NAMES, Recipe, as_record, parse_recipe
from mfagan.training.snapshot import require_same
from mfagan.training.stage import StageTrainer

_CIRCUMSTANCES = ("images", "torch", "command", "storage")
"""What a record says that does not tell one training from another."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunOptions:
    """Where a run trains: what the command line gives besides the recipe.

    folder: for checkpoints. images: folders or `embedded`. validation: likewise, None for a held-out part. vgg19:
    its weights, None for the cache. device: as `choose_device` takes it. restart: train anew what was begun.
    command: what the user typed, for the record.
    """

    folder: Path
    images: str | Sequence[str] = "embedded"
    validation: str | None = None
    vgg19: Path | None = None
    device: str = "auto"
    seed: int = 0
    restart: bool = False
    command: str = ""


@dataclass(frozen=True)
class TrainingRun:
    """A recipe on images on a device; `bars` shows progress."""

    recipe: Recipe
    options: RunOptions
    training: Sequence[Pair]
    validation: Sequence[Pair]
    fabric: Fabric
    perceptual: PerceptualLoss | None
    bars: ProgressFactory

    def train(
        self,
        stage: str,
        files: Mapping[str, Path],
        build: Callable[[], StageTrainer],
        parents: Sequence[Path] = (),
        facts: Mapping[str, object] | None = None,
        keep_best: bool = False,
    ) -> None:
        """Train one stage, unless it is finished: what `build` makes, into `files`, which every process then finds.

        files: role -> file, the generator's and, where one is trained, the discriminator's after it. parents: the
        checkpoints that it starts from. facts: more for the record; they tell one training from another too.
        """
        record = self.describe(stage, parents, facts or {})
        identity = _identity(record)
        state = next(iter(files.values())).with_suffix(".state")
        if self.options.restart:
            self._remove([*files.values(), state])
        if self._is_finished(files, identity):
            self._remove([state])
            logger.info("%s is finished already: %s", stage, ", ".join(map(str, files.values())))
            return
        trainer = build()
        outcome = self._run(stage, trainer, state, identity, keep_best)
        record |= {"validation_psnr_db": outcome.score_after, "validation_curve": outcome.curve}
        if keep_best:
            record |= {"psnr_before_db": outcome.score_before, "psnr_after_db": outcome.score_after}
            record |= {"best_step": outcome.kept_step}
        networks = [trainer.network, trainer.discriminator][: len(files)]
        if self.fabric.is_global_zero:
            for (role, path), network in zip(files.items(), networks, strict=True):
                assert network is not None
                save_network(path, network, role, record)
        self._remove([state])

    def _run(
        self, stage: str, trainer: StageTrainer, state: Path, identity: Mapping[str, object], keep_best: bool
    ) -> LoopResult:
        settings = trainer.stage
        config = LoopConfig(
            steps=settings.steps,
            ema_decay=self.recipe.ema_decay,
            checkpoint_every=self.recipe.checkpoint_every,
            validate_every=settings.validate_every,
            keep_best=keep_best,
        )
        loop = Loop(
            trainer,
            config,
            self.fabric,
            state,
            identity,
            lambda network: mean_psnr_db(network, self.validation),
            self._sample,
            state.with_name("logs") / state.stem,
        )
        crops = self._crops(stage)
        rank, world = self.fabric.global_rank, self.fabric.world_size
        with self.bars(state.stem) as report:
            outcome = loop.run(
                lambda start, stop: Prefetcher(crops, start, stop, rank=rank, world=world), report
            )
        if outcome.waiting_share > 0.05:
            logger.warning(
                "%s waited %.0f %% of its time for images: put them on a faster disk",
                stage,
                100 * outcome.waiting_share,
            )
        return outcome

    def _sample(self, network: nn.Module) -> Tensor:
        """A detail of the first validation image: bicubic, the network's, the original."""
        pair = self.validation[0]
        images = {"bicubic": enlarge_bicubic(pair), "network": super_resolve(network.eval(), pair.lr).cpu()}
        return side_by_side(images | {"original": pair.hr}, detail_px=128)

    def _is_finished(self, files: Mapping[str, Path], identity: Mapping[str, object]) -> bool:
        for role, path in files.items():
            if not path.is_file():
                return False
            found = _identity(checkpoint.read(path, role=role).record)
            require_same(path, {name: found.get(name, "not given") for name in identity}, identity)
        return True

    def _remove(self, paths: Sequence[Path]) -> None:
        self.fabric.barrier()  # every process has read what stands there
        if self.fabric.is_global_zero:
            for path in paths:
                path.unlink(missing_ok=True)
        self.fabric.barrier()

    def _crops(self, stage: str) -> CropSampler:
        seed = self.options.seed * len(STAGE_NAMES) + STAGE_NAMES.index(stage)
        return CropSampler(list(self.training), self.recipe.crop_px, self.recipe.batch, seed)

    def varied(self, folder: str, **settings: object) -> "TrainingRun":
        """The same run with other settings of the recipe, in a folder inside of its own."""
        options = replace(self.options, folder=require_writable(self.options.folder / folder))
        return replace(self, recipe=replace(self.recipe, **settings), options=options)

    def describe(
        self, stage: str, parents: Sequence[Path] = (), facts: Mapping[str, object] | None = None
    ) -> dict[str, object]:
        """What a checkpoint records of how it was trained."""
        record = {
            "stage": stage,
            "steps": getattr(self.recipe.stages, stage).steps,
            "recipe": as_record(self.recipe),
            "seed": self.options.seed,
            "images": self.options.images,
            "training_images": [pair.name for pair in self.training],
            "validation_images": [pair.name for pair in self.validation],
            "perceptual_loss": self.perceptual is not None,
            "parents": {path.name: checkpoint.sha256(path) for path in parents},
            "torch": torch.__version__,
            "command": self.options.command,
            **(facts or {}),
        }
        return json.loads(json.dumps(record))  # as it will be read back: without tuples


def prepare_run(recipe: Recipe, options: RunOptions, bars: ProgressFactory = no_progress) -> TrainingRun:
    """A run with its images read and its perceptual loss loaded; under torchrun the first process alone speaks."""
    fabric = make_fabric(options.device, recipe.precision)
    if not fabric.is_global_zero:
        bars = no_progress
    perceptual = load_perceptual(recipe, options.vgg19)
    with fabric.rank_zero_first(local=True):  # a large set is decoded once a machine
        training, validation = read_split(
            options.images,
            options.validation,
            recipe.scale,
            shrink=recipe.shrink,
            min_side_px=recipe.crop_px * recipe.scale,
            bars=bars,
        )
    return TrainingRun(recipe, options, training, validation, fabric, perceptual, bars)


def load_perceptual(recipe: Recipe, vgg19: Path | None) -> PerceptualLoss | None:
    """The perceptual loss, or None where VGG19's weights are absent and the recipe goes on without them."""
    path = pretrained.find_weights("vgg19", vgg19)
    if path is not None:
        return PerceptualLoss(pretrained.load_vgg19_features(path), recipe.norm)
    missing = pretrained.describe_missing("vgg19")
    if recipe.perceptual == "required":
        raise InputError(f"recipe {recipe.name} needs the perceptual loss: {missing}")
    logger.info("training without the perceptual loss: %s", missing)
    return None


def save_network(
    path: Path, network: Generator | Discriminator, role: str, record: Mapping[str, object]
) -> None:
    """Write a network with what rebuilds it; discriminators, which nobody deploys, in half precision."""
    state = network.state_dict()
    kind = network.KIND
    if isinstance(network, Discriminator):
        state = {
            name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in state.items()
        }
    checkpoint.save(path, Checkpoint(kind, role, network.config(), state, record))


def recipe_of(found: Checkpoint) -> Recipe:
    """The recipe that a checkpoint was trained with."""
    return parse_recipe(found.record.get("recipe"), "in the checkpoint")


def _identity(record: Mapping[str, object]) -> dict[str, object]:
    """What must agree for two trainings to be the same: of the recipe's stages only the record's own."""
    identity = {name: value for name, value in record.items() if name not in _CIRCUMSTANCES}
    recipe = identity.get("recipe")
    if isinstance(recipe, Mapping):
        stages = recipe.get("stages")
        own = stages.get(str(record.get("stage"))) if isinstance(stages, Mapping) else None
        identity["recipe"] = {**recipe, "stages": own}
    return identity
