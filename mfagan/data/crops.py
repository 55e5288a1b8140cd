"""Training crops: drawn by seed and step, and prepared in the background while the network computes."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from mfagan.data.images import from_uint8
from mfagan.data.pairs import Pair
from mfagan.errors import InputError

__all__ = [
    "Batch",
    "CropSampler",
    "Prefetcher",
    "Sampler",
    "waiting_share",
]

Batch = tuple[Tensor, Tensor]
"""lr (B, 3, c, c) and hr (B, 3, scale c, scale c), float32 RGB in [0, 1]."""


class CropSampler:
    """Random training crops, batch k a function of the seed and k alone, so a restarted run sees the same.

    Every crop's image is drawn uniformly, as in an epoch over a data set (by area, the largest of the
    embedded photographs would be nearly half of what is seen), then its place, then one of the eight flips
    and quarter turns. InputError: no images, one smaller than a crop.
    """

    def __init__(self, pairs: Sequence[Pair], crop_px: int, batch: int, seed: int = 0):
        """`crop_px` is a side of the LR crop, `batch` a number of crops, `seed` at least 0."""
        if not pairs:
            raise InputError("no training images: give a folder that holds some")
        for what, value, least in (("crop", crop_px, 1), ("batch", batch, 1), ("seed", seed, 0)):
            if value < least:
                raise InputError(f"{what} is {value}: give at least {least}")
        for pair in pairs:
            height, width = pair.lr_levels.shape[-2:]
            if min(height, width) < crop_px:
                scale = pair.scale
                raise InputError(
                    f"training image {pair.name} is {width * scale}x{height * scale} px, smaller than a crop "
                    f"of {crop_px * scale}x{crop_px * scale}: remove it or train on smaller crops"
                )
        self._pairs = list(pairs)
        self._room = np.array([pair.lr_levels.shape[1:] for pair in pairs]) - crop_px + 1
        self._scale = pairs[0].scale
        self._crop_px = crop_px
        self._batch = batch
        self._seed = seed

    def batch(self, step: int, rank: int = 0, world: int = 1) -> Batch:
        """Draw one batch of crops.

        Args:
            step: the batch's number, from 0.
            rank: number of this process, from 0.
            world: how many processes share the batch.

        Returns:
            lr (B / world, 3, c, c) and hr (B / world, 3, scale c, scale c), float32 RGB in [0, 1]. The parts of
            all ranks, joined, are the whole batch.

        Raises:
            InputError: a batch that `world` does not divide.
        """
        self.require_share(rank, world)
        random = np.random.default_rng((self._seed, step))
        chosen = random.integers(len(self._pairs), size=self._batch)
        corners = random.integers(self._room[chosen])
        turns = random.integers(8, size=self._batch)
        share = self._batch // world
        own = slice(rank * share, (rank + 1) * share)
        crops = list(zip(chosen[own], corners[own], turns[own], strict=True))
        lr_px, scale = self._crop_px, self._scale
        lr = [_cut(self._pairs[i].lr_levels, corner, lr_px, turn) for i, corner, turn in crops]
        hr = [
            _cut(self._pairs[i].hr_levels, corner * scale, lr_px * scale, turn) for i, corner, turn in crops
        ]
        return from_uint8(torch.from_numpy(np.stack(lr))), from_uint8(torch.from_numpy(np.stack(hr)))

    def require_share(self, rank: int, world: int) -> None:
        """Check that processes can share a batch.

        Args:
            rank: number of a process, from 0.
            world: how many processes there are.

        Raises:
            InputError: `world` does not divide the batch, or `rank` is not one of the processes.
        """
        if world < 1 or self._batch % world:
            raise InputError(
                f"a batch of {self._batch} cannot be shared by {world} processes: give a multiple of their number"
            )
        if not 0 <= rank < world:
            raise InputError(f"rank is {rank}: give 0 to {world - 1} of {world} processes")


class Sampler(Protocol):
    """What batches are drawn from, each a function of its number alone."""

    def batch(self, step: int, rank: int = 0, world: int = 1) -> tuple[Tensor, ...]:
        """Draw one batch, of which each process takes its share."""
        ...

    def require_share(self, rank: int, world: int) -> None:
        """Raise InputError if the processes cannot share a batch."""
        ...


class Prefetcher:
    """Batches `start` to `stop` - 1 of a sampler in order, prepared by a thread up to `ahead` of their use.

    A context manager, to be iterated over once inside; leaving it stops the thread. An error of the thread is
    raised where its batch would have come. (A thread, not processes: cutting crops leaves Python's lock free
    most of the time, and a forked process beside torch's threads is slow on few cores.)
    """

    def __init__(self, crops: Sampler, start: int, stop: int, ahead: int = 4, rank: int = 0, world: int = 1):
        """InputError: `ahead` under 1, or as `CropSampler.batch`."""
        if ahead < 1:
            raise InputError(f"ahead is {ahead}: give at least 1 batch")
        crops.require_share(rank, world)
        self.waited_s = 0.0
        """Seconds that the consumer has waited for batches so far."""
        self._crops, self._steps, self._ahead = crops, range(start, stop), ahead
        self._rank, self._world = rank, world
        self._ready: deque[tuple[Tensor, ...] | BaseException] = deque()
        self._changed = threading.Condition()
        self._stopped = False
        self._thread = threading.Thread(target=self._prepare, name="crops", daemon=True)

    def __enter__(self) -> "Prefetcher":
        self._thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._thread.join()

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        for _ in self._steps:
            yield self._take()

    def _take(self) -> tuple[Tensor, ...]:
        since = time.perf_counter()
        with self._changed:
            self._changed.wait_for(lambda: self._ready or self._stopped)
            if self._stopped:
                raise RuntimeError("batches are taken inside of the prefetcher's context only")
            batch = self._ready.popleft()
            self._changed.notify_all()
        self.waited_s += time.perf_counter() - since
        if isinstance(batch, BaseException):
            raise batch
        return batch

    def _prepare(self) -> None:
        for step in self._steps:
            try:
                batch = self._crops.batch(step, self._rank, self._world)
            except BaseException as error:
                batch = error
            with self._changed:
                self._changed.wait_for(lambda: len(self._ready) < self._ahead or self._stopped)
                if self._stopped:
                    return
                self._ready.append(batch)
                self._changed.notify_all()
            if isinstance(batch, BaseException):
                return


def waiting_share(
    crops: CropSampler, use: Callable[[Tensor, Tensor], object], steps: int = 50, warm_up: int = 5
) -> float:
    """Measure how long a loop waits for its data.

    Args:
        crops: where the batches come from.
        use: called with the lr and hr of every batch.
        steps: batches that count.
        warm_up: batches before them that do not count.

    Returns:
        The share of the wall time, 0 to 1, that the loop waits.
    """
    waited_s = start_s = 0.0
    with Prefetcher(crops, 0, warm_up + steps) as batches:
        for step, (lr, hr) in enumerate(batches):
            # Batch `warm_up` itself counts from the next round on: its waiting is over here.
            if step == warm_up:
                waited_s, start_s = batches.waited_s, time.perf_counter()
            use(lr, hr)
        return (batches.waited_s - waited_s) / (time.perf_counter() - start_s)


def _cut(image: np.ndarray, corner: np.ndarray, side: int, turn: int) -> np.ndarray:
    """(3, H, W) -> (3, side, side), turned by `turn` % 4 quarters and mirrored where `turn` >= 4."""
    top, left = corner
    crop = np.rot90(image[:, top : top + side, left : left + side], turn % 4, axes=(1, 2))
    return crop[:, :, ::-1] if turn >= 4 else crop
