"""The training stages of MFAGAN (paper section 4.1), each described once; the recipes that name them are read here."""

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

import mfagan
from mfagan.checkpoint import Checkpoint
from mfagan.errors import InputError
from mfagan.files import require_place
from mfagan.networks.discriminators import Discriminator, PatchGAN
from mfagan.sr.network.channel_order import sort_channels
from mfagan.sr.network.discriminators import ESRGANDiscriminator, rebuild_discriminator
from mfagan.sr.network.growth import grow
from mfagan.sr.network.mfanet import MFANet
from mfagan.sr.network.supergenerator import SuperGenerator
from mfagan.sr.network.widths import Widths
from mfagan.sr.training.distillation import Distillation
from mfagan.sr.training.learner import GANLearner
from mfagan.sr.training.recipe import Recipe
from mfagan.sr.training.run import SRRun
from mfagan.sr.training.start import INIT, require_start
from mfagan.sr.training.width_sampling import draw_widths
from mfagan.training import recipe as recipes
from mfagan.training.run import StageFiles
from mfagan.training.stage import Source, StageSpec, StageWork, choose_stages

__all__ = [
    "DISTILL",
    "FINETUNE",
    "PIPELINE",
    "STAGES",
    "SUPERNET",
    "TEACHER",
    "TEACHER_GAN",
    "check_stages",
    "crop_seed",
    "new_discriminator",
    "new_generator",
    "read_recipe",
    "recipe_of",
    "train",
]

Sources = Mapping[str, Source]
_SHIPPED = Path(mfagan.__file__).parent / "recipes"


def _build_teacher(run: SRRun, sources: Sources) -> StageWork:
    generator = _first_generator(run, sources, run.recipe.teacher_width)
    return run.work(_learner(run, "teacher", generator), crop_seed(run, "teacher"))


def _first_generator(run: SRRun, sources: Sources, width: int) -> MFANet:
    """The given generator, grown to the width if it is narrower, or a new one."""
    given, widths = sources.get(INIT), Widths.uniform(width)
    if given is None:
        return new_generator(run, width)
    generator = MFANet.from_checkpoint(given.checkpoint, given.path)
    return generator if generator.widths == widths else grow(generator, widths, run.options.seed)


def _build_teacher_gan(run: SRRun, sources: Sources) -> StageWork:
    generator = MFANet.from_checkpoint(sources["teacher"].checkpoint, sources["teacher"].path)
    discriminator = new_discriminator(run, run.recipe.teacher_discriminator)
    learner = _learner(run, "teacher_gan", generator, discriminator=discriminator)
    return run.work(learner, crop_seed(run, "teacher_gan"))


def _build_distill(run: SRRun, sources: Sources) -> StageWork:
    teacher, teacher_discriminator = sources["teacher_gan"], sources["teacher_discriminator"]
    frozen = _distillable(rebuild_discriminator(teacher_discriminator.checkpoint, teacher_discriminator.path))
    student = _first_generator(run, sources, run.recipe.student_width)
    discriminator = _distillable(new_discriminator(run, run.recipe.student_discriminator))
    wide = MFANet.from_checkpoint(teacher.checkpoint, teacher.path)
    distillation = Distillation(wide, frozen, student, discriminator, run.recipe.norm)
    learner = _learner(run, "distill", student, discriminator=discriminator, distillation=distillation)
    return run.work(learner, crop_seed(run, "distill"))


def _build_supernet(run: SRRun, sources: Sources) -> StageWork:
    sampling, seed = run.recipe.stages["supernet"].sampling, run.options.seed
    start = sources.get(INIT) or sources["student"]
    generator = SuperGenerator.from_checkpoint(start.checkpoint, start.path)
    if INIT in sources and generator.widths != (widths := Widths.uniform(run.recipe.student_width)):
        generator = grow(generator, widths, seed)
    elif (
        sampling.sort and start.checkpoint.role != "supergenerator"
    ):  # whose slices are trained for its order
        sort_channels(generator)
    learner = _learner(
        run,
        "supernet",
        generator,
        draw=lambda number: draw_widths(sampling, generator.widths, seed, number),
    )
    return run.work(learner, crop_seed(run, "supernet"))


def _build_finetune(run: SRRun, sources: Sources) -> StageWork:
    raise InputError("stage 'finetune' trains a picked network: use `mfagan finetune`")


def _unused(
    *used: str, reads_if_adversarial: bool = False
) -> Callable[[Mapping[str, object]], Collection[str]]:
    """For `StageSpec.unused`, of a stage that uses these of the settings that not every stage uses."""
    special = {
        "teacher_width",
        "student_width",
        "teacher_discriminator",
        "student_discriminator",
        "discriminator",
        "sampling",
    }

    def unused(settings: Mapping[str, object]) -> Collection[str]:
        weights = settings.get("weights")
        weighed = (
            {name for name, weight in weights.items() if weight} if isinstance(weights, Mapping) else set()
        )
        names = special - set(used) | {"perceptual", "perceptual_features"}  # the loss and its layers count
        if not weighed & {"percep", "distill_g", "distill_d"}:
            names.add("norm")
        if "percep" not in weighed:
            names |= {"perceptual_loss", "perceptual_backbone", "perceptual_layers"}
        if reads_if_adversarial and "adv" not in weighed:
            names.add("parents")
        return names

    return unused


TEACHER: StageSpec[SRRun] = StageSpec(
    "teacher",
    writes={"teacher": "teacher.safetensors"},
    build=_build_teacher,
    unused=_unused("teacher_width"),
)
"""1a: the wide generator alone (MFAGAN_L)."""
TEACHER_GAN: StageSpec[SRRun] = StageSpec(
    "teacher_gan",
    reads=TEACHER.writes,
    writes={
        "teacher_gan": "teacher_gan.safetensors",
        "teacher_discriminator": "teacher_discriminator.safetensors",
    },
    build=_build_teacher_gan,
    unused=_unused("teacher_discriminator", "discriminator"),
)
"""1b: MFAGAN_L with its discriminator."""
DISTILL: StageSpec[SRRun] = StageSpec(
    "distill",
    reads=TEACHER_GAN.writes,
    writes={"student": "student.safetensors", "discriminator": "discriminator.safetensors"},
    build=_build_distill,
    unused=_unused("student_width", "student_discriminator", "discriminator"),
)
"""2: a narrower generator and discriminator, distilled from the teacher pair."""
SUPERNET: StageSpec[SRRun] = StageSpec(
    "supernet",
    reads={"student": DISTILL.writes["student"]},
    writes={"supergenerator": "supergenerator.safetensors"},
    build=_build_supernet,
    unused=_unused("sampling"),
)
"""3: the weight-shared SuperGenerator, from the student with its channels sorted."""
FINETUNE: StageSpec[SRRun] = StageSpec(
    "finetune",
    reads={"discriminator": DISTILL.writes["discriminator"]},
    writes={"subgenerator": "subgenerator.safetensors"},
    build=_build_finetune,
    keep_best=True,
    unused=_unused(reads_if_adversarial=True),
)
"""4: a picked SubGenerator with the distilled discriminator; mfagan/sr/training/finetune.py gives it its network."""

PIPELINE = (TEACHER, TEACHER_GAN, DISTILL, SUPERNET)
"""The stages of `mfagan train`, in order."""
STAGES = {spec.name: spec for spec in (*PIPELINE, FINETUNE)}
"""Every stage by the name that recipes and checkpoints use; the order gives each its seeds."""


def train(run: SRRun, stages: Sequence[StageSpec[SRRun]] = PIPELINE, init: Path | None = None) -> list[Path]:
    """Run stages in the paper's order.

    Args:
        run: what they train.
        stages: some of `PIPELINE`.
        init: a checkpoint whose generator the only stage starts from, as `require_start` takes it, instead of an
            untrained one or the run's student; None for those.

    Returns:
        The files they leave.

    Raises:
        InputError: as `TrainingRun.train`; before anything is trained, a recipe that asks to distill a discriminator
            that has no taps, files that cannot be written, and what `require_start` refuses.
        Stopped: as `TrainingRun.train`.
    """
    if init is not None:
        require_start(run.recipe, [spec.name for spec in stages], init)
    if DISTILL in stages:
        with torch.device("meta"):
            _distillable(new_discriminator(run, run.recipe.student_discriminator))
    chosen = [spec for spec in PIPELINE if spec in stages]
    for spec in chosen:
        for role in spec.writes:
            require_place(spec.path(run.options.folder, role))
    return [path for spec in chosen for path in run.train(spec, _files(run, spec, init))]


def _files(run: SRRun, spec: StageSpec[SRRun], init: Path | None) -> StageFiles:
    """Where a stage finds what it reads, if it starts from `init`: that is its student, the rest is as always."""
    if init is None:
        return StageFiles()
    folder = run.options.folder
    others = {role: folder / name for role, name in spec.reads.items() if role != "student"}
    return StageFiles(sources={INIT: init, **others})


def check_stages(names: Sequence[str] | None) -> Sequence[StageSpec[SRRun]]:
    """Find stages of `mfagan train` by their names.

    Args:
        names: the stages asked for; None or nothing asks for all.

    Returns:
        Their descriptions, in the paper's order.

    Raises:
        InputError: a name that is no such stage.
    """
    return choose_stages(PIPELINE, names)


def read_recipe(name_or_path: str | Path) -> Recipe:
    """Read a shipped recipe of MFAGAN, or one of the user's, from TOML.

    Args:
        name_or_path: a shipped recipe's name, or the path of a TOML file.

    Returns:
        The recipe.

    Raises:
        InputError: as `mfagan.training.recipe.read_recipe`.
    """
    return recipes.read_recipe(Recipe, name_or_path, STAGES, _SHIPPED)


def recipe_of(found: Checkpoint) -> Recipe:
    """The recipe that a checkpoint was trained with.

    Args:
        found: the checkpoint.

    Returns:
        The recipe in its record.

    Raises:
        InputError: it records none.
    """
    fields = found.record.get("recipe")
    # Version 0.1.0 took `halve_at` beside `cosine` and ignored it.
    stages = fields.get("stages") if isinstance(fields, Mapping) else None
    if isinstance(fields, Mapping) and isinstance(stages, Mapping):
        fields = {**fields, "stages": {name: _without_ignored(stage) for name, stage in stages.items()}}
    return recipes.parse_recipe(Recipe, fields, "in the checkpoint", STAGES)


def _without_ignored(stage: Any) -> Any:
    if isinstance(stage, Mapping) and stage.get("cosine"):
        return {name: value for name, value in stage.items() if name != "halve_at"}
    return stage


def new_generator(run: SRRun, width: int) -> MFANet:
    """Make an untrained generator.

    Args:
        run: its weights are drawn from the run's seed.
        width: of every layer.

    Returns:
        An MFANet of the recipe's scale and residual.
    """
    torch.manual_seed(run.options.seed)
    return MFANet(Widths.uniform(width), run.recipe.scale, run.recipe.residual)


def new_discriminator(run: SRRun, base: int) -> Discriminator:
    """Make an untrained discriminator of the recipe's kind.

    Args:
        run: its weights are drawn from the run's seed.
        base: PatchGAN's base width; ESRGAN's discriminator has its own.

    Returns:
        The discriminator.

    Raises:
        InputError: the recipe's crops do not suit ESRGAN's discriminator.
    """
    torch.manual_seed(run.options.seed)
    if run.recipe.discriminator == "patchgan":
        return PatchGAN(base)
    return ESRGANDiscriminator(run.recipe.crop_px * run.recipe.scale)


def crop_seed(run: SRRun, stage: str) -> int:
    """The seed of a stage's crops.

    Args:
        run: gives the seed of everything.
        stage: the stage's name.

    Returns:
        A seed that no other stage of the run, and no stage of a run with another seed, has.
    """
    return run.options.seed * len(STAGES) + list(STAGES).index(stage)


def _learner(run: SRRun, stage: str, generator: MFANet, **others: Any) -> GANLearner:
    settings = run.settings(stage)
    return GANLearner(run.recipe, settings, generator, run.fabric, perceptual=run.perceptual, **others)


def _distillable(discriminator: Discriminator) -> PatchGAN:
    if isinstance(discriminator, PatchGAN):
        return discriminator
    raise InputError(
        f"discriminator {discriminator.KIND!r} has no layers to distill; choose patchgan in the recipe"
    )
