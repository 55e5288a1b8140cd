"""Batches of crops of two domains, drawn by seed and step."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from mfagan.data.translation.reading import TrainingPictures, to_signed
from mfagan.errors import InputError

__all__ = ["TranslationSampler"]

_Draw = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Numbers of the pictures (N,), upper left corners (N, 2) and whether mirrored (N,)."""


class TranslationSampler:
    """Batches of random crops, batch k a function of the seed and k alone, so a restarted run sees the same.

    Every picture is drawn uniformly, cut at a random place, and mirrored half of the time if `mirror` is set. Pairs
    are drawn, cut and mirrored together; the two domains of unpaired pictures independently of each other.
    """

    def __init__(
        self, pictures: TrainingPictures, batch: int, crop_px: int, seed: int = 0, mirror: bool = True
    ) -> None:
        """Describe the batches.

        Args:
            pictures: as `read_training` gives them, at least one of each domain.
            batch: pictures of each domain in a batch, in all processes together, at least 1.
            crop_px: side of the crops in px; 256 in the published trainings.
            seed: at least 0.
            mirror: whether pictures may be mirrored.

        Raises:
            InputError: no pictures, pictures smaller than a crop, pairs that do not fit, or a number that is too
                small.
        """
        for what, value, least in (("crop", crop_px, 1), ("batch", batch, 1), ("seed", seed, 0)):
            if value < least:
                raise InputError(f"{what} is {value}: give at least {least}")
        self._a, self._b = pictures.a, pictures.b
        self._room_a, self._room_b = (_room(one, crop_px) for one in (self._a, self._b))
        self._paired = pictures.paired
        if self._paired and not np.array_equal(self._room_a, self._room_b):
            raise InputError(
                f"{len(self._a)} pictures of A and {len(self._b)} of B are no pairs of equal sizes: give pairs"
            )
        self._batch = batch
        self._crop_px = crop_px
        self._seed = seed
        self._mirror = mirror

    def batch(self, step: int, rank: int = 0, world: int = 1) -> tuple[Tensor, Tensor]:
        """Draw one batch.

        Args:
            step: the batch's number, from 0.
            rank: number of this process, from 0.
            world: how many processes share the batch.

        Returns:
            a and b, (N / world, 3, crop_px, crop_px) each, float32 RGB in [-1, 1]. The parts of all ranks, joined,
            are the whole batch.

        Raises:
            InputError: as `require_share`.
        """
        self.require_share(rank, world)
        random = np.random.default_rng((self._seed, step))
        drawn_a = self._draw(random, self._room_a)
        drawn_b = drawn_a if self._paired else self._draw(random, self._room_b)
        share = self._batch // world
        own = slice(rank * share, (rank + 1) * share)
        return self._cut(self._a, drawn_a, own), self._cut(self._b, drawn_b, own)

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

    def _draw(self, random: np.random.Generator, room: np.ndarray) -> _Draw:
        chosen = random.integers(len(room), size=self._batch)
        return chosen, random.integers(room[chosen]), random.integers(2, size=self._batch) * self._mirror

    def _cut(self, pictures: Sequence[np.ndarray], drawn: _Draw, own: slice) -> Tensor:
        side = self._crop_px
        crops = []
        for i, (top, left), mirrored in zip(*(each[own] for each in drawn), strict=True):
            crop = pictures[i][:, top : top + side, left : left + side]
            crops.append(crop[..., ::-1] if mirrored else crop)
        return to_signed(torch.from_numpy(np.stack(crops)))


def _room(pictures: Sequence[np.ndarray], crop_px: int) -> np.ndarray:
    """(N, 2): how many rows and columns a crop may start at."""
    if not len(pictures):
        raise InputError("no training images: give a folder that holds some")
    room = np.array([one.shape[1:] for one in pictures]) - crop_px + 1
    if room.min() < 1:
        height, width = pictures[int(room.min(axis=1).argmin())].shape[1:]
        raise InputError(
            f"crops of {crop_px}x{crop_px} px cannot be cut from pictures of {width}x{height} px: give a smaller crop, "
            "or load the pictures at a larger size"
        )
    return room
