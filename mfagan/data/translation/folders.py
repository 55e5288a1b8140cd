"""Folders of two domains of pictures, as CycleGAN and pix2pix keep them: which layout, which files, which pairs.

Layouts are known by names alone; no picture is opened.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from mfagan.data.image_sets import PairFiles, find_folder, list_images
from mfagan.errors import InputError

__all__ = [
    "DIRECTIONS",
    "PARTS",
    "Direction",
    "Half",
    "TranslationData",
    "TranslationFile",
    "TranslationFolders",
    "TranslationLayout",
    "TranslationPart",
    "find_folders",
    "find_translation",
    "partner_of",
    "require_folders",
]

PARTS = ("train", "val", "test")
"""What the folders are for, by their names: `trainA` and `trainB`, or `train` alone."""
Direction = Literal["AtoB", "BtoA"]
"""Which domain is translated into which; in pictures of two halves A is the left one."""
DIRECTIONS: tuple[Direction, ...] = ("AtoB", "BtoA")
Half = Literal["left", "right"]
"""The half of a picture of two that stand side by side."""
TranslationLayout = Literal["unpaired", "paired", "aligned"]
"""Folders trainA and trainB; the same with pairs of equal names; one folder of pictures with A and B side by side."""

_LISTED = 3
_EVERY = 20
"""Every so many pictures one is held out."""


@dataclass(frozen=True)
class TranslationFile:
    """Where one picture of one domain comes from; `half` is None where it is the whole file."""

    name: str
    path: Path
    half: Half | None = None


@dataclass(frozen=True)
class TranslationPart:
    """The pictures to translate, `a`, and those of the other domain, `b`; with `paired`, `a[i]` belongs to `b[i]`."""

    name: str
    a: tuple[TranslationFile, ...]
    b: tuple[TranslationFile, ...]
    paired: bool

    def files(self) -> list[PairFiles]:
        """The files of the part, each once, as `mfagan.data.inventory.describe_sets` takes them.

        Returns:
            Those of `a`, then those of `b` that are not the same files.
        """
        return [PairFiles(path.stem, path) for path in dict.fromkeys(one.path for one in (*self.a, *self.b))]


@dataclass(frozen=True)
class TranslationData:
    """What a folder holds of two domains: `a` of every part is translated into `b`, whatever the direction."""

    folder: Path
    layout: TranslationLayout
    direction: Direction
    parts: Mapping[str, TranslationPart]

    @property
    def paired(self) -> bool:
        """Whether every picture has its partner."""
        return self.layout != "unpaired"

    def part(self, name: str) -> TranslationPart:
        """One part of the data.

        Args:
            name: one of `PARTS`.

        Returns:
            Its files.

        Raises:
            InputError: the folder has no such part.
        """
        if name not in self.parts:
            wanted = name if self.layout == "aligned" else f"{name}A and {name}B"
            raise InputError(
                f"{self.folder} has no {wanted} (it has {', '.join(self.parts)}): add it, or give another folder"
            )
        return self.parts[name]

    def with_validation(self) -> "TranslationData":
        """The same data with a part val: nothing is chosen by the pictures of a test.

        Returns:
            A folder that has val, or no train, as it is; of another one every 20th picture of train, the last one of
            fewer, is val and no longer train.

        Raises:
            InputError: a single picture in train, which cannot be both.
        """
        if "val" in self.parts or "train" not in self.parts:
            return self
        train = self.parts["train"]
        if min(len(train.a), len(train.b)) < 2:
            raise InputError(
                f"{self.folder}: train has a single picture of a domain, and none is left to validate on; add "
                "pictures, or a part val"
            )
        split = {
            name: TranslationPart(name, held(train.a), held(train.b), train.paired)
            for name, held in (("train", _without_held_out), ("val", _held_out))
        }
        return replace(self, parts={**self.parts, **split})

    def folder_to_translate(self) -> Path | None:
        """A folder of pictures that a trained network takes.

        Returns:
            That of domain `a` in the last part, test if there is one; None of pictures with A and B side by side.
        """
        if self.layout == "aligned":
            return None
        return self.parts[max(self.parts, key=PARTS.index)].a[0].path.parent

    def require_paired(self) -> None:
        """Check that there are pairs to learn from.

        Raises:
            InputError: folders of A and B that were not asked to be pairs.
        """
        if not self.paired:
            raise InputError(
                f"{self.folder} holds unpaired pictures: give --paired if the files of trainA and trainB have equal "
                "names, or a folder train of pictures with A and B side by side"
            )


@dataclass(frozen=True)
class TranslationFolders:
    """The sub-folders of one layout by their names, such as trainA, in the order of `PARTS`."""

    root: Path
    aligned: bool
    folders: Mapping[str, Path]

    @property
    def parts(self) -> list[str]:
        """The parts that have a folder at least."""
        sides = ("",) if self.aligned else ("A", "B")
        return [part for part in PARTS if any(part + side in self.folders for side in sides)]

    @property
    def missing(self) -> list[str]:
        """Folders without which another one is of no use, such as testB where there is testA."""
        if self.aligned:
            return []
        return [part + side for part in self.parts for side in "AB" if part + side not in self.folders]


def find_folders(folder: str | Path) -> TranslationFolders | None:
    """Recognise the layout of a folder by the names of its sub-folders, in small or capital letters.

    Args:
        folder: the folder.

    Returns:
        The sub-folders, or None if it has none of either layout.

    Raises:
        InputError: no such folder, two sub-folders of one name, or sub-folders of both layouts.
    """
    root = Path(folder)
    if not root.is_dir():
        raise InputError(f"no such folder: {root}; give a folder that holds trainA and trainB, or train")
    separate = _find_named(root, [part + side for part in PARTS for side in "AB"])
    aligned = _find_named(root, PARTS)
    if separate and aligned:
        raise InputError(
            f"{root} has both {', '.join(separate)} and {', '.join(aligned)}: move one of the two layouts elsewhere"
        )
    if not separate and not aligned:
        return None
    return TranslationFolders(root, not separate, separate or aligned)


def require_folders(folder: str | Path) -> TranslationFolders:
    """Recognise the layout of a folder that must have one.

    Args:
        folder: the folder.

    Returns:
        The sub-folders.

    Raises:
        InputError: as `find_folders`; neither layout.
    """
    found = find_folders(folder)
    if found is None:
        raise InputError(
            f"{folder} is no folder of pictures to translate: looked for trainA trainB testA testB, and for train val "
            "test of pictures with A and B side by side; give a folder that has them"
        )
    return found


def partner_of(name: str) -> str:
    """The folder of the other domain.

    Args:
        name: such as testA.

    Returns:
        Such as testB.
    """
    return name[:-1] + ("A" if name[-1] == "B" else "B")


def find_translation(
    folder: str | Path, paired: bool = False, direction: Direction = "AtoB"
) -> TranslationData:
    """Find the pictures of two domains in a folder of one of three layouts.

    `trainA trainB testA testB` (CycleGAN's), `train val test` of pictures with A in the left half and B in the right
    one (pix2pix's), or the first with pairs of equal names.

    Args:
        folder: the folder.
        paired: whether files of equal names in trainA and trainB are pairs; side by side they always are.
        direction: which domain is translated into which.

    Returns:
        The files of every part in natural order.

    Raises:
        InputError: as `require_folders`; one of two folders is missing or empty; two images of one
            name; a name without a partner where pairs are asked for; an unknown direction.
    """
    if direction not in DIRECTIONS:
        raise InputError(f"direction {direction!r}: give one of {', '.join(DIRECTIONS)}")
    found = require_folders(folder)
    for name in found.missing:
        raise InputError(f"{found.root} has {partner_of(name)} and no {name}: add the folder {name}")
    read = _read_aligned if found.aligned else _read_separate
    parts = {part: _turn(read(found, part, paired), direction) for part in found.parts}
    layout = "aligned" if found.aligned else "paired" if paired else "unpaired"
    return TranslationData(found.root, layout, direction, parts)


def _find_named(root: Path, names: Sequence[str]) -> dict[str, Path]:
    found = {name: find_folder(root, name) for name in names}
    return {name: path for name, path in found.items() if path is not None}


def _read_aligned(found: TranslationFolders, part: str, paired: bool) -> TranslationPart:
    images = _list(found.folders[part])
    a = tuple(TranslationFile(name, path, "left") for name, path in images.items())
    b = tuple(TranslationFile(name, path, "right") for name, path in images.items())
    return TranslationPart(part, a, b, True)


def _read_separate(found: TranslationFolders, part: str, paired: bool) -> TranslationPart:
    folders = [found.folders[part + side] for side in "AB"]
    images_a, images_b = (_list(one) for one in folders)
    if paired:
        for here, there, other in ((images_a, images_b, folders[1]), (images_b, images_a, folders[0])):
            alone = [path for name, path in here.items() if name not in there]
            if alone:
                listed = ", ".join(str(path) for path in alone[:_LISTED]) + (", ..." * (len(alone) > _LISTED))
                raise InputError(
                    f"{len(alone)} of {len(here)} pictures have no partner of the same name in {other}: {listed}; "
                    "add the partners, remove the pictures, or train without --paired"
                )
        images_b = {name: images_b[name] for name in images_a}
    a, b = (
        tuple(TranslationFile(name, path) for name, path in images.items()) for images in (images_a, images_b)
    )
    return TranslationPart(part, a, b, paired)


def _list(folder: Path) -> dict[str, Path]:
    images = list_images(folder)
    if not images:
        raise InputError(f"no images in {folder}: add some")
    return images


def _turn(part: TranslationPart, direction: Direction) -> TranslationPart:
    return part if direction == "AtoB" else TranslationPart(part.name, part.b, part.a, part.paired)


def _held_out(files: Sequence[TranslationFile]) -> tuple[TranslationFile, ...]:
    return tuple(files[_EVERY - 1 :: _EVERY]) or tuple(files[-1:])


def _without_held_out(files: Sequence[TranslationFile]) -> tuple[TranslationFile, ...]:
    held = set(_held_out(files))
    return tuple(one for one in files if one not in held)
