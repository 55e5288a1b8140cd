"""What a training loop trains: the interface between the loop, which knows no images, and a system's stage."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from torch import Tensor, nn

from mfagan.training.snapshot import Stateful

__all__ = ["Batches", "Learner"]


class Learner(ABC):
    """The networks, losses and optimizers of one stage.

    A step may depend on nothing but its number, its batch and the state in `parts`, so that a training resumed from
    a snapshot repeats the uninterrupted one bit for bit.
    """

    network: nn.Module
    """Its weights are averaged; the average is what is validated and kept. Its shape stays as it is in one loop."""
    watched: str
    """The figure that must not explode, shown with the progress."""
    shown: Sequence[str] = ()
    """More figures that are shown with it."""

    @abstractmethod
    def parts(self) -> Mapping[str, Stateful]:
        """Everything that changes from step to step: modules, optimizers and other state, by name."""

    @abstractmethod
    def step(self, number: int, *batch: Tensor) -> dict[str, Tensor]:
        """Train on one batch.

        Args:
            number: the step's, from 0.
            batch: tensors as the stage's batches give them.

        Returns:
            The figures to log by name, scalars without gradient; `watched` is one of them.
        """

    def done(self) -> bool:
        """Whether the loop ends before its last step, asked after every step.

        The answer may depend on the state in `parts` alone; under torchrun every process must give the same.
        """
        return False

    def results(self) -> Sequence[nn.Module]:
        """The networks that are left to be written, in the order of the stage's `writes`; more than those are dropped.

        Called after the loop, when `network` has the weights that are kept. They may be other networks than those
        that were trained, such as a pruned one; the next stage reads them from their files.
        """
        return (self.network,)


class Batches(Protocol):
    """Batches in order, fetched ahead."""

    waited_s: float
    """Seconds that the loop has waited for them."""

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]: ...
