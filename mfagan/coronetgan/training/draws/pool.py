"""The pool of CycleGAN (after Shrivastava et al. 2017): translated pictures of the past, shown again now and then."""

import random

import torch
from lightning_fabric import Fabric
from torch import Tensor

__all__ = ["PicturePool"]


class PicturePool:
    """Up to a number of pictures; a full pool swaps every other picture that comes for one that it holds.

    The processes of a training hold the same pool, of what all of them have made; what is drawn is a function of seed
    and step.
    """

    def __init__(self, size: int, seed: int, name: str, fabric: Fabric) -> None:
        """An empty pool.

        Args:
            size: how many pictures it holds; 0 gives back what comes.
            seed: the run's.
            name: pools of other names draw other numbers.
            fabric: where it is used.
        """
        self._size = size
        self._seed = seed
        self._name = name
        self._fabric = fabric
        self._pictures: list[Tensor] = []

    def swap(self, number: int, pictures: Tensor) -> Tensor:
        """Take the pictures of a step, and give as many.

        Args:
            number: the step's.
            pictures: of this process, (N, C, H, W), without gradient.

        Returns:
            (N, C, H, W): those, or some of the past in their places.
        """
        if not self._size:
            return pictures
        world, rank = self._fabric.world_size, self._fabric.global_rank
        gathered = pictures
        if world > 1:
            gathered = self._fabric.all_gather(pictures).flatten(0, 1)  # pyright: ignore[reportAttributeAccessIssue]
        draw = random.Random(f"pool {self._name} {self._seed} {number}")
        given = []
        for picture in gathered:
            if len(self._pictures) < self._size:
                self._pictures.append(picture.clone())
                given.append(picture)
            elif draw.random() > 0.5:
                place = draw.randrange(self._size)
                given.append(self._pictures[place])
                self._pictures[place] = picture.clone()
            else:
                given.append(picture)
        share = len(pictures)
        return torch.stack(given[rank * share : (rank + 1) * share])

    def state_dict(self) -> dict:
        """The pictures."""
        return {"pictures": list(self._pictures)}

    def load_state_dict(self, state_dict: dict, /) -> None:
        """Take pictures back.

        Args:
            state_dict: as `state_dict` gives it.
        """
        self._pictures = [one.to(self._fabric.device) for one in state_dict["pictures"]]
