"""The paper's training stages 1a to 3 (section 4.1); `finetune` is the fourth.

Each stage writes its networks into the run's folder and reads the previous stage's from there.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from mfagan import checkpoint
from mfagan.errors import InputError
from mfagan.networks.discriminators import Discriminator, ESRGANDiscriminator, PatchGAN, load_discriminator
from mfagan.sr.network.channel_order import sort_channels
from mfagan.sr.network.mfanet import MFANet
from mfagan.sr.network.supergenerator import SuperGenerator
from mfagan.sr.network.widths import Widths
from mfagan.sr.training.distillation import Distillation
from mfagan.sr.training.width_sampling import draw_widths
from mfagan.training.recipe import Recipe, Stage
from mfagan.training.run import TrainingRun
from mfagan.training.stage import StageTrainer

TEACHER = "teacher.safetensors"
TEACHER_GAN = "teacher_gan.safetensors"
TEACHER_DISCRIMINATOR = "teacher_discriminator.safetensors"
STUDENT = "student.safetensors"
DISCRIMINATOR = "discriminator.safetensors"
SUPERGENERATOR = "supergenerator.safetensors"


def train_teacher(run: TrainingRun) -> list[Path]:
    """Stage 1a: MFAGAN_L's generator alone."""
    path = run.options.folder / TEACHER

    def start() -> StageTrainer:
        generator = new_generator(run, run.recipe.teacher_width)
        return StageTrainer(run.recipe, run.recipe.stages.teacher, generator, run.fabric)

    run.train("teacher", {"teacher": path}, start)
    return [path]


def train_teacher_gan(run: TrainingRun, source: Path | None = None) -> list[Path]:
    """Stage 1b: MFAGAN_L with its discriminator, from stage 1a in the folder `source`, the run's where None."""
    folder, recipe = run.options.folder, run.recipe
    start_from = (source or folder) / TEACHER
    files = {
        "teacher_gan": folder / TEACHER_GAN,
        "teacher_discriminator": folder / TEACHER_DISCRIMINATOR,
    }
    teacher = checkpoint.read(start_from, "mfanet", "teacher")

    def start() -> StageTrainer:
        generator = MFANet.from_checkpoint(teacher, start_from)
        discriminator = new_discriminator(run, recipe.teacher_discriminator)
        return StageTrainer(
            recipe,
            recipe.stages.teacher_gan,
            generator,
            run.fabric,
            discriminator,
            perceptual=run.perceptual,
        )

    run.train("teacher_gan", files, start, [start_from])
    return list(files.values())


def train_student(run: TrainingRun, source: Path | None = None) -> list[Path]:
    """Stage 2: a narrower generator and discriminator, distilled from the teacher pair in the folder `source`."""
    folder, recipe = run.options.folder, run.recipe
    files = {"student": folder / STUDENT, "discriminator": folder / DISCRIMINATOR}
    parents = [(source or folder) / name for name in (TEACHER_GAN, TEACHER_DISCRIMINATOR)]
    teacher = checkpoint.read(parents[0], "mfanet", "teacher_gan")
    teacher_discriminator = _distillable(load_discriminator(parents[1], "teacher_discriminator"))

    def start() -> StageTrainer:
        student = new_generator(run, recipe.student_width)
        discriminator = _distillable(new_discriminator(run, recipe.student_discriminator))
        distillation = Distillation(
            MFANet.from_checkpoint(teacher, parents[0]),
            teacher_discriminator,
            student,
            discriminator,
            recipe.norm,
        )
        return StageTrainer(
            recipe, recipe.stages.distill, student, run.fabric, discriminator, distillation, run.perceptual
        )

    run.train("distill", files, start, parents)
    return list(files.values())


def train_supernet(run: TrainingRun, source: Path | None = None) -> list[Path]:
    """Stage 3: the weight-shared SuperGenerator, from the student with its channels sorted.

    source: another generator's file to start from, as the paper's ablation does with the teacher.
    """
    folder, recipe = run.options.folder, run.recipe
    path, start_from = folder / SUPERGENERATOR, source or folder / STUDENT
    student = checkpoint.read(start_from, "mfanet", "student" if source is None else None)

    def start() -> StageTrainer:
        generator = SuperGenerator.from_checkpoint(student, start_from)
        sort_channels(generator)
        return StageTrainer(
            recipe,
            recipe.stages.supernet,
            generator,
            run.fabric,
            perceptual=run.perceptual,
            draw=lambda number: draw_widths(
                recipe.stages.supernet.sampling, generator.widths, run.options.seed, number
            ),
        )

    run.train("supernet", {"supergenerator": path}, start, [start_from])
    return [path]


STAGES: dict[str, Callable[[TrainingRun], list[Path]]] = {
    "teacher": train_teacher,
    "teacher_gan": train_teacher_gan,
    "distill": train_student,
    "supernet": train_supernet,
}
"""The stages of `mfagan train`, in order."""


def train(run: TrainingRun, stages: Sequence[str] = tuple(STAGES)) -> list[Path]:
    """Run these stages in the paper's order; returns the files they leave.

    InputError: a recipe that asks to distill a discriminator that has no taps, before anything is trained.
    """
    if "distill" in stages:
        with torch.device("meta"):
            _distillable(new_discriminator(run, run.recipe.student_discriminator))
    return [path for name, stage in STAGES.items() if name in stages for path in stage(run)]


def new_generator(run: TrainingRun, width: int) -> MFANet:
    """An MFANet of one width everywhere, its weights drawn from the run's seed."""
    torch.manual_seed(run.options.seed)
    return MFANet(Widths.uniform(width), run.recipe.scale, run.recipe.residual)


def new_discriminator(run: TrainingRun, base: int) -> Discriminator:
    """The recipe's kind of discriminator, its weights drawn from the run's seed."""
    torch.manual_seed(run.options.seed)
    if run.recipe.discriminator == "patchgan":
        return PatchGAN(base)
    return ESRGANDiscriminator(run.recipe.crop_px * run.recipe.scale)


def _distillable(discriminator: Discriminator) -> PatchGAN:
    if isinstance(discriminator, PatchGAN):
        return discriminator
    raise InputError(
        f"discriminator {discriminator.KIND!r} has no layers to distill; choose patchgan in the recipe"
    )


def check_stages(names: Sequence[str] | None) -> Sequence[str]:
    """The stages asked for, all where none is; InputError for a name that is no stage of `train`."""
    for name in names or ():
        if name not in STAGES:
            raise InputError(f"stage {name!r}: choose from {', '.join(STAGES)}")
    return names or tuple(STAGES)


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
