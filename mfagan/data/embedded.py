"""Scikit-image's bundled colour photographs, which stand in where the user gives no folder."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from mfagan.data.image_sets import ImageSet
from mfagan.errors import InputError

__all__ = [
    "EMBEDDED",
    "EMBEDDED_HELD_OUT",
    "EMBEDDED_SCORED",
    "EMBEDDED_TRAIN",
    "embedded_set",
    "trained_photographs",
]

EMBEDDED = "embedded"
"""The word that stands for scikit-image's bundled colour photographs wherever a folder is asked for."""

EMBEDDED_TRAIN = (
    "coffee.png",
    "rocket.jpg",
    "motorcycle_left.png",
    "motorcycle_right.png",
    "hubble_deep_field.jpg",
    "ihc.png",
)
"""Scikit-image's retina is left out: most of it is black, and crops of it teach little."""

EMBEDDED_HELD_OUT = ("astronaut.png", "chelsea.png")
"""What a training on the embedded photographs validates on; never trained on."""

EMBEDDED_SCORED = (*EMBEDDED_HELD_OUT, "coffee.png", "rocket.jpg", "motorcycle_left.png")
"""What networks and slices are scored on, less those that the network learned from. The left picture of the stereo
pair stands for both: they show one motorcycle from 19 cm apart."""


def trained_photographs(record: Mapping[str, object]) -> frozenset[str]:
    """The embedded photographs that a checkpoint was trained on.

    Args:
        record: how it was made.

    Returns:
        Their names without suffix, such as coffee; none if it was trained on other images.
    """
    images, names = record.get("images"), record.get("training_images")
    sources = images if isinstance(images, list | tuple) else [images]
    if EMBEDDED not in sources or not isinstance(names, list | tuple):
        return frozenset()
    return frozenset(Path(name).stem for name in EMBEDDED_TRAIN) & frozenset(names)


def embedded_set(part: Literal["training", "validation"], names: tuple[str, ...]) -> ImageSet:
    """One part of the embedded photographs as a set.

    Args:
        part: what the photographs are for.
        names: their file names in scikit-image's data folder.

    Returns:
        The set; its files are not opened.

    Raises:
        InputError: scikit-image is not installed.
    """
    package = find_spec("skimage")
    if package is None or not package.submodule_search_locations:
        raise InputError(
            "the embedded photographs come with scikit-image, which is not installed: "
            "pip install 'mfagan[demo]', or give your own images"
        )
    folder = Path(package.submodule_search_locations[0]) / "data"
    return ImageSet(
        f"embedded, {part}",
        "scikit-image's photographs",
        folder,
        {Path(name).stem: folder / name for name in names},
        part=part,
    )
