"""The pictures that slices are scored on, and those that their batch norms take statistics of."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mfagan.checkpoint import Checkpoint
from mfagan.coronetgan.network.statistics import N_CALIBRATION
from mfagan.coronetgan.training.draws.drawings import DrawingSampler, Subject, draw_held_out
from mfagan.coronetgan.training.pictures import DRAWINGS
from mfagan.data.image_sets import list_images
from mfagan.data.translation.folders import (
    PARTS,
    Direction,
    TranslationFile,
    find_folders,
    find_translation,
)
from mfagan.data.translation.reading import read_domain, read_tests, to_signed
from mfagan.errors import InputError
from mfagan.progress import ProgressFactory, no_progress

__all__ = ["N_PICTURES", "PictureSource", "SlicePictures", "read_pictures", "subject_of"]

N_PICTURES = 32
"""How many pictures slices are scored on if nothing is said."""


@dataclass(frozen=True)
class PictureSource:
    """Where the pictures of a study come from.

    folder: a folder of two domains in one of the layouts of `find_translation`, or of pictures of domain A alone; or
        the word `drawings`.
    part: `val`, `test` or `train`; None for `val`, as `TranslationData.with_validation` makes it of a folder that has
        none, or `test` of a folder without `train`; of a folder of domain A alone nothing else.
    paired: as for `find_translation`.
    direction: likewise.
    max_images: so many are scored on at most.
    subject: of drawings.

    InputError if there are to be none.
    """

    folder: Path
    part: str | None = None
    paired: bool = False
    direction: Direction = "AtoB"
    max_images: int = N_PICTURES
    subject: Subject = "shapes"

    @property
    def is_drawn(self) -> bool:
        """Whether they are drawings."""
        return str(self.folder) == DRAWINGS

    def __post_init__(self) -> None:
        if self.max_images < 1:
            raise InputError(f"{self.max_images} pictures: give at least 1")
        if self.part is not None and self.part not in PARTS:
            raise InputError(f"part {self.part!r}: give one of {', '.join(PARTS)}")

    def to_texts(self) -> dict[str, str]:
        """What a study remembers of it."""
        found = {
            "data": DRAWINGS if self.is_drawn else str(self.folder.resolve()),
            "paired": "yes" if self.paired else "no",
            "direction": self.direction,
            "max_images": str(self.max_images),
        }
        drawn = {"subject": self.subject} if self.is_drawn else {}
        return found | drawn | ({} if self.part is None else {"part": self.part})

    @classmethod
    def from_texts(cls, named: Mapping[str, str], folder: str | None = None) -> "PictureSource | None":
        """What `to_texts` made.

        Args:
            named: Texts by name.
            folder: Where the folder is now; None for where the study says.

        Returns:
            The source, or None if nobody knows the folder.
        """
        place = named.get("data") if folder is None else folder
        if place is None:
            return None
        direction: Direction = "BtoA" if named.get("direction") == "BtoA" else "AtoB"
        subject: Subject = "discs" if named.get("subject") == "discs" else "shapes"
        max_images = int(named.get("max_images", N_PICTURES))
        return cls(
            Path(place), named.get("part"), named.get("paired") == "yes", direction, max_images, subject
        )


@dataclass(frozen=True)
class SlicePictures:
    """What slices are scored on.

    names: of the pictures, each once.
    inputs: (N, 3, side, side) RGB in [-1, 1].
    targets: what each should become, of the same shape; None where there are no pairs.
    others: pictures of the domain that they are translated into; None where there are none.
    calibration: pictures that batch norms take statistics of, of training if there are any.
    """

    names: tuple[str, ...]
    inputs: Tensor
    targets: Tensor | None = None
    others: Tensor | None = None
    calibration: Tensor | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in px."""
        height, width = self.inputs.shape[-2:]
        return height, width

    def first(self, n: int) -> "SlicePictures":
        """The first of those that slices are scored on, with the same pictures for batch norms.

        Args:
            n: How many.
        """
        targets = None if self.targets is None else self.targets[:n]
        return replace(self, names=self.names[:n], inputs=self.inputs[:n], targets=targets)

    def sha256(self) -> str:
        """The hash of all of them, by which studies know them."""
        found = hashlib.sha256(" ".join(self.names).encode())
        for name in ("inputs", "targets", "others", "calibration"):
            pictures: Tensor | None = getattr(self, name)
            if pictures is not None:
                found.update(f"{name} {tuple(pictures.shape)}".encode() + pictures.numpy().tobytes())
        return found.hexdigest()


def read_pictures(
    source: PictureSource, side_px: int, calibrated: bool = False, bars: ProgressFactory = no_progress
) -> SlicePictures:
    """Read the pictures of a study, resized to squares as the public code's test does.

    Args:
        source: Where they come from.
        side_px: Side of the pictures in px.
        calibrated: Whether pictures for batch norms are read too: the first of the part `train`, or of those that are
            scored on where there is none.
        bars: Makes the progress bars.

    Raises:
        InputError: As `find_translation` and `read_tests`; no part to score on.
    """
    if source.is_drawn:
        return _draw(source, side_px, calibrated)
    if find_folders(source.folder) is None:
        return _read_one_domain(source, side_px, calibrated, bars)
    data = find_translation(source.folder, source.paired, source.direction).with_validation()
    name = source.part or next((one for one in ("val", "test") if one in data.parts), "test")
    found = read_tests(data.part(name), side_px, source.max_images, bars)
    calibration = None
    if calibrated:
        part = data.parts.get("train", data.part(name))
        files = part.a[:N_CALIBRATION]
        calibration = _read(files, side_px, bars)
    targets = found.b if found.paired else None
    return SlicePictures(found.names_a, found.a, targets, found.b, calibration)


def subject_of(found: Checkpoint) -> Subject:
    """What the drawings show that a network was trained on.

    Args:
        found: What its file holds.
    """
    return "discs" if found.role.endswith(("_a", "_b")) else "shapes"


def _draw(source: PictureSource, side_px: int, calibrated: bool) -> SlicePictures:
    if source.part is not None:
        raise InputError(f"part {source.part}: drawings have no parts; leave it out")
    turned = source.direction == "BtoA"
    a, b = draw_held_out(source.subject, source.max_images, side_px)
    if turned:
        a, b = b, a
    names = tuple(f"drawing {number}" for number in range(len(a)))
    found = SlicePictures(names, a, b, b)
    if not calibrated:
        return found
    batch = DrawingSampler(source.subject, side_px, N_CALIBRATION).batch(0)
    return replace(found, calibration=batch[turned])


def _read_one_domain(
    source: PictureSource, side_px: int, calibrated: bool, bars: ProgressFactory
) -> SlicePictures:
    if source.part is not None or source.paired or source.direction != "AtoB":
        raise InputError(
            f"{source.folder} is a folder of pictures without trainA, testA, train or test: leave the part, the pairs "
            "and the direction out"
        )
    listed = list_images(source.folder)
    if not listed:
        raise InputError(
            f"no images in {source.folder}: add some, or give a folder with testA and testB, or test"
        )
    files = tuple(TranslationFile(name, path) for name, path in listed.items())
    inputs = _read(files[: source.max_images], side_px, bars)
    found = SlicePictures(tuple(one.name for one in files[: source.max_images]), inputs)
    return replace(found, calibration=_read(files[:N_CALIBRATION], side_px, bars)) if calibrated else found


def _read(files: tuple[TranslationFile, ...], side_px: int, bars: ProgressFactory) -> Tensor:
    levels = read_domain(files, side_px, bars)
    return to_signed(torch.from_numpy(np.stack(levels)))
