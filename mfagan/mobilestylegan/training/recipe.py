"""Recipes of this system: how a teacher is trained, and how students are distilled from a teacher."""

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from mfagan.mobilestylegan.network.student.layers import Demodulation
from mfagan.mobilestylegan.training.distances import Targets
from mfagan.mobilestylegan.training.drawings import N_FACTORS
from mfagan.training import recipe as recipes
from mfagan.training.recipe import STRICT, BaseRecipe, FallingStage

__all__ = [
    "STUDENT_STAGES",
    "TEACHER_STAGES",
    "Lessons",
    "LossWeights",
    "StudentRecipe",
    "StudentStage",
    "TeacherRecipe",
    "read_student_recipe",
    "read_teacher_recipe",
]

Lessons = Literal["drawings", "pictures"]
"""What a teacher learns. drawings: faces that `draw_faces` draws of its latents, by regression; that is no GAN.
pictures: those of a folder, against a discriminator."""
TEACHER_STAGES = ("teacher",)
"""Stages that a recipe of a teacher describes."""
STUDENT_STAGES = ("distill", "supernet", "finetune")
"""Stages that a recipe of a student describes."""
_SHIPPED = Path(__file__).parent.parent / "recipes"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class LossWeights:
    """Weights of the terms of distillation; perceptual and adversarial term are not computed if theirs are 0."""

    rgb: Annotated[float, Field(ge=0)] = 1.0
    """L1 + MSE of the images of all heads."""
    dwt: Annotated[float, Field(ge=0)] = 1.0
    """L1 + MSE of the wavelet transforms of all heads."""
    percep: Annotated[float, Field(ge=0)] = 0.0
    """Distance in the features of VGG16, of the last head; the authors' is 1."""
    adv: Annotated[float, Field(ge=0)] = 0.0
    """Non-saturating loss against a discriminator, of the last head; the authors' is 0.5."""

    def __post_init__(self) -> None:
        if not self.rgb + self.dwt:
            raise ValueError(
                "rgb and dwt are both 0: a student learns its teacher's images; weigh one of them"
            )


@dataclass(frozen=True, kw_only=True, config=STRICT)
class StudentStage(FallingStage):
    """Settings of one stage of a student; the learning rate is the discriminator's too."""

    weights: LossWeights = field(default_factory=LossWeights)
    """Weights of the losses."""
    from_student: bool = False
    """Stage supernet alone: start from the run's distilled student instead of an untrained one."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class _Recipe(BaseRecipe):
    clip_norm: Annotated[float, Field(ge=0)] = 1.0
    """Largest 2-norm of a step's gradient; 0 does not clip. Without it the published loss explodes within an epoch."""
    held_out: Annotated[int, Field(ge=1)] = 64
    """How many latents, which training does not draw, the network is validated on."""
    r1_gamma: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 10.0
    """Weight of the discriminator's gradient penalty on the images that it shall take for real."""
    r1_every: Annotated[int, Field(ge=1)] = 16
    """Steps between penalties, each of which counts so many times."""

    def __post_init__(self) -> None:
        if self.compile:
            raise ValueError("compile: these networks are not compiled; remove it")


@dataclass(frozen=True, kw_only=True, config=STRICT)
class TeacherRecipe(_Recipe):
    """A StyleGAN2 that is fitted to drawings by regression, or trained against a discriminator on pictures."""

    stages: Mapping[str, FallingStage]
    """Settings of every stage by its name."""
    learns: Lessons = "drawings"
    """See `Lessons`."""
    channels: tuple[Annotated[int, Field(ge=1)], ...]
    """Channels at 4, 8, ..., size px, of the discriminator too."""
    style_dim: Annotated[int, Field(ge=1)] = 32
    """Numbers of a latent and of a style."""
    mapping_layers: Annotated[int, Field(ge=1)] = 4
    """Layers of the mapping network."""
    lr_mul: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    """As in `EqualisedLinear`, of the mapping network; StyleGAN2's 0.01 learns drawings much slower."""
    betas: tuple[float, float] = (0.0, 0.99)
    """Adam's decay rates."""
    mirror: bool = True
    """Pictures alone: whether they are mirrored half of the time."""
    path_weight: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 2.0
    """Pictures alone: weight of the path length regularisation (Karras et al. 2020, section 3.2); 0 leaves it out."""
    path_every: Annotated[int, Field(ge=1)] = 4
    """Pictures alone: steps between regularisations, each of which counts so many times."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.learns == "drawings" and self.style_dim < N_FACTORS:
            raise ValueError(
                f"style_dim is {self.style_dim}: drawings depend on {N_FACTORS} numbers of a latent; give at least that"
            )


@dataclass(frozen=True, kw_only=True, config=STRICT)
class StudentRecipe(_Recipe):
    """A student that is distilled from a teacher, alone or weight-shared. Its channels follow from the teacher's."""

    stages: Mapping[str, StudentStage]
    """Settings of every stage by its name."""
    demodulation: Demodulation = "style"
    """As in `Demodulation`."""
    targets: Targets = "bilinear"
    """How the teacher's image is resized for the heads at lower resolutions."""
    psi: Annotated[float, Field(allow_inf_nan=False)] = 1.0
    """Truncation of the styles that are learned from."""
    perceptual: Literal["required", "where_present"] = "required"
    """Whether training goes on without the perceptual term if VGG16's weights are absent."""
    betas: tuple[float, float] = (0.9, 0.999)
    """Adam's decay rates."""

    def __post_init__(self) -> None:
        super().__post_init__()
        wrong = [
            name for name in ("distill", "finetune") if name in self.stages and self.stages[name].from_student
        ]
        if wrong:
            raise ValueError(
                f"stages.{wrong[0]}.from_student: only stage supernet starts from the student; remove it"
            )


def read_teacher_recipe(name_or_path: str | Path) -> TeacherRecipe:
    """Read a recipe of a teacher from TOML.

    Args:
        name_or_path: a shipped recipe's name (drawings, pictures, stylegan2), or the path of a TOML file.

    Returns:
        The recipe.

    Raises:
        InputError: as `mfagan.training.recipe.read_recipe`.
    """
    return recipes.read_recipe(TeacherRecipe, name_or_path, TEACHER_STAGES, _SHIPPED / "teacher")


def read_student_recipe(name_or_path: str | Path) -> StudentRecipe:
    """Read a recipe of a student from TOML.

    Args:
        name_or_path: a shipped recipe's name (demo, published), or the path of a TOML file.

    Returns:
        The recipe.

    Raises:
        InputError: as `mfagan.training.recipe.read_recipe`.
    """
    return recipes.read_recipe(StudentRecipe, name_or_path, STUDENT_STAGES, _SHIPPED / "student")
