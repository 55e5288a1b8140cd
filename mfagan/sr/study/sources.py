"""Where a study's table and images are kept: what `mfagan search` remembers, so that a page can show pictures."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mfagan.data.pairs import Pair

__all__ = ["Sources", "hash_images", "name_sources", "read_sources"]


@dataclass(frozen=True)
class Sources:
    """Where the values of a study come from; None for what is not known, as in studies of earlier versions.

    supernet: The SuperGenerator's checkpoint.
    lut: The latency table's file, or the name of a shipped one.
    images: A folder, or `embedded`.
    max_images: As `mfagan search --max-images`, None for all.
    crop_px: As `mfagan search --crop`, None for whole images.
    crops_per_image: As `mfagan search --crops`.
    """

    supernet: Path | None = None
    lut: str | None = None
    images: str | None = None
    max_images: int | None = None
    crop_px: int | None = None
    crops_per_image: int = 1


def name_sources(
    lut: Path,
    images: str,
    max_images: int | None = None,
    crop_px: int | None = None,
    crops_per_image: int = 1,
) -> dict[str, str]:
    """Name what `read_sources` reads, except for the SuperGenerator, which its problem adds.

    Args:
        lut: The latency table's file.
        images: A folder, or `embedded`.
        max_images: How many of the images are scored on, None for all.
        crop_px: Side of the crop of each image that is scored on, in HR pixels; None for whole images.
        crops_per_image: How many crops of each image are scored on.

    Returns:
        Texts by name.
    """
    folder = Path(images)
    sources = {"lut": str(lut.resolve()), "images": str(folder.resolve()) if folder.exists() else images}
    numbers = {"max_images": max_images, "crop_px": crop_px, "crops_per_image": crops_per_image}
    return sources | {name: str(number) for name, number in numbers.items() if number is not None}


def read_sources(named: Mapping[str, str]) -> Sources:
    """Read what a study remembers of its sources.

    Args:
        named: Texts by name.

    Returns:
        The sources.
    """
    numbers = {
        name: int(named[name]) for name in ("max_images", "crop_px", "crops_per_image") if name in named
    }
    supernet = Path(named["supernet"]) if "supernet" in named else None
    return Sources(supernet, named.get("lut"), named.get("images"), **numbers)


def hash_images(pairs: Sequence[Pair]) -> str:
    """Hash what slices are scored on.

    Args:
        pairs: The images.

    Returns:
        The sha256 of their names, sizes and values, as studies record it.
    """
    images = hashlib.sha256()
    for pair in pairs:
        images.update(f"{pair.name} {tuple(pair.hr.shape)}".encode() + pair.hr.numpy().tobytes())
        images.update(pair.lr.numpy().tobytes())
    return images.hexdigest()
