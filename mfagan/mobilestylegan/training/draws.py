"""The random numbers of training steps: latents and noise, which are all the data that these trainings have."""

import random
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from mfagan.errors import InputError
from mfagan.mobilestylegan.network.layers.noise import draw_noise

__all__ = ["Draws", "EmptyBatches"]


class Draws:
    """Latents and noise maps, a function of the seed, the step and their purpose alone.

    The processes of a training share each batch, which is the same however many there are.
    """

    def __init__(
        self, style_dim: int, sides: Sequence[int], batch: int, seed: int, rank: int = 0, world: int = 1
    ) -> None:
        """Describe the batches.

        Args:
            style_dim: numbers of a latent.
            sides: sides of the noise maps in px.
            batch: latents of a step, in all processes together.
            seed: the run's.
            rank: number of this process, from 0.
            world: how many processes share a batch.

        Raises:
            InputError: `world` does not divide the batch.
        """
        if batch % world:
            raise InputError(
                f"a batch of {batch} cannot be shared by {world} processes: give a multiple of their number"
            )
        self._style_dim = style_dim
        self._sides = tuple(sides)
        self._batch = batch
        self._seed = seed
        share = batch // world
        self._own = slice(rank * share, (rank + 1) * share)

    def draw(
        self, number: int, purpose: str = "generator", device: torch.device | None = None
    ) -> tuple[Tensor, list[Tensor]]:
        """Draw the batch of a step, on the CPU whatever the device is.

        Args:
            number: the step's, from 0.
            purpose: other purposes in the same step get other numbers.
            device: where the numbers are needed; None for the CPU.

        Returns:
            Latents (N, style_dim) and the noise maps (N, 1, side, side) of this process, of N(0, 1).
        """
        generator = self._generator(number, purpose)
        z = torch.randn((self._batch, self._style_dim), generator=generator)
        noise = draw_noise(self._sides, self._batch, generator)
        return z[self._own].to(device), [one[self._own].to(device) for one in noise]

    def draw_directions(self, number: int, side: int, device: torch.device | None = None) -> Tensor:
        """Draw the directions in image space of a step's path lengths, on the CPU whatever the device is.

        Args:
            number: the step's, from 0.
            side: of the images in px.
            device: where the numbers are needed; None for the CPU.

        Returns:
            (N, 3, side, side) of N(0, 1), of this process.
        """
        generator = self._generator(number, "directions")
        return torch.randn((self._batch, 3, side, side), generator=generator)[self._own].to(device)

    def _generator(self, number: int, purpose: str) -> torch.Generator:
        seed = random.Random(f"{purpose} {self._seed} {number}").getrandbits(63)
        return torch.Generator("cpu").manual_seed(seed)


class EmptyBatches:
    """The batches of a training without data: nothing, once a step."""

    waited_s = 0.0

    def __init__(self, start: int, stop: int) -> None:
        """Count steps.

        Args:
            start: the first.
            stop: the number of steps in all.
        """
        self._steps = range(start, stop)

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        return (() for _ in self._steps)
