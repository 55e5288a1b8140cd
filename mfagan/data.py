"""Pairs of low and high resolution: found in folders or among embedded photographs, cropped for training."""

import math
import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mfagan.errors import InputError
from mfagan.images import MIN_SIDE_PX, crop_to_multiple, from_uint8, make_lr, read_image, to_uint8

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

LAYOUTS = (
    ("HR", "LR_bicubic/X{scale}"),
    ("HR", "LR"),
    ("GTmod12", "LRbicx{scale}"),
    ("DIV2K_train_HR", "DIV2K_train_LR_bicubic/X{scale}"),
    ("DIV2K_valid_HR", "DIV2K_valid_LR_bicubic/X{scale}"),
)
"""Sub-folders of HR and LR images as users hold them, in the order they are looked for."""


@dataclass(frozen=True)
class PairFiles:
    """Where one pair comes from; `lr` is None where the LR image is made from the HR image."""

    name: str
    hr: Path
    lr: Path | None = None


@dataclass(frozen=True, eq=False)
class Pair:
    """`lr` (3, h, w) and `hr` (3, scale h, scale w), float32 RGB in [0, 1], values k/255."""

    name: str
    lr: Tensor
    hr: Tensor

    @property
    def scale(self) -> int:
        """How many HR pixels a side one LR pixel covers."""
        return self.hr.shape[-1] // self.lr.shape[-1]


def read_pairs(
    source: str | Path, scale: int = 4, max_images: int | None = None, crop_px: int | None = None
) -> list[Pair]:
    """The pairs of a folder, all of them or the first `max_images` in natural order, to evaluate with.

    `embedded` means the held-out photographs. `crop_px` keeps the centre of each HR image, at most that many
    pixels a side, and the same part of its LR image. InputError: see `find_pairs` and `read_pair`; a crop
    that is not a multiple of `scale` or under 16 px; no images allowed by `max_images`.
    """
    if max_images is not None and max_images < 1:
        raise InputError(f"max_images is {max_images}: at least 1 image is needed; leave it out to use all")
    if crop_px is not None and (crop_px % scale or crop_px < MIN_SIDE_PX):
        raise InputError(f"crop of {crop_px} px: give a multiple of {scale} of at least {MIN_SIDE_PX}")
    files = _embedded(EMBEDDED_HELD_OUT) if str(source) == EMBEDDED else find_pairs(source, scale)
    pairs = [read_pair(one, scale) for one in files[:max_images]]
    return pairs if crop_px is None else [_centre(pair, crop_px // scale) for pair in pairs]


def read_split(
    source: str | Path, validation: str | Path | None = None, scale: int = 4
) -> tuple[list[Pair], list[Pair]]:
    """The pairs to train on and the pairs to validate on, never one image in both.

    Without a `validation` folder the embedded photographs fall into their fixed halves, and of a folder the
    last tenth (rounded up) in natural order is held out. InputError: as `read_pairs`; a folder of one image
    without `validation`; `validation` the same folder as `source`.
    """
    if str(source) == EMBEDDED:
        training = _embedded(EMBEDDED_TRAIN)
        validation = EMBEDDED if validation is None else validation
    else:
        training = find_pairs(source, scale)
    if validation is not None:
        if str(source) != EMBEDDED and Path(source).resolve() == Path(validation).resolve():
            raise InputError(
                f"training and validation images are the same folder, {source}: give two folders"
            )
        return [read_pair(one, scale) for one in training], read_pairs(validation, scale)
    if len(training) < 2:
        raise InputError(
            f"{source} has {len(training)} image: one to train on and another to validate on are needed; "
            "add images or give a validation folder"
        )
    pairs = [read_pair(one, scale) for one in training]
    held_out = math.ceil(len(pairs) / 10)
    return pairs[:-held_out], pairs[-held_out:]


def find_pairs(folder: str | Path, scale: int = 4) -> list[PairFiles]:
    """What `folder` holds, in natural order, by name alone: no image is opened.

    Either the HR and LR sub-folders of one of `LAYOUTS`, paired by stem (an LR stem may end in x4, the
    scale), or HR images directly in the folder, or the HR sub-folder of a layout alone. InputError: no such
    folder, no images in it, an HR image without its LR image, two images of one stem.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"no such image folder: {folder}; give a folder of images, or the word {EMBEDDED}")
    for hr_name, lr_name in LAYOUTS:
        lr_folder = folder / lr_name.format(scale=scale)
        if (folder / hr_name).is_dir() and lr_folder.is_dir():
            return _match(_images(folder / hr_name), _images(lr_folder), lr_folder, scale)
    for hr_folder in (folder, *(folder / hr_name for hr_name, _ in LAYOUTS)):
        if hr_folder.is_dir() and (hr_files := _images(hr_folder)):
            return [PairFiles(name, path) for name, path in hr_files.items()]
    raise _no_images(folder, scale)


def read_pair(files: PairFiles, scale: int = 4) -> Pair:
    """Reads one pair: the HR image cropped to a multiple of `scale`, the LR image read or made by bicubic.

    InputError: an image that cannot be read, or an LR image whose size is not the HR's divided by `scale`.
    """
    hr = crop_to_multiple(read_image(files.hr), scale)
    if files.lr is None:
        return Pair(files.name, make_lr(hr, scale), hr)
    lr = read_image(files.lr, min_side_px=MIN_SIDE_PX // scale)
    (height, width), (lr_height, lr_width) = hr.shape[-2:], lr.shape[-2:]
    if (lr_height * scale, lr_width * scale) != (height, width):
        raise InputError(
            f"LR image {files.lr} is {lr_width}x{lr_height} px, but HR image {files.hr} is "
            f"{width}x{height} px (cropped to a multiple of {scale}): "
            f"at scale {scale} the LR must be {width // scale}x{height // scale}; replace one of them"
        )
    return Pair(files.name, lr, hr)


class CropSampler:
    """Random training crops, batch k a function of the seed and k alone, so a restarted run sees the same.

    Every crop's image is drawn uniformly, as in an epoch over a data set (by area, the largest of the
    embedded photographs would be nearly half of what is seen), then its place, then one of the eight flips
    and quarter turns. Images are kept as 8 bits. InputError: no images, one smaller than a crop.
    """

    def __init__(self, pairs: list[Pair], crop_px: int, batch: int, seed: int = 0):
        """`crop_px` is a side of the LR crop, `batch` a number of crops, `seed` at least 0."""
        if not pairs:
            raise InputError("no training images: give a folder that holds some")
        for what, value, least in (("crop", crop_px, 1), ("batch", batch, 1), ("seed", seed, 0)):
            if value < least:
                raise InputError(f"{what} is {value}: give at least {least}")
        for pair in pairs:
            height, width = pair.lr.shape[-2:]
            if min(height, width) < crop_px:
                scale = pair.scale
                raise InputError(
                    f"training image {pair.name} is {width * scale}x{height * scale} px, smaller than a crop "
                    f"of {crop_px * scale}x{crop_px * scale}: remove it or train on smaller crops"
                )
        self._lr = [to_uint8(pair.lr).numpy() for pair in pairs]
        self._hr = [to_uint8(pair.hr).numpy() for pair in pairs]
        self._room = np.array([lr.shape[1:] for lr in self._lr]) - crop_px + 1
        self._scale = pairs[0].scale
        self._crop_px = crop_px
        self._batch = batch
        self._seed = seed

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Batch `step` (from 0): lr (B, 3, c, c) and hr (B, 3, scale c, scale c), float32 in [0, 1]."""
        random = np.random.default_rng((self._seed, step))
        chosen = random.integers(len(self._lr), size=self._batch)
        corners = random.integers(self._room[chosen])
        turns = random.integers(8, size=self._batch)
        crops = list(zip(chosen, corners, turns, strict=True))
        lr = [_cut(self._lr[image], corner, self._crop_px, turn) for image, corner, turn in crops]
        hr_px = self._crop_px * self._scale
        hr = [_cut(self._hr[image], corner * self._scale, hr_px, turn) for image, corner, turn in crops]
        return from_uint8(torch.from_numpy(np.stack(lr))), from_uint8(torch.from_numpy(np.stack(hr)))


def _cut(image: np.ndarray, corner: np.ndarray, side: int, turn: int) -> np.ndarray:
    """(3, H, W) -> (3, side, side), turned by `turn` % 4 quarters and mirrored where `turn` >= 4."""
    top, left = corner
    crop = np.rot90(image[:, top : top + side, left : left + side], turn % 4, axes=(1, 2))
    return crop[:, :, ::-1] if turn >= 4 else crop


def _centre(pair: Pair, lr_px: int) -> Pair:
    height, width = pair.lr.shape[-2:]
    rows, columns = min(height, lr_px), min(width, lr_px)
    top, left, scale = (height - rows) // 2, (width - columns) // 2, pair.scale
    lr = pair.lr[:, top : top + rows, left : left + columns]
    hr = pair.hr[:, top * scale : (top + rows) * scale, left * scale : (left + columns) * scale]
    return Pair(pair.name, lr.contiguous(), hr.contiguous())


def _embedded(names: tuple[str, ...]) -> list[PairFiles]:
    package = find_spec("skimage")
    if package is None or not package.submodule_search_locations:
        raise InputError(
            "the embedded photographs come with scikit-image, which is not installed: "
            "pip install 'mfagan[demo]', or give your own images"
        )
    folder = Path(package.submodule_search_locations[0]) / "data"
    return [PairFiles(Path(name).stem, folder / name) for name in names]


def _images(folder: Path) -> dict[str, Path]:
    """Stem -> path of the folder's images in natural order (2 before 10); hidden files are passed over."""
    try:
        entries = [
            path for path in folder.iterdir() if path.suffix.lower() in EXTENSIONS and path.name[0] != "."
        ]
    except OSError as error:
        raise InputError(f"cannot list image folder {folder}: {error.strerror}; make it readable") from error
    images: dict[str, Path] = {}
    for path in sorted(entries, key=_natural):
        if path.stem in images:
            raise InputError(
                f"two images share one name: {images[path.stem]} and {path.name}; rename or remove one"
            )
        images[path.stem] = path
    return images


def _natural(path: Path) -> list[tuple[int, str]]:
    parts = re.split(r"([0-9]+)", path.name.lower())
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]


def _match(
    hr_files: dict[str, Path], lr_files: dict[str, Path], lr_folder: Path, scale: int
) -> list[PairFiles]:
    pairs = []
    for name, hr in hr_files.items():
        lr = lr_files.get(f"{name}x{scale}", lr_files.get(name))
        if lr is None:
            raise InputError(
                f"HR image {hr} has no LR image: neither {name} nor {name}x{scale} is in {lr_folder}; "
                "add it, or remove the HR image"
            )
        pairs.append(PairFiles(name, hr, lr))
    if not pairs:
        raise _no_images(lr_folder.parent, scale)
    return pairs


def _no_images(folder: Path, scale: int) -> InputError:
    layouts = ", ".join(f"{hr} with {lr.format(scale=scale)}" for hr, lr in LAYOUTS)
    return InputError(
        f"no images in {folder}: looked for {' '.join(EXTENSIONS)} there and in sub-folders ({layouts}); "
        "give a folder that holds some"
    )
