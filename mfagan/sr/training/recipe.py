"""Recipes of MFAGAN: every setting of the four stages of the paper's section 4.1."""

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from mfagan.networks.vgg import VggBackbone, vgg_layers
from mfagan.training.recipe import STRICT, BaseRecipe, StageSettings

__all__ = ["Criterion", "LossWeights", "Recipe", "Sampling", "Stage"]

Criterion = Literal["psnr", "lpips", "lpips_within"]
"""By what fine-tuning chooses the weights it keeps among its validations, the start included.

psnr: the highest PSNR-Y. lpips: the lowest LPIPS. lpips_within: the lowest LPIPS among those whose PSNR-Y is at most
`max_psnr_loss_db` below the start's, both the mean over the validation images.
"""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class LossWeights:
    """The lambdas of the paper's equation (1); a term of weight 0 is not computed."""

    recon: Annotated[float, Field(ge=0)] = 1.0
    """L1 reconstruction, equation (2)."""
    distill_g: Annotated[float, Field(ge=0)] = 0.0
    """Layer-wise distillation of the generator, equation (3)."""
    distill_d: Annotated[float, Field(ge=0)] = 0.0
    """Layer-wise distillation of the discriminator, equation (4)."""
    percep: Annotated[float, Field(ge=0)] = 0.0
    """Perceptual loss, equation (5)."""
    adv: Annotated[float, Field(ge=0)] = 0.0
    """Adversarial loss, equation (6)."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Sampling:
    """Which SubGenerators one step of the SuperGenerator trains, and towards what."""

    rule: Literal["random", "sandwich"] = "random"
    """random: slices drawn at each step (the paper). sandwich: the widest, the narrowest and drawn ones (Yu and Huang
    2019)."""
    n_random: Annotated[int, Field(ge=1)] = 1
    """How many slices are drawn a step."""
    full_first: Annotated[int, Field(ge=0)] = 0
    """Steps at the start that train the full width alone, as progressive shrinking does (Cai et al. 2020)."""
    in_place: Annotated[float, Field(ge=0, le=1)] = 0.0
    """In-place distillation: the share of the full width's output, against the original, that narrower slices learn."""
    narrow_weight: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    """Sandwich rule: the weight of the narrower slices' losses, against 1 for the full width's."""
    sort: bool = True
    """Whether the student's channels are sorted by importance before the first step."""

    def __post_init__(self) -> None:
        if self.in_place and self.rule != "sandwich":
            raise ValueError("in_place needs the full width's output: set rule to sandwich")
        if self.narrow_weight != 1 and self.rule != "sandwich":
            raise ValueError("narrow_weight weighs against the full width's loss: set rule to sandwich")


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Stage(StageSettings):
    """Settings of one stage; the learning rate is the generator's and the discriminator's."""

    weights: LossWeights = field(default_factory=LossWeights)
    """Weights of the losses."""
    sampling: Sampling = field(default_factory=Sampling)
    """Which slices a step of the stage `supernet` trains; the other stages have none."""
    criterion: Criterion = "psnr"
    """What the stage `finetune` keeps, see `Criterion`; the other stages keep their last weights."""
    max_psnr_loss_db: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    """For the criterion lpips_within: the most that PSNR-Y may fall below the start's, in dB."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.criterion == "lpips_within") != (self.max_psnr_loss_db is not None):
            raise ValueError(
                "criterion lpips_within and max_psnr_loss_db need each other: set both or neither"
            )

    def describe_unreached(self) -> list[str]:
        """The settings that lie beyond the stage's last step and so have no or little effect, a phrase each."""
        found = super().describe_unreached()
        if self.sampling.full_first >= self.steps:
            found.append(
                f"sampling.full_first {self.sampling.full_first} leaves no step to the narrower slices"
            )
        return found


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Recipe(BaseRecipe):
    """Everything that the training of MFAGAN depends on besides the images and the seed."""

    stages: Mapping[str, Stage]
    """Settings of every stage by its name."""
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
    crop_px: Annotated[int, Field(ge=16)] = 32
    """Side of a crop in LR pixels."""
    shrink: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = ()
    """Factors by which copies of the training images are shrunk, to be trained on too."""
    discriminator: Literal["patchgan", "esrgan"] = "patchgan"
    """The paper's PatchGAN or ESRGAN's discriminator, for comparison (paper figure 6)."""
    perceptual: Literal["required", "where_present"] = "required"
    """Whether training goes on without the perceptual term if the backbone's weights are absent."""
    perceptual_backbone: VggBackbone = "vgg19"
    """Whose feature maps equation (5) compares: VGG19's (the paper) or VGG16's, its stand-in."""
    perceptual_layers: Mapping[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]] = field(
        default_factory=dict
    )
    """Its convolutions that are read before their activation, and the weight of each; empty for the last one alone:
    conv5_4 of VGG19 (the paper) or conv5_3 of VGG16."""
    norm: Literal["mse", "l2"] = "mse"
    """How feature maps are compared in equations (3) to (5): the paper's text says MSE, its formulas a norm."""

    def __post_init__(self) -> None:
        known = vgg_layers(self.perceptual_backbone)
        for name in self.perceptual_layers:
            if name not in known:
                raise ValueError(
                    f"perceptual_layers.{name}: {self.perceptual_backbone} has no such layer; "
                    f"choose from {', '.join(known)}"
                )
        for name, stage in self.stages.items():
            if name != "finetune" and stage.criterion != "psnr":
                raise ValueError(
                    f"stages.{name}.criterion is {stage.criterion}: only the stage finetune keeps its best "
                    "validation; remove it"
                )

    def read_layers(self) -> dict[str, float]:
        """The layers that the perceptual loss reads.

        Returns:
            Names of the backbone's convolutions -> weights.
        """
        return dict(self.perceptual_layers) or {list(vgg_layers(self.perceptual_backbone))[-1]: 1.0}

    def describe_features(self) -> str:
        """Describe in words what the perceptual loss compares, for a checkpoint's record."""
        layers = self.read_layers()
        weighed = " + ".join(name if weight == 1 else f"{weight:g} {name}" for name, weight in layers.items())
        text = f"{self.perceptual_backbone.upper()} {weighed}, before the activation"
        if (self.perceptual_backbone, list(layers)) == ("vgg19", ["conv5_4"]):
            return text
        return f"{text}; stands in for the paper's VGG19 conv5_4"
