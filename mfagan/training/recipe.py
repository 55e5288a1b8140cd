"""Training recipes: TOML files with every setting of the four stages (paper section 4.1)."""

import tomllib
from dataclasses import asdict, field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from mfagan.errors import InputError

SHIPPED = Path(__file__).parent.parent / "recipes"
_STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True, config=_STRICT)
class LossWeights:
    """The lambdas of the paper's equation (1); a term of weight 0 is not computed."""

    recon: Annotated[float, Field(ge=0)] = 1.0
    """L1 reconstruction, equation (2)."""
    distill_g: Annotated[float, Field(ge=0)] = 0.0
    """Layer-wise distillation of the generator, equation (3)."""
    distill_d: Annotated[float, Field(ge=0)] = 0.0
    """Layer-wise distillation of the discriminator, equation (4)."""
    percep: Annotated[float, Field(ge=0)] = 0.0
    """VGG19 perceptual loss, equation (5)."""
    adv: Annotated[float, Field(ge=0)] = 0.0
    """Adversarial loss, equation (6)."""


@dataclass(frozen=True, config=_STRICT)
class Sampling:
    """Which SubGenerators one step of the SuperGenerator trains, and towards what."""

    rule: Literal["random", "sandwich"] = "random"
    """random: slices drawn anew (the paper). sandwich: the widest, the narrowest and drawn ones (Yu and Huang 2019)."""
    n_random: Annotated[int, Field(ge=1)] = 1
    """How many slices are drawn a step."""
    full_first: Annotated[int, Field(ge=0)] = 0
    """Steps at the start that train the full width alone, as progressive shrinking does (Cai et al. 2020)."""
    in_place: Annotated[float, Field(ge=0, le=1)] = 0.0
    """In-place distillation: the share of the full width's output, against the original, that narrower slices learn."""

    def __post_init__(self) -> None:
        if self.in_place and self.rule != "sandwich":
            raise ValueError("in_place needs the full width's output: set rule to sandwich")


@dataclass(frozen=True, config=_STRICT)
class Stage:
    """One training stage."""

    steps: Annotated[int, Field(ge=1)]
    """Optimizer steps."""
    learning_rate: Annotated[float, Field(gt=0)]
    """Adam's learning rate at the first step, for the generator and the discriminator."""
    halve_at: tuple[int, ...] = ()
    """Steps at which the learning rate is halved."""
    cosine: bool = False
    """Let the learning rate fall to zero along a half cosine instead."""
    weights: LossWeights = field(default_factory=LossWeights)
    """Weights of the losses."""
    warm_up: Annotated[int, Field(ge=0)] = 0
    """Steps over which the learning rate rises linearly to its value."""
    sampling: Sampling = field(default_factory=Sampling)
    """Which slices a step of the stage `supernet` trains; the other stages have none."""
    validate_every: Annotated[int, Field(ge=0)] = 0
    """Steps between validations (fine-tuning keeps the best of them); 0 validates at the end alone."""


@dataclass(frozen=True, config=_STRICT)
class Stages:
    """The four stages of the paper, the first in its two halves."""

    teacher: Stage
    """1a: the wide MFANet alone (MFAGAN_L)."""
    teacher_gan: Stage
    """1b: MFAGAN_L with its PatchGAN."""
    distill: Stage
    """2: student generator and student discriminator."""
    supernet: Stage
    """3: the weight-shared SuperGenerator, widths drawn anew at each step."""
    finetune: Stage
    """4: the picked SubGenerator with the distilled discriminator."""


@dataclass(frozen=True, config=_STRICT)
class Recipe:
    """Everything that training depends on besides the images and the seed."""

    name: str
    """What checkpoints call it."""
    stages: Stages
    """Settings of each stage."""
    scale: Literal[2, 3, 4] = 4
    """Enlargement."""
    residual: Literal["none", "bicubic"] = "none"
    """Whether the enlarged input is added to the output (not in the paper)."""
    teacher_width: Annotated[int, Field(ge=1)] = 64
    """Every width of MFAGAN_L."""
    student_width: Annotated[int, Field(ge=1)] = 48
    """Every width of the student and of the SuperGenerator."""
    teacher_discriminator: Annotated[int, Field(ge=1)] = 48
    """Base width of MFAGAN_L's PatchGAN."""
    student_discriminator: Annotated[int, Field(ge=1)] = 32
    """Base width of the distilled PatchGAN."""
    batch: Annotated[int, Field(ge=1)] = 16
    """Crops a step."""
    crop_px: Annotated[int, Field(ge=16)] = 32
    """Side of a crop in LR pixels."""
    precision: Literal["fp32", "bf16", "auto"] = "auto"
    """Arithmetic of the networks: auto takes bf16 where the device computes it natively."""
    betas: tuple[float, float] = (0.5, 0.999)
    """Adam's decay rates."""
    ema_decay: Annotated[float, Field(ge=0, lt=1)] = 0.999
    """Of the moving average of the generator's weights that is evaluated and exported; 0 takes the last weights."""
    clip_norm: Annotated[float, Field(ge=0)] = 0.0
    """Largest 2-norm of a step's gradient; 0 does not clip."""
    checkpoint_every: Annotated[int, Field(ge=1)] = 250
    """Steps between the checkpoints from which an interrupted stage resumes."""
    shrink: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = ()
    """Factors by which copies of the training images are shrunk, to be trained on too."""
    discriminator: Literal["patchgan", "esrgan"] = "patchgan"
    """The paper's PatchGAN or ESRGAN's discriminator, for comparison (paper figure 6)."""
    perceptual: Literal["required", "where_present"] = "required"
    """Whether training goes on without the perceptual term where VGG19's weights are absent."""
    norm: Literal["mse", "l2"] = "mse"
    """How feature maps are compared in equations (3) to (5): the paper's text says MSE, its formulas a norm."""


STAGE_NAMES = tuple(Stages.__dataclass_fields__)


def read_recipe(name_or_path: str | Path) -> Recipe:
    """A shipped recipe by name, or one from a TOML file; an InputError names what is wrong in it."""
    shipped = {path.stem: path for path in sorted(SHIPPED.glob("*.toml"))}
    path = shipped.get(str(name_or_path), Path(name_or_path))
    try:
        fields = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not text in UTF-8"
        raise InputError(f"recipe {name_or_path}: {reason}; shipped recipes: {', '.join(shipped)}") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"recipe {path}: not TOML ({error})") from None
    return parse_recipe(fields, str(path))


def parse_recipe(fields: object, source: str) -> Recipe:
    """A recipe from plain data, such as a checkpoint's record; `source` names it in errors."""
    try:
        return TypeAdapter(Recipe).validate_python(fields)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InputError(f"recipe {source}: {place}: {first['msg']} (found {first['input']!r:.60})") from None


def as_record(recipe: Recipe) -> dict[str, object]:
    """Plain data that `parse_recipe` reads back."""
    return asdict(recipe)  # pyright: ignore[reportArgumentType] - a pydantic dataclass is a dataclass
