"""The training stages of this system, each described once.

A teacher is fitted to drawings here, or trained on pictures against a discriminator, or another author's that was
imported.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import torch

from mfagan.data.crops import Prefetcher
from mfagan.data.images import from_uint8
from mfagan.data.inventory import describe_sets
from mfagan.data.squares import SquareSampler
from mfagan.errors import InputError
from mfagan.mobilestylegan.network.discriminator import ResidualDiscriminator
from mfagan.mobilestylegan.network.generator import MobileStyleGAN, StyleGAN2
from mfagan.mobilestylegan.network.layers.styles import draw_latents
from mfagan.mobilestylegan.network.teacher.mapping import Mapping as MappingNetwork
from mfagan.mobilestylegan.network.teacher.synthesis import Synthesis
from mfagan.mobilestylegan.training.adversarial_learner import AdversarialLearner
from mfagan.mobilestylegan.training.draws import EmptyBatches
from mfagan.mobilestylegan.training.learner import DistillationLearner, DrawingLearner
from mfagan.mobilestylegan.training.run import StudentRun, TeacherRun
from mfagan.mobilestylegan.training.validation import (
    HeldOut,
    Likeness,
    format_likeness,
    format_psnr,
    record_figures,
)
from mfagan.mobilestylegan.training.width_sampling import draw_slices
from mfagan.training.learner import Learner
from mfagan.training.run import StageFiles
from mfagan.training.stage import Source, StageSpec, StageWork, choose_stages

__all__ = [
    "DISTILL",
    "FINETUNE",
    "PIPELINE",
    "START",
    "STUDENT_STAGES",
    "SUPERNET",
    "TEACHER",
    "check_stages",
    "distillation",
    "fit_teacher",
    "train_student",
]

Sources = Mapping[str, Source]
START = "student"
"""What a stage's builder calls the student that it starts from, if one is given."""


def _build_teacher(run: TeacherRun, sources: Sources) -> StageWork:
    recipe, seed, settings = run.recipe, run.options.seed, run.settings("teacher")
    torch.manual_seed(seed)
    mapping = MappingNetwork(recipe.style_dim, recipe.mapping_layers, recipe.lr_mul)
    network = StyleGAN2(mapping, Synthesis(recipe.channels, recipe.style_dim))
    if recipe.learns == "drawings":
        held_out = HeldOut.by_drawing(network.size, network.style_dim, recipe.held_out, run.fabric.device)
        return _work(DrawingLearner(recipe, settings, network, run.fabric, seed), held_out)
    learner = AdversarialLearner(
        recipe, settings, network, ResidualDiscriminator(recipe.channels), run.fabric, seed
    )
    sampler = SquareSampler(run.squares, recipe.batch, seed, recipe.mirror)
    rank, world = run.fabric.global_rank, run.fabric.world_size
    count = min(recipe.held_out, len(run.squares))
    some = np.stack([run.squares[i * len(run.squares) // count] for i in range(count)])
    z = draw_latents(range(count), network.style_dim).to(run.fabric.device)
    likeness = Likeness(z, from_uint8(torch.from_numpy(some)).to(run.fabric.device) * 2 - 1)
    return StageWork(
        learner,
        lambda start, stop: Prefetcher(sampler, start, stop, rank=rank, world=world),
        likeness,
        likeness.picture,
        lambda result: {**record_figures(result), "sets": describe_sets(run.files)},
        format_likeness,
    )


def _build_distill(run: StudentRun, sources: Sources) -> StageWork:
    return _build_student(run, sources, "distill")


def _build_supernet(run: StudentRun, sources: Sources) -> StageWork:
    return _build_student(run, sources, "supernet")


def _build_finetune(run: StudentRun, sources: Sources) -> StageWork:
    raise InputError("stage 'finetune' trains a slice: use `mfagan mobilestylegan finetune`")


def _build_student(run: StudentRun, sources: Sources, stage: str) -> StageWork:
    recipe = run.recipe
    source, start = sources["teacher"], sources.get(START)
    teacher = StyleGAN2.from_checkpoint(source.checkpoint, source.path)
    torch.manual_seed(run.options.seed)
    if start is None:
        student = MobileStyleGAN.for_teacher(teacher, demodulation=recipe.demodulation)
    else:
        student = MobileStyleGAN.from_checkpoint(start.checkpoint, start.path)
    return distillation(run, stage, teacher, student)


def distillation(run: StudentRun, stage: str, teacher: StyleGAN2, student: MobileStyleGAN) -> StageWork:
    """What one training of a student consists of.

    Args:
        run: what it trains.
        stage: the stage's name; `supernet` trains slices too.
        teacher: whose images are learned.
        student: what learns them, trained in place.

    Returns:
        The work of a stage.

    Raises:
        InputError: as `DistillationLearner` and `HeldOut.by_teacher`.
    """
    recipe, settings, seed = run.recipe, run.settings(stage), run.options.seed
    adversary = ResidualDiscriminator(teacher.synthesis.channels) if settings.weights.adv else None
    channels = student.synthesis.channels
    learner = DistillationLearner(
        recipe,
        settings,
        teacher,
        student,
        run.fabric,
        seed,
        perceptual=run.perceptual,
        discriminator=adversary,
        draw=(lambda number: draw_slices(channels, seed, number)) if stage == "supernet" else None,
    )
    return _work(learner, HeldOut.by_teacher(teacher, recipe.held_out, recipe.psi))


def _work(learner: Learner, held_out: HeldOut) -> StageWork:
    return StageWork(
        learner,
        lambda start, stop: nullcontext(EmptyBatches(start, stop)),
        held_out,
        held_out.picture,
        record_figures,
        format_psnr,
    )


def _unused(settings: Mapping[str, object]) -> Collection[str]:
    """For `StageSpec.unused`: whether VGG16 was at hand is recorded by itself, and R1 is the discriminator's."""
    weights = settings.get("weights")
    adversarial = isinstance(weights, Mapping) and bool(weights.get("adv"))
    return {"perceptual"} if adversarial else {"perceptual", "r1_gamma", "r1_every"}


TEACHER: StageSpec[TeacherRun] = StageSpec(
    "teacher", writes={"teacher": "teacher.safetensors"}, build=_build_teacher
)
"""A StyleGAN2 that is fitted to drawings by regression, or trained on pictures against a discriminator."""
DISTILL: StageSpec[StudentRun] = StageSpec(
    "distill",
    reads=TEACHER.writes,
    writes={"student": "student.safetensors"},
    build=_build_distill,
    unused=_unused,
)
"""A student that learns its teacher's images."""
SUPERNET: StageSpec[StudentRun] = StageSpec(
    "supernet",
    reads=TEACHER.writes,
    writes={"supernet": "supernet.safetensors"},
    build=_build_supernet,
    unused=_unused,
)
"""A weight-shared student, whose slices learn their teacher's images too."""
FINETUNE: StageSpec[StudentRun] = StageSpec(
    "finetune",
    reads=TEACHER.writes,
    writes={"finetuned": "finetuned.safetensors"},
    build=_build_finetune,
    keep_best=True,
    unused=_unused,
)
"""A slice of a weight-shared student by itself; mfagan/mobilestylegan/training/finetune.py gives it its network."""

PIPELINE = (DISTILL, SUPERNET)
"""The stages of `mfagan mobilestylegan train`, in order."""
STUDENT_STAGES = {spec.name: spec for spec in (*PIPELINE, FINETUNE)}
"""The stages of a student by the names that recipes and checkpoints use."""


def check_stages(names: Sequence[str] | None) -> Sequence[StageSpec[StudentRun]]:
    """Find stages of `mfagan mobilestylegan train` by their names.

    Args:
        names: the stages asked for; None or nothing asks for all.

    Returns:
        Their descriptions, in order.

    Raises:
        InputError: a name that is no such stage.
    """
    return choose_stages(PIPELINE, names)


def fit_teacher(run: TeacherRun) -> Path:
    """Train a StyleGAN2 on drawings or pictures, unless it is finished.

    Args:
        run: what it trains.

    Returns:
        The teacher's file.

    Raises:
        InputError, Stopped: as `TrainingRun.train`.
    """
    (path,) = run.train(TEACHER)
    return path


def train_student(
    run: StudentRun, teacher: Path, stage: StageSpec[StudentRun] = DISTILL, start: Path | None = None
) -> Path:
    """Distil a student from a teacher, unless it is finished.

    Args:
        run: what it trains.
        teacher: a checkpoint of a StyleGAN2, fitted here or imported.
        stage: `DISTILL`, or `SUPERNET` for a weight-shared student.
        start: a checkpoint of a student to start from, such as a slice; None for an untrained one or, if the recipe
            says so, the student that stage distill left in the run's folder.

    Returns:
        The student's file.

    Raises:
        InputError: as `TrainingRun.train`; another network than a StyleGAN2; a start that is missing, of another size
            or style_dim, or without the heads of training; images of the teacher that are not finite.
        Stopped: as `TrainingRun.train`.
    """
    if start is None and run.recipe.stages[stage.name].from_student:
        start = DISTILL.path(run.options.folder)
        if not start.is_file():
            raise InputError(
                f"recipe {run.recipe.name}: stage {stage.name} starts from {start}, which is missing; train stage "
                "distill first, or give a student to start from (--init)"
            )
    sources = {"teacher": teacher} if start is None else {"teacher": teacher, START: start}
    (path,) = run.train(stage, StageFiles(sources=sources))
    return path
