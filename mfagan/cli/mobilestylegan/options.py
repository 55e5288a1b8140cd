"""What several commands of this system share: option types."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

__all__ = ["INCEPTION_HELP", "TeacherOption", "Vgg16Option", "load_inception"]

if TYPE_CHECKING:
    from mfagan.evaluation.inception import InceptionFeatures

logger = logging.getLogger(__name__)

INCEPTION_HELP = (
    "Inception's weights, pt_inception-2015-12-05-6726825d.pth (default: in $TORCH_HOME/hub/checkpoints)."
)
"""Of the option --inception."""

TeacherOption = Annotated[
    Path,
    typer.Option(
        metavar="FILE",
        help="The StyleGAN2 to learn from, of `mobilestylegan teacher` or `mobilestylegan import`.",
    ),
]
Vgg16Option = Annotated[
    Path | None,
    typer.Option(
        "--vgg",
        "--vgg16",
        help="VGG16's weights, where the recipe weighs percep (default: in $TORCH_HOME/hub/checkpoints).",
    ),
]


def load_inception(path: Path, device: str) -> "InceptionFeatures":
    """Load Inception, and warn of weights that are not the published ones.

    Args:
        path: its weights.
        device: the device's name, or `auto`.

    Raises:
        InputError: as `InceptionFeatures` and `choose_device`.
    """
    from mfagan.devices import choose_device
    from mfagan.evaluation.inception import InceptionFeatures

    features = InceptionFeatures(path, choose_device(device))
    if not features.is_published:
        logger.warning(
            "%s is not the published file: the distances of its features are not FID and not KID", path
        )
    return features
