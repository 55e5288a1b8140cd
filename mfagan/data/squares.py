"""Square pictures of one size to train generators on: the middle of each picture of a folder, resized."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mfagan.data.array_cache import ArrayCache, fingerprint
from mfagan.data.image_sets import PairFiles
from mfagan.data.images import from_uint8, read_image, resize_bicubic, to_uint8
from mfagan.data.layouts import find_sets
from mfagan.data.many import read_in_turn, skip_small
from mfagan.errors import InputError
from mfagan.progress import ProgressFactory, no_progress

__all__ = ["SquareSampler", "find_squares", "read_squares"]

RAM_LIMIT_BYTES = 2**30
"""Pictures of more 8-bit levels than this together are kept on disk instead of in memory."""


def find_squares(sources: Sequence[str | Path], side_px: int) -> list[PairFiles]:
    """The pictures of folders that are large enough; no picture is decoded.

    Args:
        sources: folders of pictures, of one of the layouts of `find_sets`, or `embedded`.
        side_px: the shortest side in px.

    Returns:
        The files, in natural order, folder by folder; validation parts are left out where there are others.

    Raises:
        InputError: as `find_sets`; fewer than two pictures, a picture given twice, or all are too small.
    """
    found = [find_sets(source) for source in sources]
    sets = [one for some in found for one in [each for each in some if each.part != "validation"] or some]
    files = [PairFiles(name, path) for one in sets for name, path in one.hr.items()]
    seen: set[Path] = set()
    for one in files:
        if one.hr.resolve() in seen:
            raise InputError(f"image {one.hr} is given to train on twice: give each folder once")
        seen.add(one.hr.resolve())
    files = skip_small(files, side_px, "training")
    if len(files) < 2:
        raise InputError(
            f"{' and '.join(map(str, sources))} has {len(files)} image of at least {side_px}x{side_px} px: give a "
            "folder of many, thousands if you can"
        )
    return files


def read_squares(
    files: Sequence[PairFiles],
    side_px: int,
    cache: str | Path | None = None,
    bars: ProgressFactory = no_progress,
    ram_limit_bytes: int = RAM_LIMIT_BYTES,
) -> list[np.ndarray]:
    """Read the largest square in the middle of each picture, resized by MATLAB's bicubic.

    Args:
        files: the pictures.
        side_px: side of the squares in px.
        cache: folder for squares that take more than `ram_limit_bytes` together; None for the default.
        bars: makes the progress bar.
        ram_limit_bytes: what is held in memory at most.

    Returns:
        uint8 (3, side, side) each, RGB.

    Raises:
        InputError: as `read_image` and `ArrayCache`.
    """
    size_bytes = len(files) * 3 * side_px**2
    store = None
    if size_bytes > ram_limit_bytes:
        store = ArrayCache(cache)
        store.require_room(size_bytes)
    jobs = [(one.name, partial(_read_square, one.hr, side_px, store)) for one in files]
    return read_in_turn("reading images", jobs, bars)


class SquareSampler:
    """Batches of square pictures, batch k a function of the seed and k alone, so a restarted run sees the same.

    Every picture of a batch is drawn uniformly, and mirrored half of the time if `mirror` is set.
    """

    def __init__(self, squares: Sequence[np.ndarray], batch: int, seed: int = 0, mirror: bool = True) -> None:
        """Describe the batches.

        Args:
            squares: as `read_squares` gives them, at least one.
            batch: pictures of a batch, in all processes together, at least 1.
            seed: at least 0.
            mirror: whether pictures may be mirrored.
        """
        self._squares = squares
        self._batch = batch
        self._seed = seed
        self._mirror = mirror

    def batch(self, step: int, rank: int = 0, world: int = 1) -> tuple[Tensor]:
        """Draw one batch.

        Args:
            step: the batch's number, from 0.
            rank: number of this process, from 0.
            world: how many processes share the batch.

        Returns:
            (N / world, 3, side, side), float32 RGB in [0, 1], alone in a tuple. The parts of all ranks, joined, are
            the whole batch.

        Raises:
            InputError: a batch that `world` does not divide.
        """
        self.require_share(rank, world)
        random = np.random.default_rng((self._seed, step))
        chosen = random.integers(len(self._squares), size=self._batch)
        mirrored = random.integers(2, size=self._batch) * self._mirror
        share = self._batch // world
        own = slice(rank * share, (rank + 1) * share)
        found = [
            self._squares[i][..., ::-1] if turned else self._squares[i]
            for i, turned in zip(chosen[own], mirrored[own], strict=True)
        ]
        return (from_uint8(torch.from_numpy(np.stack(found))),)

    def require_share(self, rank: int, world: int) -> None:
        """Check that processes can share a batch.

        Args:
            rank: number of a process, from 0.
            world: how many processes there are.

        Raises:
            InputError: `world` does not divide the batch.
        """
        if self._batch % world:
            raise InputError(
                f"a batch of {self._batch} cannot be shared by {world} processes: give a multiple of their number"
            )


def _read_square(path: Path, side_px: int, store: ArrayCache | None) -> np.ndarray:
    key = f"square 1 {side_px} {fingerprint(path)}"
    found = None if store is None else store.load(key)
    if found is not None:
        return found
    image = read_image(path)
    height, width = image.shape[1:]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = image[:, top : top + side, left : left + side]
    if side != side_px:
        square = resize_bicubic(square, size=(side_px, side_px))
    levels = to_uint8(square).numpy()
    return levels if store is None else store.save(key, levels)
