"""Score slices of a weight-shared network on fixed cases: how near their pictures are to the originals."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

import torch
from torch import Tensor

from mfagan.devices import one_thread
from mfagan.evaluation.inception import InceptionFeatures, kernel_distance
from mfagan.evaluation.scores import PerceptualDistance, lpips_distance
from mfagan.graph.operators import Block
from mfagan.progress import ProgressCallback, ignore_progress

__all__ = ["SliceScore", "SliceScorer", "as_rgb", "choose_threads"]

_FEW_MACS = 100_000_000
"""A network of less work for a picture is run on one thread."""
WidthsT = TypeVar("WidthsT")


@dataclass(frozen=True)
class SliceScore:
    """What was measured of one slice.

    qualities: of each case, as `SliceScorer.quality_of`.
    lpips: LPIPS of each case's picture; empty if it is not measured.
    kernel: Kernel distance between Inception's features of all its pictures and of the others; None if it is not
        measured.
    """

    qualities: tuple[float, ...]
    lpips: tuple[float, ...]
    kernel: float | None = None


class SliceScorer(ABC, Generic[WidthsT]):
    """Qualities of slices of one network on fixed cases, such as pictures to translate or latents.

    The originals are made once. Cases are run one at a time, so that a score depends on nothing but its slice and its
    case.

    Attributes:
        originals: The pictures of the network that slices are compared with, (3, H, W) RGB in [0, 1], one a case.
        targets: What the pictures should become, likewise; None where that is not known.
    """

    ORIGINAL: ClassVar[str]
    """What people call the network that makes the originals."""
    CASE: ClassVar[str]
    """What people call a case."""

    def __init__(
        self,
        originals: Sequence[Tensor],
        targets: Sequence[Tensor] | None = None,
        others: Sequence[Tensor] | None = None,
        lpips: PerceptualDistance | None = None,
        inception: InceptionFeatures | None = None,
    ) -> None:
        """Keep what slices are compared with.

        Args:
            originals: As the attribute.
            targets: As the attribute.
            others: Pictures that all of a slice's are compared with by the kernel distance; None for the originals.
            lpips: Measures LPIPS, to the targets or else the originals; None to leave it out.
            inception: The kernel distance of its features is measured; None to leave that out.
        """
        self.originals = originals
        self.targets = targets
        self._lpips = lpips
        self._inception = inception
        self._has_others = others is not None
        self._features_of_others = self._features(originals if others is None else others)

    @property
    def references(self) -> Sequence[Tensor]:
        """What LPIPS is measured to: the targets, or else the originals."""
        return self.originals if self.targets is None else self.targets

    @abstractmethod
    def run(self, case: int, choices: Sequence[WidthsT]) -> Iterator[tuple[int, Tensor]]:
        """Make one case's pictures by slices.

        Args:
            case: The case's index.
            choices: The slices' widths.

        Yields:
            For each choice its index and picture (3, H, W), RGB in [0, 1], in the order of the widths.
        """

    def quality_of(self, picture: Tensor, case: int) -> float:
        """What a slice is scored by: the mean absolute difference from the original.

        Args:
            picture: The slice's, (3, H, W) RGB in [0, 1].
            case: The case's index.
        """
        return (picture - self.originals[case]).abs().mean().item()

    def score(
        self,
        choices: Sequence[WidthsT],
        report: ProgressCallback = ignore_progress,
        cases: Sequence[int] | None = None,
    ) -> list[SliceScore]:
        """Score slices.

        Args:
            choices: The slices' widths; they share the work of common steps.
            report: Called after each slice on each case.
            cases: Indices of the cases to score on, in this order; None for all.

        Returns:
            What was measured of each choice, in the order of the choices.

        Raises:
            InputError: The kernel distance is measured, and on fewer than 2 cases.
        """
        qualities: list[list[float]] = [[] for _ in choices]
        perceived: list[list[float]] = [[] for _ in choices]
        features: list[list[Tensor]] = [[] for _ in choices]
        cases = range(len(self.originals)) if cases is None else cases
        done, total = 0, len(choices) * len(cases)
        for case in cases:
            reference = self.references[case]
            waiting: list[tuple[int, Tensor]] = []
            for i, picture in self.run(case, choices):
                qualities[i].append(self.quality_of(picture, case))
                if self._lpips is not None:
                    perceived[i].append(lpips_distance(picture.cpu(), reference.cpu(), self._lpips))
                if self._inception is not None:
                    waiting.append((i, picture))
                done += 1
                report(done, total, "")
            for i, picture in waiting:  # after `run`, which may keep PyTorch to one thread
                features[i].append(self._features([picture]))
        kernels: list[float | None] = [None] * len(choices)
        if self._inception is not None:
            others = self._features_of_others if self._has_others else self._features_of_others[list(cases)]
            kernels = [kernel_distance(torch.cat(one), others) for one in features]
        return [
            SliceScore(tuple(one), tuple(other), kernel)
            for one, other, kernel in zip(qualities, perceived, kernels, strict=True)
        ]

    def _features(self, pictures: Sequence[Tensor]) -> Tensor:
        """Inception's features, (pictures, 2048), of one picture at a time; none without it."""
        if self._inception is None:
            return torch.empty(0)
        return self._inception(picture[None] for picture in pictures)


def choose_threads(blocks: Sequence[Block]) -> Callable[[], AbstractContextManager[None]]:
    """How a network runs fast: a small one on one thread.

    Args:
        blocks: The network's operators for one picture.

    Returns:
        Makes the context in which it is run.
    """
    macs = sum(one.macs for block in blocks for one in block.operators)
    return one_thread if macs < _FEW_MACS else nullcontext


def as_rgb(picture: Tensor) -> Tensor:
    """A picture in the range that people see.

    Args:
        picture: (3, H, W) or (1, 3, H, W) in [-1, 1].

    Returns:
        (3, H, W) RGB in [0, 1].
    """
    return ((picture.reshape(picture.shape[-3:]).float() + 1) / 2).clamp(0, 1)
