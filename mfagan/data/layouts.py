"""Which pairs of images a folder holds: the forms in which DIV2K, Flickr2K and the benchmarks are kept.

Everything is told from names alone: no image is opened.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from mfagan.errors import InputError

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
"""Never trained on."""

EXTENSIONS = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")

Part = Literal["training", "validation", "any"]
"""What a set is for where its folder's name tells so."""


@dataclass(frozen=True)
class Layout:
    """Sub-folders of HR images and of LR images (where several are named, the first that is there)."""

    hr: str
    lr: tuple[str, ...]
    part: Part = "any"

    def describe(self, scale: int) -> str:
        """Such as HR with LR_bicubic/X4."""
        return f"{self.hr} with {' or '.join(lr.format(scale=scale) for lr in self.lr)}"


LAYOUTS = (
    Layout("HR", ("LR_bicubic/X{scale}", "LR")),
    Layout("GTmod12", ("LRbicx{scale}",)),
    Layout("DIV2K_train_HR", ("DIV2K_train_LR_bicubic/X{scale}",), "training"),
    Layout("DIV2K_valid_HR", ("DIV2K_valid_LR_bicubic/X{scale}",), "validation"),
    Layout("Flickr2K_HR", ("Flickr2K_LR_bicubic/X{scale}",), "training"),
)
"""In the order in which they are looked for."""

_SRF = re.compile(r"(?P<name>.+)_SRF_(?P<scale>\d+)_(?P<kind>.+)")
"""img_001_SRF_4_HR, as the results of SelfExSR (Huang et al., 2015) keep Set5, Set14, BSD100 and Urban100."""

_NO_HR = re.compile(r"LR.*|.*_LR(_.*)?|X\d|image_SRF_\d+")
"""Sub-folders of LR images, or of another scale: no sets of HR images."""


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
        """InputError: an HR image without its LR image."""
        for name in self.without_lr:
            raise InputError(
                f"HR image {self.hr[name]} has no LR image: neither {name} nor {name}x{scale} is in "
                f"{self.lr_folder}; add it, or remove the HR image"
            )
        return [PairFiles(name, path, self.lr.get(name)) for name, path in self.hr.items()]


def find_sets(source: str | Path, scale: int = 4) -> list[ImageSet]:
    """Every set of images that `source` holds, at least one.

    A folder is one of `LAYOUTS`, or the HR sub-folder of one (its LR images lie beside it), or holds HR
    images, or the files name_SRF_4_HR and name_SRF_4_LR; DIV2K's two parts and Flickr2K may share one
    folder. Failing all of these, each of its sub-folders that is one of them is a set of its own, as in a
    folder of benchmarks. `embedded` is the photographs to train on and those held out. InputError: no such
    folder, no images in it, two images of one stem.
    """
    if str(source) == EMBEDDED:
        return [
            _embedded("training", EMBEDDED_TRAIN),
            _embedded("validation", EMBEDDED_HELD_OUT),
        ]
    folder = Path(source)
    if not folder.is_dir():
        raise InputError(f"no such image folder: {folder}; give a folder of images, or the word {EMBEDDED}")
    sets = _sets_of(folder, scale)
    if not sets:
        inside = [one for one in _entries(folder) if one.is_dir() and not _NO_HR.fullmatch(one.name)]
        sets = [found for child in inside for found in _sets_of(child, scale)]
    if not sets:
        layouts = ", ".join(layout.describe(scale) for layout in LAYOUTS)
        raise InputError(
            f"no images in {folder}: looked for {' '.join(EXTENSIONS)} there and in sub-folders ({layouts}); "
            "give a folder that holds some"
        )
    return sets


def find_pairs(source: str | Path, scale: int = 4) -> list[PairFiles]:
    """The pairs to evaluate with: of a folder with a training and a validation part, the validation part.

    InputError: as `find_sets`; an HR image without its LR image; several sets.
    """
    sets = find_sets(source, scale)
    sets = [one for one in sets if one.part == "validation"] or sets
    _require_one(sets, source)
    return sets[0].pairs(scale)


def find_training(source: str | Path, scale: int = 4) -> tuple[list[PairFiles], list[ImageSet]]:
    """The pairs to train on, and the sets that the folder keeps for validation (none where it does not).

    A validation part alone is trained on: the user chose it. InputError: as `find_pairs`.
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
    if direct := _images(folder):
        return [_read_plain(folder, direct, scale)]
    return named or found[:1]


def _read_layout(folder: Path, layout: Layout, scale: int) -> ImageSet | None:
    hr_folder = folder / layout.hr
    hr = _images(hr_folder) if hr_folder.is_dir() else {}
    if not hr:
        return None
    name = layout.hr if layout.part != "any" else folder.resolve().name
    return _pair_up(name, layout, hr_folder, hr, folder, scale)


def _read_plain(folder: Path, hr: dict[str, Path], scale: int) -> ImageSet:
    """HR images directly in a folder; one named like a layout's HR folder may have LR images beside it."""
    whole = folder.resolve()
    for layout in LAYOUTS:
        if whole.name == layout.hr:
            name = whole.name if layout.part != "any" else whole.parent.name
            return _pair_up(name, layout, folder, hr, whole.parent, scale)
    return ImageSet(whole.name, "HR images", folder, hr)


def _pair_up(
    name: str, layout: Layout, hr_folder: Path, hr: dict[str, Path], root: Path, scale: int
) -> ImageSet:
    for lr_name in layout.lr:
        lr_folder = root / lr_name.format(scale=scale)
        if lr_folder.is_dir():
            files = _images(lr_folder)
            # The suffix wins: where stems are numbers, 1x4 may be the name of an HR image too.
            found = {one: files.get(f"{one}x{scale}", files.get(one)) for one in hr}
            lr = {one: path for one, path in found.items() if path is not None}
            unused = tuple(path for path in files.values() if path not in lr.values())
            title = f"{layout.hr} with {lr_name.format(scale=scale)}"
            return ImageSet(name, title, hr_folder, hr, lr_folder, lr, layout.part, unused)
    return ImageSet(name, f"{layout.hr} alone", hr_folder, hr, part=layout.part)


def _read_srf(folder: Path, root: Path, scale: int) -> ImageSet | None:
    """InputError where the files are of other scales alone."""
    kinds: dict[str, dict[str, Path]] = {"HR": {}, "LR": {}}
    scales = set()
    for stem, path in _images(folder).items():
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


def _embedded(part: Literal["training", "validation"], names: tuple[str, ...]) -> ImageSet:
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


def _images(folder: Path) -> dict[str, Path]:
    """Stem -> path of the folder's images in natural order (2 before 10); hidden files are passed over."""
    images: dict[str, Path] = {}
    for path in _entries(folder):
        if path.suffix.lower() not in EXTENSIONS or path.is_dir():
            continue
        if path.stem in images:
            raise InputError(
                f"two images share one name: {images[path.stem]} and {path.name}; rename or remove one"
            )
        images[path.stem] = path
    return images


def _entries(folder: Path) -> list[Path]:
    try:
        entries = [path for path in folder.iterdir() if path.name[0] != "."]
    except OSError as error:
        raise InputError(f"cannot list image folder {folder}: {error.strerror}; make it readable") from error
    return sorted(entries, key=_natural)


def _natural(path: Path) -> list[tuple[int, str]]:
    parts = re.split(r"([0-9]+)", path.name.lower())
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]
