"""The discriminators of MFAGAN's training by their names in checkpoints: PatchGAN, and ESRGAN's to compare with."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from torch import Tensor, nn

from mfagan import checkpoint
from mfagan.checkpoint import Checkpoint
from mfagan.errors import InputError
from mfagan.networks.discriminators import SLOPE, Discriminator, PatchGAN
from mfagan.networks.initial_weights import start_with_details

__all__ = ["DISCRIMINATORS", "ESRGANDiscriminator", "load_discriminator", "rebuild_discriminator"]


class ESRGANDiscriminator(Discriminator):
    """ESRGAN's (Wang et al. 2018): ten convolutions with batch normalisation, then two linear layers, one logit.

    It follows SRGAN's: every second convolution halves the image, channels double from `base` to eight times it.
    The linear layers tie it to one size of image.
    """

    KIND: ClassVar[str] = "esrgan_discriminator"
    HIDDEN = 100

    def __init__(self, image_px: int = 128, base: int = 64) -> None:
        """Make an untrained discriminator.

        Args:
            image_px: side of the images, a multiple of 32, at least 64: at 32 one pixel would be left, of which a
                batch of one image has no statistics to normalise by.
            base: output channels of the first convolution.

        Raises:
            InputError: another size of image.
        """
        super().__init__()
        if image_px < 64 or image_px % 32:
            raise InputError(
                f"ESRGAN's discriminator: images of {image_px} px; it halves them five times, give a multiple of 32, "
                "at least 64"
            )
        self.image_px = image_px
        self.base = base
        layers: list[nn.Module] = []
        channels = 3
        for multiple in (1, 2, 4, 8, 8):
            width = multiple * base
            layers += [nn.Conv2d(channels, width, 3, padding=1, bias=not layers)]
            layers += [nn.BatchNorm2d(width)] if channels != 3 else []
            layers += [nn.LeakyReLU(SLOPE, inplace=True), nn.Conv2d(width, width, 4, 2, 1, bias=False)]
            layers += [nn.BatchNorm2d(width), nn.LeakyReLU(SLOPE, inplace=True)]
            channels = width
        first = layers[0]
        assert isinstance(first, nn.Conv2d)
        start_with_details(first)
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Linear(channels * (image_px // 32) ** 2, self.HIDDEN),
            nn.LeakyReLU(SLOPE, inplace=True),
            nn.Linear(self.HIDDEN, 1),
        )
        self.register_load_state_dict_pre_hook(_rename_weights)

    def config(self) -> dict[str, object]:
        """The arguments that rebuild this network."""
        return {"image_px": self.image_px, "base": self.base}

    def forward(self, images: Tensor) -> Tensor:
        """Compute the images' logits.

        Args:
            images: (N, 3, image_px, image_px), RGB in [0, 1].

        Returns:
            (N, 1), high where the images look real.
        """
        return self.classifier(self.features(images).flatten(1))


def _rename_weights(module: nn.Module, state: dict[str, Any], prefix: str, *_: object) -> None:
    """Version 0.1.0 called the classifier `judge`."""
    for name in [name for name in state if name.startswith(f"{prefix}judge.")]:
        state[f"{prefix}classifier.{name.removeprefix(f'{prefix}judge.')}"] = state.pop(name)


DISCRIMINATORS: Mapping[str, type[Discriminator]] = {
    kind.KIND: kind for kind in (PatchGAN, ESRGANDiscriminator)
}
"""Name in checkpoints -> class."""


def load_discriminator(path: str | Path, role: str | None = None) -> Discriminator:
    """Load the discriminator of a checkpoint, in float32 whatever type the file has.

    Args:
        path: the checkpoint.
        role: the role it must have, or None for any.

    Returns:
        The discriminator on the CPU.

    Raises:
        InputError: as `checkpoint.read` and `rebuild_discriminator`.
    """
    return rebuild_discriminator(checkpoint.read(path, role=role), path)


def rebuild_discriminator(found: Checkpoint, path: str | Path) -> Discriminator:
    """Build the discriminator that a checkpoint describes.

    Args:
        found: the checkpoint.
        path: its file, which errors name.

    Returns:
        The discriminator on the CPU, in float32.

    Raises:
        InputError: the checkpoint holds another network, or does not describe it.
    """
    if found.network not in DISCRIMINATORS:
        raise InputError(
            f"checkpoint {path}: its network is {found.network!r}, a discriminator is needed here"
        )
    try:
        network = DISCRIMINATORS[found.network](**found.config)
    except TypeError:
        raise InputError(
            f"checkpoint {path}: it does not describe a discriminator ({found.config})"
        ) from None
    return checkpoint.load_weights(network, found, path)
