"""A set of images in folders: its files by name, its pairs, and what two sets have to do with each other."""

import itertools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from mfagan.data.images import read_size
from mfagan.errors import InputError

__all__ = [
    "EXTENSIONS",
    "ImageSet",
    "PairFiles",
    "Part",
    "find_folder",
    "list_entries",
    "list_images",
    "name_apart",
    "refuse_hidden_pairs",
]

EXTENSIONS = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")

Part = Literal["training", "validation", "any"]
"""What a set is for where its folder's name tells so."""

_LARGEST_SCALE = 8
"""Two folders whose pictures differ by up to this whole factor look like pairs."""


@dataclass(frozen=True)
class PairFiles:
    """Where one pair comes from; `lr` is None where the LR image is made from the HR image."""

    name: str
    hr: Path
    lr: Path | None = None


@dataclass(frozen=True)
class ImageSet:
    """The images of one set by name, in natural order; `lr_folder` is None where LR images are to be made."""

    name: str
    layout: str
    hr_folder: Path
    hr: dict[str, Path]
    lr_folder: Path | None = None
    lr: dict[str, Path] = field(default_factory=dict)
    part: Part = "any"
    unused_lr: tuple[Path, ...] = ()

    @property
    def without_lr(self) -> list[str]:
        """Names of HR images whose LR image should be in `lr_folder` and is not."""
        return [] if self.lr_folder is None else [name for name in self.hr if name not in self.lr]

    def pairs(self, scale: int) -> list[PairFiles]:
        """The files of every pair.

        Args:
            scale: enlargement, to name what is missing.

        Returns:
            One entry an HR image, in natural order.

        Raises:
            InputError: an HR image without its LR image.
        """
        for name in self.without_lr:
            raise InputError(
                f"HR image {self.hr[name]} has no LR image: neither {name} nor {name}x{scale} is in "
                f"{self.lr_folder}; add it, or remove the HR image"
            )
        return [PairFiles(name, path, self.lr.get(name)) for name, path in self.hr.items()]


def refuse_hidden_pairs(sets: Sequence[ImageSet], folder: Path) -> None:
    """Refuse sets of which one looks like the LR half of another: scored as HR images it would be silently wrong.

    Args:
        sets: what a folder holds.
        folder: the folder, to name it in the message.

    Raises:
        InputError: all pictures of one set have the names of another's and are smaller by one whole factor.
    """
    for one, other in itertools.permutations(sets, 2):
        if one.lr_folder is None and other.lr_folder is None and (factor := _common_factor(one, other)):
            raise InputError(
                f"{folder}: {other.hr_folder.name} holds the pictures of {one.hr_folder.name} {factor} times "
                "smaller: name the two folders HR and LR if they are pairs, or give the folder of HR images alone"
            )


def _common_factor(one: ImageSet, other: ImageSet) -> int | None:
    """The whole number by which each picture of `other` is smaller than that of the same name in `one`, or None."""
    factors = set()
    for stem, path in other.hr.items():
        large = one.hr.get(stem) or one.hr.get(re.sub(r"x[2-8]$", "", stem))
        if large is None:
            return None
        try:
            sizes = [read_size(each) for each in (large, path)]
        except InputError:  # reading the picture itself will report it
            return None
        factors.add(tuple(side // small for side, small in zip(*sizes, strict=True)))
        if len(factors) > 1:
            return None
    (height, width) = factors.pop() if factors else (0, 0)
    return height if height == width and 2 <= height <= _LARGEST_SCALE else None


def name_apart(sets: Sequence[ImageSet]) -> list[ImageSet]:
    """Give sets of one name the folder above as a prefix, such as a/DIV2K_valid_HR and b/DIV2K_valid_HR.

    Args:
        sets: sets that may share names.

    Returns:
        The sets in their order; other names are kept.
    """
    counts = Counter(one.name for one in sets)
    return [
        one
        if counts[one.name] == 1
        else replace(one, name=f"{one.hr_folder.resolve().parent.name}/{one.name}")
        for one in sets
    ]


def find_folder(folder: Path, name: str) -> Path | None:
    """Find a sub-folder whose name may be written in small or capital letters.

    Args:
        folder: an existing folder.
        name: the sub-folder's name, perhaps of several levels such as a/b.

    Returns:
        The sub-folder, or None if there is none.

    Raises:
        InputError: several names fit and none exactly, or a folder that cannot be listed.
    """
    for part in name.split("/"):
        if (folder / part).is_dir():
            folder = folder / part
            continue
        found = [one for one in _entries(folder) if one.name.lower() == part.lower() and one.is_dir()]
        if len(found) > 1:
            names = " and ".join(sorted(one.name for one in found))
            raise InputError(f"{folder} has the folders {names}: name the one to be used {part}")
        if not found:
            return None
        folder = found[0]
    return folder


def list_images(folder: Path) -> dict[str, Path]:
    """The images of a folder in natural order (2 before 10), without hidden files.

    Args:
        folder: an existing folder.

    Returns:
        Stem -> path.

    Raises:
        InputError: two images of one stem, or a folder that cannot be listed.
    """
    images: dict[str, Path] = {}
    for path in list_entries(folder):
        if path.suffix.lower() not in EXTENSIONS or path.is_dir():
            continue
        if path.stem in images:
            raise InputError(
                f"two images share one name: {images[path.stem]} and {path.name}; rename or remove one"
            )
        images[path.stem] = path
    return images


def list_entries(folder: Path) -> list[Path]:
    """What a folder holds, in natural order (2 before 10), without hidden files.

    Args:
        folder: an existing folder.

    Returns:
        Its entries.

    Raises:
        InputError: the folder cannot be listed.
    """
    return sorted((path for path in _entries(folder) if path.name[0] != "."), key=_natural)


def _entries(folder: Path) -> list[Path]:
    """In no order: looking for names in a folder of many pictures, sorting would take most of the time."""
    try:
        return list(folder.iterdir())
    except OSError as error:
        raise InputError(f"cannot list image folder {folder}: {error.strerror}; make it readable") from error


def _natural(path: Path) -> list[tuple[int, str]]:
    # Every second part is a run of ASCII digits; isdigit() would also take superscripts, which int() refuses.
    parts = re.split(r"([0-9]+)", path.name.lower())
    return [(int(part), "") if i % 2 else (-1, part) for i, part in enumerate(parts)]
