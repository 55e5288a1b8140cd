"""Recipes of this system: which translators, which losses, how they are pruned, and how long they train."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError
from pydantic.dataclasses import dataclass

from mfagan.coronetgan.network import ResnetTranslator, Translator, UnetTranslator
from mfagan.coronetgan.network.hyper.latents import MIN_CHANNELS, TAU
from mfagan.coronetgan.network.hyper.ratio import STOP_ABOVE
from mfagan.coronetgan.network.links import Norm
from mfagan.coronetgan.network.norm import AtInference
from mfagan.coronetgan.network.resnet import Upsampling
from mfagan.coronetgan.training.draws.slices import Slices
from mfagan.data.translation.folders import Direction
from mfagan.errors import InputError, describe_fault
from mfagan.networks.normed_patchgan import NormedPatchGAN
from mfagan.training import recipe as recipes
from mfagan.training.recipe import STRICT, BaseRecipe, FallingStage

__all__ = ["STAGES", "Gan", "Masking", "Model", "TranslationRecipe", "change_recipe", "read_recipe"]

Model = Literal["pix2pix", "cyclegan"]
"""What is trained: one translator on pairs of pictures, or two, each the other's way back, on two sets of them."""
Gan = Literal["lsgan", "vanilla"]
"""The adversarial loss: squared errors, as CycleGAN's, or cross-entropies, as pix2pix's."""
Masking = Literal["search", "bake"]
"""search: while the ratio is sought, gated activations are multiplied by the masks, so that the baked network makes
what was trained (ours). bake: as published, masks have no effect before they are baked. Validation is always masked."""
STAGES = (
    "dense",
    "uniform",
    "search",
    "pruned",
    "supernet",
    "finetune",
    "magnitude",
    "distilled",
)
"""Stages that a recipe describes; those that it leaves out have the settings of the first."""
_SHIPPED = Path(__file__).parent.parent / "recipes"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class TranslationRecipe(BaseRecipe):
    """Translators against discriminators. Stages search and pruned are one course: steps count from its start."""

    stages: Mapping[str, FallingStage]
    """Settings of every stage by its name. The steps of stage pruned are those of search and pruned together."""
    model: Model = "pix2pix"
    """As in `Model`."""
    generator: Literal["resnet", "unet"] = "resnet"
    """The translators: CycleGAN's, or pix2pix's U-Net."""
    base: Annotated[int, Field(ge=1)] = 64
    """Channels of the translators' first convolution (ngf)."""
    blocks: Annotated[int, Field(ge=0)] = 9
    """Residual blocks of a ResNet."""
    levels: Annotated[int, Field(ge=2)] = 8
    """Halvings of a U-Net."""
    in_channels: Literal[1, 3] = 3
    """Channels of the pictures of A; 1 is grey."""
    out_channels: Literal[1, 3] = 3
    """Channels of the pictures of B; 1 is grey."""
    norm: Norm = "instance"
    """As in `Norm`, of translators and discriminators."""
    norm_at_inference: AtInference | None = None
    """As in `AtInference`; None for the norm's own: image of instance norm, running of batch norm."""
    upsampling: Upsampling = "transposed"
    """As in `Upsampling`, of a ResNet."""
    dropout: bool = False
    """Whether the translators drop features in training."""
    gan: Gan = "lsgan"
    """As in `Gan`."""
    l1: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 100.0
    """Weight of the mean absolute difference from the wanted picture: pix2pix's, and a teacher's."""
    cycle: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 10.0
    """CycleGAN alone: weight of the difference that is left there and back (lambda in the public code)."""
    identity: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.5
    """CycleGAN alone: weight, as a share of `cycle`, of what a translator changes in a picture of its target."""
    pool: Annotated[int, Field(ge=0)] = 50
    """CycleGAN alone: how many translated pictures of the past a discriminator is shown again; 0 for none."""
    discriminator_base: Annotated[int, Field(ge=1)] = 64
    """Channels of the discriminators' first convolution (ndf)."""
    discriminator_layers: Annotated[int, Field(ge=1)] = 3
    """Convolutions of stride 2 of the discriminators."""
    load_px: Annotated[int, Field(ge=1)] = 286
    """Side to which pictures are resized before they are cropped."""
    crop_px: Annotated[int, Field(ge=1)] = 256
    """Side of the pictures that are trained on; MACs are those of pictures of this size."""
    mirror: bool = True
    """Whether pictures are mirrored half of the time."""
    direction: Direction = "AtoB"
    """As in `Direction`."""
    held_out: Annotated[int, Field(ge=1)] = 16
    """Pictures of each domain that validation looks at, at most."""
    gamma: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 0.1
    """The proximal step shrinks latents by this times the learning rate."""
    tau: Annotated[float, Field(gt=0, allow_inf_nan=False)] = TAU
    """Entries of latents of a smaller magnitude are pruned."""
    min_channels: Annotated[int, Field(ge=1)] = MIN_CHANNELS
    """Channels that every latent keeps."""
    mask: Masking = "search"
    """As in `Masking`."""
    round_to: Annotated[int, Field(ge=1)] = 1
    """Widths of pruned translators are multiples of this, or full."""
    fill: bool = False
    """Whether few latents take further channels after rounding, so that the ratio is met within one channel; uniform
    widths are not rounded at all then."""
    stop_above: Annotated[float, Field(ge=0, allow_inf_nan=False)] = STOP_ABOVE
    """Sparsification stops at a ratio this much above the one that is asked for; the rest is pruned at once."""
    rescale: bool = False
    """Whether stage pruned starts from weights that are scaled, layer by layer, to the spread of untrained ones where
    instance norm undoes it; what the network makes stays the same, but the optimizer's steps become larger beside
    them (beyond the method)."""
    slices: Slices = "in_turn"
    """As in `Slices`."""

    def __post_init__(self) -> None:
        if self.compile:
            raise ValueError("compile: these networks are not compiled; remove it")
        if self.load_px < self.crop_px:
            raise ValueError(
                f"load_px is {self.load_px}: crops of {self.crop_px} px need that at least; raise it"
            )
        channels = self.in_channels, self.out_channels
        if self.model == "cyclegan" and self.identity and channels[0] != channels[1]:
            raise ValueError(
                f"identity: pictures of {channels[0]} and {channels[1]} channels cannot stay what they are; set it to 0"
            )
        if self.model == "pix2pix" and not self.l1:
            raise ValueError("l1 is 0: without it pix2pix learns nothing of the pairs; weigh it")
        first = self.stages.get(STAGES[0])
        if first is not None:
            stages = {**dict.fromkeys(STAGES, first), **self.stages}
            object.__setattr__(self, "stages", stages)

    def translator(self, backwards: bool = False) -> Translator:
        """An untrained translator at full widths, drawn from torch's global seed.

        Args:
            backwards: B to A instead of A to B, which differ in their channels.

        Returns:
            It.

        Raises:
            InputError: as the translators; it does not take pictures of `crop_px`.
        """
        channels = (
            (self.out_channels, self.in_channels) if backwards else (self.in_channels, self.out_channels)
        )
        common = {
            "in_channels": channels[0],
            "out_channels": channels[1],
            "norm": self.norm,
            "norm_at_inference": self.norm_at_inference,
            "dropout": self.dropout,
        }
        if self.generator == "unet":
            found: Translator = UnetTranslator.full(self.base, self.levels, **common)
        else:
            found = ResnetTranslator.full(self.base, self.blocks, upsampling=self.upsampling, **common)
        self._require_size(found)
        return found

    def discriminator(self, backwards: bool = False) -> NormedPatchGAN:
        """An untrained discriminator of a translator's pictures.

        Args:
            backwards: as for `translator`.

        Returns:
            One of pictures side by side with what they were made of in pix2pix, of pictures alone in CycleGAN.
        """
        channels = self.in_channels if backwards else self.out_channels
        if self.model == "pix2pix":
            channels = self.in_channels + self.out_channels
        return NormedPatchGAN(channels, self.discriminator_base, self.discriminator_layers, self.norm)

    def _require_size(self, translator: Translator) -> None:
        try:
            translator.require_size(self.crop_px, self.crop_px)
        except InputError as error:
            raise InputError(f"recipe {self.name}: crop_px: {error}") from None
        least = 3 * 2**self.discriminator_layers
        if self.crop_px < least:
            raise InputError(
                f"recipe {self.name}: crop_px is {self.crop_px}: a discriminator of {self.discriminator_layers} layers "
                f"needs {least}; raise it, or lower discriminator_layers"
            )


def change_recipe(recipe: TranslationRecipe, settings: Mapping[str, object]) -> TranslationRecipe:
    """The same recipe with other settings.

    Args:
        recipe: what is changed.
        settings: fields and their new values.

    Returns:
        The changed copy.

    Raises:
        InputError: a value that the recipe does not take, which it names.
    """
    try:
        return replace(recipe, **settings)  # pyright: ignore[reportArgumentType, reportCallIssue]
    except ValidationError as error:
        raise InputError(f"recipe {recipe.name}: {describe_fault(error)}") from None


def read_recipe(name_or_path: str | Path) -> TranslationRecipe:
    """Read a recipe from TOML.

    Args:
        name_or_path: a shipped recipe's name (pix2pix, cyclegan, demo), or the path of a TOML file.

    Returns:
        The recipe.

    Raises:
        InputError: as `mfagan.training.recipe.read_recipe`.
    """
    return recipes.read_recipe(TranslationRecipe, name_or_path, STAGES, _SHIPPED)
