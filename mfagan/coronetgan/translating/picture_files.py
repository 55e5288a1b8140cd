"""Picture files through a translator."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from mfagan.coronetgan.translating.image_translator import ImageTranslator
from mfagan.data.image_sets import EXTENSIONS, list_images
from mfagan.data.images import from_uint8, read_levels, read_size, write_image
from mfagan.data.translation.folders import TranslationFile
from mfagan.data.translation.reading import read_domain
from mfagan.deploy.upscaling.pictures import Job, claim_target
from mfagan.errors import InputError
from mfagan.files import require_other_file

__all__ = ["MAX_MEGAPIXELS", "TranslateOptions", "list_jobs", "translate_file"]

MAX_MEGAPIXELS = 4.0
"""Pictures with more pixels are refused unless allowed: a network sees the whole picture at once."""


@dataclass(frozen=True)
class TranslateOptions:
    """How picture files are translated."""

    size_px: int | None = None
    """Side of the square that a picture is resized to before (bicubic), as the public test does; None to keep it."""
    overwrite: bool = False
    """Whether a file that exists is replaced."""
    max_megapixels: float = MAX_MEGAPIXELS
    """Larger pictures are refused before they are decoded, unless they are resized."""


def list_jobs(sources: Sequence[Path], out: Path) -> list[Job]:
    """List what is to be translated into which files.

    Args:
        sources: pictures, and folders of pictures (none in folders below).
        out: the folder to write into.

    Returns:
        The jobs in the order given, in folders by natural order of names; each becomes a PNG of its name.

    Raises:
        InputError: no such file, a folder without pictures, a file that stands where a folder is needed, two pictures
            that would become one file, or one that would become a file that is read.
    """
    if out.exists() and not out.is_dir():
        raise InputError(f"{out} is a file, and pictures are written into a folder; give another one")
    jobs: list[Job] = []
    for source in sources:
        if source.is_dir():
            found = list(list_images(source).values())
            if not found:
                raise InputError(
                    f"folder {source} holds no picture ({', '.join(EXTENSIONS)}); check the path"
                )
        elif source.is_file():
            found = [source]
        else:
            raise InputError(f"cannot read image {source}: no such file; check the path")
        jobs += [Job(one, out / f"{one.stem}.png") for one in found]
    read = {os.path.realpath(job.source): job.source for job in jobs}
    made: dict[Path, Path] = {}
    for job in jobs:
        require_other_file(job.target, read.get(os.path.realpath(job.target)))
        first = made.setdefault(job.target, job.source)
        if first != job.source:
            raise InputError(f"{job.source} and {first} would both become {job.target}; rename one of them")
    return list(dict.fromkeys(jobs))


def translate_file(model: ImageTranslator, job: Job, options: TranslateOptions) -> tuple[int, int]:
    """Translate one picture file.

    Args:
        model: the network.
        job: what is read and written; grey becomes RGB, an alpha channel is dropped, and the first of several frames
            is read.
        options: how.

    Returns:
        (height, width) of the written picture in px.

    Raises:
        InputError: a file that is no readable picture, or of too many pixels; the file exists, or is the picture
            itself, or cannot be written.
    """
    target = claim_target(job, options.overwrite)
    if not job.source.is_file():
        raise InputError(f"cannot read image {job.source}: it is not a file; give a picture's file")
    if options.size_px is None:
        height, width = read_size(job.source)
        megapixels = height * width / 1e6
        if megapixels > options.max_megapixels:
            raise InputError(
                f"image {job.source} has {megapixels:.1f} megapixels, over {options.max_megapixels:g}: resize it with "
                f"--size, or allow it with --max-megapixels {-(-megapixels // 1):.0f}, which takes memory"
            )
        levels = read_levels(job.source, min_side_px=1)
    else:
        (levels,) = read_domain([TranslationFile(job.source.stem, job.source)], options.size_px)
    picture = model(from_uint8(torch.from_numpy(levels)))
    write_image(target, picture)
    return picture.shape[-2], picture.shape[-1]
