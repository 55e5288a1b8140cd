"""The paper's training stages 1a to 3 (section 4.1); `finetune` is the fourth.

Each stage writes its networks into one folder and reads the previous stage's from there.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from mfagan import backbones, checkpoint
from mfagan.checkpoint import Checkpoint
from mfagan.crops import CropSampler
from mfagan.data import Pair, read_split
from mfagan.devices import choose_device
from mfagan.errors import InputError
from mfagan.evaluate import mean_psnr_db
from mfagan.losses import PerceptualLoss
from mfagan.progress import Bars
from mfagan.sr.discriminator import PatchGAN
from mfagan.sr.distill import Distillation
from mfagan.sr.elastic import SuperGenerator
from mfagan.sr.finetune import FineTuned, finetune
from mfagan.sr.generator import MFANet
from mfagan.sr.importance import sort_channels
from mfagan.sr.recipe import STAGE_NAMES, Recipe, Stage, as_record, parse_recipe
from mfagan.sr.stage import StageTrainer
from mfagan.sr.widths import Widths, random_choice

TRAINED_STAGES = ("teacher", "teacher_gan", "distill", "supernet")
"""The stages that `train` runs, in order."""

TEACHER = "teacher.safetensors"
TEACHER_GAN = "teacher_gan.safetensors"
TEACHER_DISCRIMINATOR = "teacher_discriminator.safetensors"
STUDENT = "student.safetensors"
DISCRIMINATOR = "discriminator.safetensors"
SUPERGENERATOR = "supergenerator.safetensors"


def load_perceptual(recipe: Recipe, vgg19: Path | None, say: Callable[[str], None]) -> PerceptualLoss | None:
    """The perceptual loss, or None where VGG19's weights are absent and the recipe goes on without them."""
    path = backbones.find_weights("vgg19", vgg19)
    if path is not None:
        return PerceptualLoss(backbones.load_vgg19_features(path), recipe.norm)
    missing = backbones.describe_missing("vgg19")
    if recipe.perceptual == "required":
        raise InputError(f"recipe {recipe.name} needs the perceptual loss: {missing}")
    say(f"training without the perceptual loss: {missing}")
    return None


@dataclass(frozen=True)
class Place:
    """Where a run trains: what the command line gives besides the recipe.

    folder: for checkpoints. images, validation: folders or `embedded`. vgg19: its weights, None for the cache.
    device: as `choose_device` takes it.
    """

    folder: Path
    images: str = "embedded"
    validation: str | None = None
    vgg19: Path | None = None
    device: str = "auto"
    seed: int = 0


@dataclass(frozen=True)
class TrainingRun:
    """One run of `train`: where it writes and what it trains on."""

    recipe: Recipe
    folder: Path
    training: Sequence[Pair]
    validation: Sequence[Pair]
    images: str
    device: torch.device
    seed: int
    perceptual: PerceptualLoss | None
    bars: Bars

    def train(self, stages: Sequence[str]) -> list[Path]:
        """Run these stages in the paper's order; returns the files written."""
        return [path for name in TRAINED_STAGES if name in stages for path in getattr(self, f"_{name}")()]

    def _teacher(self) -> list[Path]:
        generator = self._new_generator(self.recipe.teacher_width)
        self._run("teacher", StageTrainer(self.recipe, self.recipe.stages.teacher, generator, self.device))
        return [self._save(TEACHER, "teacher", "teacher", generator)]

    def _teacher_gan(self) -> list[Path]:
        generator = self._load(TEACHER, "teacher")
        torch.manual_seed(self.seed)
        discriminator = PatchGAN(self.recipe.teacher_discriminator)
        stage = self.recipe.stages.teacher_gan
        self._run(
            "teacher_gan",
            StageTrainer(
                self.recipe, stage, generator, self.device, discriminator, perceptual=self.perceptual
            ),
        )
        return [
            self._save(TEACHER_GAN, "teacher_gan", "teacher_gan", generator, TEACHER),
            self._save(TEACHER_DISCRIMINATOR, "teacher_gan", "teacher_discriminator", discriminator),
        ]

    def _distill(self) -> list[Path]:
        teacher = self._load(TEACHER_GAN, "teacher_gan")
        teacher_discriminator = load_discriminator(
            self.folder / TEACHER_DISCRIMINATOR, "teacher_discriminator"
        )
        student = self._new_generator(self.recipe.student_width)
        discriminator = PatchGAN(self.recipe.student_discriminator)
        distillation = Distillation(teacher, teacher_discriminator, student, discriminator, self.recipe.norm)
        stage = self.recipe.stages.distill
        trainer = StageTrainer(
            self.recipe, stage, student, self.device, discriminator, distillation, self.perceptual
        )
        self._run("distill", trainer)
        parents = (TEACHER_GAN, TEACHER_DISCRIMINATOR)
        return [
            self._save(STUDENT, "distill", "student", student, *parents),
            self._save(DISCRIMINATOR, "distill", "discriminator", discriminator, *parents),
        ]

    def _supernet(self) -> list[Path]:
        student = checkpoint.read(self.folder / STUDENT, "mfanet", "student")
        generator = SuperGenerator.from_checkpoint(student, self.folder / STUDENT)
        sort_channels(generator)
        draw = random.Random(self.seed)
        trainer = StageTrainer(
            self.recipe,
            self.recipe.stages.supernet,
            generator,
            self.device,
            perceptual=self.perceptual,
            draw_widths=lambda: random_choice(draw),
        )
        self._run("supernet", trainer)
        return [self._save(SUPERGENERATOR, "supernet", "supergenerator", generator, STUDENT)]

    def finetune(
        self, network: MFANet, discriminator: PatchGAN, out: Path, record: Mapping[str, object]
    ) -> FineTuned:
        """Stage 4 on an extracted SubGenerator: writes the best checkpoint; `record` says what was picked."""
        trainer = StageTrainer(
            self.recipe,
            self.recipe.stages.finetune,
            network,
            self.device,
            discriminator,
            perceptual=self.perceptual,
        )
        with self.bars("finetune") as report:
            tuned = finetune(trainer, self._crops("finetune"), self.validation, report)
        save_network(out, network, "subgenerator", self.describe("finetune") | dict(record) | asdict(tuned))
        return tuned

    def _run(self, name: str, trainer: StageTrainer) -> None:
        with self.bars(name) as report:
            trainer.run(self._crops(name), report)

    def _crops(self, stage: str) -> CropSampler:
        seed = self.seed * len(STAGE_NAMES) + STAGE_NAMES.index(stage)
        return CropSampler(list(self.training), self.recipe.crop_px, self.recipe.batch, seed)

    def _new_generator(self, width: int) -> MFANet:
        torch.manual_seed(self.seed)
        return MFANet(Widths.uniform(width), self.recipe.scale, self.recipe.residual)

    def _load(self, name: str, role: str) -> MFANet:
        path = self.folder / name
        return MFANet.from_checkpoint(checkpoint.read(path, "mfanet", role), path)

    def _save(self, name: str, stage: str, role: str, network: MFANet | PatchGAN, *parents: str) -> Path:
        record = self.describe(stage) | {"parents": {p: checkpoint.sha256(self.folder / p) for p in parents}}
        if isinstance(network, MFANet):
            record["validation_psnr_db"] = mean_psnr_db(network, self.validation)
        save_network(self.folder / name, network, role, record)
        return self.folder / name

    def describe(self, stage: str) -> dict[str, object]:
        """What a checkpoint records of how it was trained."""
        return {
            "stage": stage,
            "steps": getattr(self.recipe.stages, stage).steps,
            "recipe": as_record(self.recipe),
            "seed": self.seed,
            "images": self.images,
            "training_images": [pair.name for pair in self.training],
            "validation_images": [pair.name for pair in self.validation],
            "perceptual_loss": self.perceptual is not None,
            "torch": torch.__version__,
        }


def prepare_run(recipe: Recipe, place: Place, bars: Bars, say: Callable[[str], None]) -> TrainingRun:
    """A run with its images read and its perceptual loss loaded; `say` takes one line where that is left out."""
    device = choose_device(place.device)
    perceptual = load_perceptual(recipe, place.vgg19, say)
    training, validation = read_split(place.images, place.validation, recipe.scale)
    return TrainingRun(
        recipe, place.folder, training, validation, place.images, device, place.seed, perceptual, bars
    )


def save_network(path: Path, network: MFANet | PatchGAN, role: str, record: dict[str, object]) -> None:
    """Write a generator or a discriminator with what rebuilds it."""
    kind = "mfanet" if isinstance(network, MFANet) else "patchgan"
    checkpoint.save(path, Checkpoint(kind, role, network.config(), network.state_dict(), record))


def load_discriminator(path: str | Path, role: str = "discriminator") -> PatchGAN:
    """A PatchGAN from its checkpoint."""
    found = checkpoint.read(path, "patchgan", role)
    return checkpoint.load_weights(PatchGAN(int(str(found.config["base"]))), found, path)


def recipe_of(found: Checkpoint) -> Recipe:
    """The recipe that a checkpoint was trained with."""
    return parse_recipe(found.record.get("recipe"), "in the checkpoint")


def check_stages(names: Sequence[str] | None) -> Sequence[str]:
    """The stages asked for, all where none is; InputError for a name that is no stage of `train`."""
    for name in names or ():
        if name not in TRAINED_STAGES:
            raise InputError(f"stage {name!r}: choose from {', '.join(TRAINED_STAGES)}")
    return names or TRAINED_STAGES


def cap_steps(recipe: Recipe, max_steps: int | None) -> Recipe:
    """The recipe with every stage at most `max_steps` long."""
    if max_steps is None:
        return recipe
    if max_steps < 1:
        raise InputError(f"max_steps is {max_steps}: give at least 1, or leave it out")
    capped = {
        name: replace(stage, steps=min(stage.steps, max_steps))
        for name, stage in vars(recipe.stages).items()
        if isinstance(stage, Stage)
    }
    return replace(recipe, stages=replace(recipe.stages, **capped))
