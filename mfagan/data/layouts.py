"""Which pairs of images a folder holds: the forms in which DIV2K, Flickr2K and the benchmarks are kept.

Layouts are known by names alone; two folders under other names that look like pairs are refused.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mfagan.data.embedded import (
    EMBEDDED,
    EMBEDDED_HELD_OUT,
    EMBEDDED_SCORED,
    EMBEDDED_TRAIN,
    embedded_set,
)
from mfagan.data.image_sets import (
    EXTENSIONS,
    ImageSet,
    PairFiles,
    Part,
    find_folder,
    list_entries,
    list_images,
    name_apart,
    refuse_hidden_pairs,
)
from mfagan.errors import InputError

__all__ = [
    "LAYOUTS",
    "Layout",
    "find_pairs",
    "find_scored_sets",
    "find_sets",
    "find_training",
]


@dataclass(frozen=True)
class Layout:
    """Sub-folders of HR images and of LR images (where several are named, the first that is there).

    Their names may be written in small or capital letters.
    """

    hr: str
    lr: tuple[str, ...]
    part: Part = "any"

    def describe(self, scale: int) -> str:
        """The layout in words.

        Args:
            scale: enlargement, which names some sub-folders.

        Returns:
            Such as HR with LR_bicubic/X4.
        """
        return f"{self.hr} with {' or '.join(lr.format(scale=scale) for lr in self.lr)}"


LAYOUTS = (
    Layout("HR", ("LR_bicubic/X{scale}", "LRbicx{scale}", "LR/X{scale}", "LR_x{scale}", "LR", "LQ")),
    Layout("GT", ("LRbicx{scale}", "LQ_x{scale}", "LQ/X{scale}", "LQ", "LR")),
    Layout("GTmod12", ("LRbicx{scale}",)),
    Layout("HR_sub", ("LR_bicubic/X{scale}_sub", "LR_sub")),
    Layout("GT_sub", ("LQ_sub",)),
    Layout("HQ", ("LQ",)),
    Layout("high", ("low",)),
    Layout("target", ("input",)),
    Layout("DIV2K_train_HR_sub", ("DIV2K_train_LR_bicubic/X{scale}_sub",), "training"),
    Layout("DIV2K_train_HR", ("DIV2K_train_LR_bicubic/X{scale}",), "training"),
    Layout("DIV2K_valid_HR", ("DIV2K_valid_LR_bicubic/X{scale}",), "validation"),
    Layout("Flickr2K_HR", ("Flickr2K_LR_bicubic/X{scale}",), "training"),
)
"""In the order in which they are looked for."""

_SRF = re.compile(r"(?P<name>.+)_SRF_(?P<scale>\d+)_(?P<kind>.+)")
"""img_001_SRF_4_HR, as the results of SelfExSR (Huang et al., 2015) keep Set5, Set14, BSD100 and Urban100."""

_NO_HR = re.compile(r"L[RQ].*|.*_L[RQ](_.*)?|X\d(_sub)?|image_SRF_\d+|low|input", re.IGNORECASE)
"""Sub-folders of LR images, or of another scale: no sets of HR images."""


def find_sets(source: str | Path, scale: int = 4) -> list[ImageSet]:
    """Every set of images that a source holds, at least one.

    A folder is one of `LAYOUTS`, or the HR sub-folder of one (its LR images are beside it), or holds HR images, or the
    files name_SRF_4_HR and name_SRF_4_LR; DIV2K's two parts and Flickr2K may share one folder. Failing all of
    these, each of its sub-folders that is one of them is a set of its own, as in a folder of benchmarks.
    `embedded` is the photographs to train on and those that such a training validates on.

    Args:
        source: a folder, or `embedded`.
        scale: enlargement, which names some sub-folders.

    Returns:
        The sets; no two have one name.

    Raises:
        InputError: no such folder, no images in it, two images of one stem, or two sub-folders that look like
            pairs under names that are not known.
    """
    if str(source) == EMBEDDED:
        return [
            embedded_set("training", EMBEDDED_TRAIN),
            embedded_set("validation", EMBEDDED_HELD_OUT),
        ]
    folder = Path(source)
    if not folder.is_dir():
        raise InputError(f"no such image folder: {folder}; give a folder of images, or the word {EMBEDDED}")
    sets = _sets_of(folder, scale)
    if not sets:
        inside = [one for one in list_entries(folder) if one.is_dir() and not _NO_HR.fullmatch(one.name)]
        sets = [found for child in inside for found in _sets_of(child, scale)]
        refuse_hidden_pairs(sets, folder)
        sets = name_apart(sets)
    if not sets:
        layouts = ", ".join(layout.describe(scale) for layout in LAYOUTS)
        raise InputError(
            f"no images in {folder}: looked for {' '.join(EXTENSIONS)} there and in sub-folders ({layouts}); "
            "give a folder that holds some"
        )
    return sets


def find_scored_sets(source: str | Path, scale: int = 4) -> list[ImageSet]:
    """The sets to evaluate with.

    Args:
        source: a folder, of whose sets those to train on are left out if it has others; or `embedded`, the photographs
            `EMBEDDED_SCORED`.
        scale: enlargement.

    Returns:
        The sets, at least one.

    Raises:
        InputError: as `find_sets`.
    """
    if str(source) == EMBEDDED:
        return [embedded_set("validation", EMBEDDED_SCORED)]
    sets = find_sets(source, scale)
    return [one for one in sets if one.part != "training"] or sets


def find_pairs(source: str | Path, scale: int = 4) -> list[PairFiles]:
    """The pairs of the one set to evaluate with.

    Args:
        source: a folder, or `embedded`.
        scale: enlargement.

    Returns:
        One entry an HR image.

    Raises:
        InputError: as `find_sets`; an HR image without its LR image; several sets.
    """
    sets = find_scored_sets(source, scale)
    sets = [one for one in sets if one.part == "validation"] or sets
    _require_one(sets, source)
    return sets[0].pairs(scale)


def find_training(source: str | Path, scale: int = 4) -> tuple[list[PairFiles], list[ImageSet]]:
    """The pairs to train on, and the sets that the folder keeps for validation.

    A validation part alone is trained on: the user chose it.

    Args:
        source: a folder, or `embedded`.
        scale: enlargement.

    Returns:
        The pairs, and the validation sets, perhaps none.

    Raises:
        InputError: as `find_pairs`.
    """
    sets = find_sets(source, scale)
    training = [one for one in sets if one.part != "validation"]
    validation = [one for one in sets if one.part == "validation"]
    if not training:
        training, validation = validation, []
    if any(one.part == "any" for one in training):
        _require_one(training, source)
    return [pair for one in training for pair in one.pairs(scale)], validation


def _require_one(sets: Sequence[ImageSet], source: str | Path) -> None:
    if len(sets) > 1:
        names = ", ".join(one.name for one in sets)
        raise InputError(f"{source} holds {len(sets)} sets of images ({names}): give the folder of one")


def _sets_of(folder: Path, scale: int) -> list[ImageSet]:
    """The sets of one folder, its sub-folders counting as parts of a layout only."""
    found = [one for layout in LAYOUTS if (one := _read_layout(folder, layout, scale))]
    named = [one for one in found if one.part != "any"]
    paired = [one for one in found if one.lr_folder is not None]
    if paired:
        return paired[:1] if paired[0].part == "any" else named
    for srf_folder in (folder / f"image_SRF_{scale}", folder):
        if srf_folder.is_dir() and (one := _read_srf(srf_folder, folder, scale)):
            return [one]
    if direct := list_images(folder):
        return [_read_plain(folder, direct, scale)]
    return named or found[:1]


def _read_layout(folder: Path, layout: Layout, scale: int) -> ImageSet | None:
    hr_folder = find_folder(folder, layout.hr)
    hr = {} if hr_folder is None else list_images(hr_folder)
    if hr_folder is None or not hr:
        return None
    name = layout.hr if layout.part != "any" else folder.resolve().name
    return _pair_up(name, layout, hr_folder, hr, folder, scale)


def _read_plain(folder: Path, hr: dict[str, Path], scale: int) -> ImageSet:
    """HR images directly in a folder; one named like a layout's HR folder may have LR images beside it."""
    whole = folder.resolve()
    for layout in LAYOUTS:
        if whole.name.lower() == layout.hr.lower():
            name = whole.name if layout.part != "any" else whole.parent.name
            return _pair_up(name, layout, folder, hr, whole.parent, scale)
    return ImageSet(whole.name, "HR images", folder, hr)


def _pair_up(
    name: str, layout: Layout, hr_folder: Path, hr: dict[str, Path], root: Path, scale: int
) -> ImageSet:
    for lr_name in layout.lr:
        lr_folder = find_folder(root, lr_name.format(scale=scale))
        if lr_folder is not None:
            files = list_images(lr_folder)
            # The suffix wins: where stems are numbers, 1x4 may be the name of an HR image too.
            found = {one: files.get(f"{one}x{scale}", files.get(one)) for one in hr}
            lr = {one: path for one, path in found.items() if path is not None}
            unused = tuple(path for path in files.values() if path not in lr.values())
            title = f"{hr_folder.name} with {lr_folder.relative_to(root)}"
            return ImageSet(name, title, hr_folder, hr, lr_folder, lr, layout.part, unused)
    return ImageSet(name, f"{layout.hr} alone", hr_folder, hr, part=layout.part)


def _read_srf(folder: Path, root: Path, scale: int) -> ImageSet | None:
    """InputError where the files are of other scales alone."""
    kinds: dict[str, dict[str, Path]] = {"HR": {}, "LR": {}}
    scales = set()
    for stem, path in list_images(folder).items():
        match = _SRF.fullmatch(stem)
        if match and match["kind"] in kinds:
            scales.add(int(match["scale"]))
            if int(match["scale"]) == scale:
                kinds[match["kind"]][match["name"]] = path
    hr, lr = kinds["HR"], kinds["LR"]
    if scales and not hr:
        others = ", ".join(map(str, sorted(scales)))
        raise InputError(f"no HR images of scale {scale} in {folder}: its files are of scale {others}")
    if not hr:
        return None
    unused = tuple(path for name, path in lr.items() if name not in hr)
    paired = {name: lr[name] for name in hr if name in lr}
    title = f"name_SRF_{scale}_HR with name_SRF_{scale}_LR"
    return ImageSet(root.resolve().name, title, folder, hr, folder if lr else None, paired, unused_lr=unused)
