"""Reading many pictures: a few at a time, and without those that are too small."""

import logging
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

from mfagan.data.image_sets import PairFiles
from mfagan.data.images import read_levels, read_size
from mfagan.errors import InputError
from mfagan.progress import ProgressFactory

__all__ = ["Size", "read_in_turn", "read_sizes", "skip_small"]

logger = logging.getLogger(__name__)
_LISTED = 3
Read = TypeVar("Read")
Size = tuple[int, int]
"""(height, width) in px."""


def read_in_turn(
    label: str, jobs: Sequence[tuple[str, Callable[[], Read]]], bars: ProgressFactory
) -> list[Read]:
    """What every named job gives in their order, a few at a time; the first error ends the rest.

    Args:
        label: what the progress bar calls the jobs.
        jobs: a name and a function each.
        bars: makes the progress bar.

    Returns:
        What the functions return.
    """
    found: list[Read] = []
    if not jobs:
        return found
    with bars(label) as report, ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        try:
            for name, future in [(name, pool.submit(job)) for name, job in jobs]:
                found.append(future.result())
                report(len(found), len(jobs), name)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return found


def read_sizes(paths: Sequence[Path], decode: bool, bars: ProgressFactory) -> dict[Path, Size | InputError]:
    """The size of every picture, or why it cannot be read.

    Args:
        paths: the pictures.
        decode: decode every pixel instead of reading the headers only.
        bars: makes the progress bar.

    Returns:
        Path -> size, or the error.
    """

    def try_read(path: Path) -> Size | InputError:
        try:
            if decode:
                height, width = read_levels(path, min_side_px=1).shape[1:]
                return height, width
            return read_size(path)
        except InputError as error:
            return error

    sizes = read_in_turn(
        "decoding" if decode else "reading headers",
        [(path.name, partial(try_read, path)) for path in paths],
        bars,
    )
    return dict(zip(paths, sizes, strict=True))


def skip_small(files: Sequence[PairFiles], least_px: int, purpose: str, scale: int = 1) -> list[PairFiles]:
    """Leave out pictures that are too small, by their headers; they are named in a warning.

    Args:
        files: the pictures, by their HR images.
        least_px: the shortest side that is large enough, in HR px, a multiple of `scale`.
        purpose: what the pictures are for, such as "training".
        scale: HR pixels beyond a multiple of this do not count.

    Returns:
        The others, in their order.

    Raises:
        InputError: all are too small.
    """
    small = {one for one in files if _is_smaller(one, least_px, scale)}
    least = f"{least_px}x{least_px} px"
    if small and len(small) == len(set(files)):
        raise InputError(
            f"all {len(files)} {purpose} images are smaller than {least}, among them {files[0].hr}: give larger ones"
        )
    if small:
        listed = [str(one.hr) for one in files if one in small]
        more = ", ..." if len(listed) > _LISTED else ""
        logger.warning(
            "%d of %d %s images are smaller than %s and are skipped: %s",
            len(listed),
            len(files),
            purpose,
            least,
            ", ".join(listed[:_LISTED]) + more,
        )
    return [one for one in files if one not in small]


def _is_smaller(files: PairFiles, least_px: int, scale: int) -> bool:
    try:
        return min(read_size(files.hr)) // scale * scale < least_px
    except InputError:  # it has no header that can be read: reading it names what is wrong
        return False
