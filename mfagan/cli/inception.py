"""Inception's weights in commands that measure FID and KID."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mfagan.evaluation.inception import InceptionFeatures

__all__ = ["INCEPTION_HELP", "load_inception"]

logger = logging.getLogger(__name__)

INCEPTION_HELP = (
    "Inception's weights, pt_inception-2015-12-05-6726825d.pth (default: in $TORCH_HOME/hub/checkpoints)."
)
"""Of the option --inception."""


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
