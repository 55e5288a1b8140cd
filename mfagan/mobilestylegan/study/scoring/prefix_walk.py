"""Run many slices of a weight-shared student on one latent and compute every shared feature map once.

Slices with the same widths at the first resolutions share all feature maps up to there. Run in the order of their
widths, each continues from where it differs from the one before: a depth-first walk over the resolutions that holds one
feature map of each at a time. The images are those of the extracted networks.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

import torch
from torch import Tensor, nn

from mfagan.mobilestylegan.network.layers.noise import Noise
from mfagan.mobilestylegan.network.student.block import StudentBlock
from mfagan.mobilestylegan.network.student.layers import DenseConv, Head
from mfagan.mobilestylegan.network.student.student import Student
from mfagan.mobilestylegan.study.scoring.choices import Channels

__all__ = ["PrefixWalk"]

Layer = TypeVar("Layer", bound=nn.Module)


class PrefixWalk:
    """Runs slices of a student, whose weights must not change meanwhile."""

    def __init__(self, student: Student) -> None:
        """Prepare the walk.

        Args:
            student: The weight-shared student; it stays on its device.
        """
        self._student = student
        self._firsts: dict[int, tuple[Tensor, DenseConv]] = {}
        self._blocks: dict[tuple[int, int, int], StudentBlock] = {}
        self._heads: dict[int, Head] = {}

    @torch.inference_mode()
    def run(self, w: Tensor, noise: Noise, choices: Sequence[Channels]) -> Iterator[tuple[int, Tensor]]:
        """Run slices on one latent.

        Args:
            w: One style (1, style_dim), or W+ (1, rows, style_dim).
            noise: As in `Student.forward`.
            choices: The slices' channels at each resolution.

        Yields:
            For each choice its index and image (1, 3, size, size), not clamped, in the order of the widths, not of
            `choices`.
        """
        if len(w) != 1:
            raise ValueError(f"{len(w)} latents: a walk runs one at a time")
        student = self._student
        rows, maps = student.prepare(w, noise)
        trail: list[Tensor] = []  # the feature maps at 4, 8, ... px
        before: Channels = ()
        for i in sorted(range(len(choices)), key=lambda i: choices[i]):
            slice_ = choices[i]
            del trail[_count_shared(before, slice_) :]
            before = slice_
            for number in range(len(trail), len(slice_)):
                if number == 0:
                    constant, first = self._first(slice_[0])
                    trail.append(first(constant, rows[:, 0], maps[0]))
                    continue
                a, b, _ = student.rows_of(number - 1)
                block = self._block(number, slice_[number - 1], slice_[number])
                trail.append(
                    block(trail[-1], (rows[:, a], rows[:, b]), maps[2 * number - 1 : 2 * number + 1])
                )
            head = self._head(slice_[-1])
            yield i, head.haar(head(trail[-1], rows[:, student.head_row(len(slice_) - 1)]))

    def _first(self, width: int) -> tuple[Tensor, DenseConv]:
        if width not in self._firsts:
            layer = DenseConv(width, width, self._student.style_dim, self._student.demodulation)
            constant = self._student.constant[:, :width].contiguous()
            self._firsts[width] = constant, self._fill(layer, self._student.first)
        return self._firsts[width]

    def _block(self, number: int, before: int, width: int) -> StudentBlock:
        if (number, before, width) not in self._blocks:
            block = StudentBlock(before, width, self._student.style_dim, self._student.demodulation)
            self._blocks[number, before, width] = self._fill(block, self._student.body[number - 1])
        return self._blocks[number, before, width]

    def _head(self, width: int) -> Head:
        if width not in self._heads:
            head = Head(width, self._student.style_dim, self._student.full_channels[-1])
            full = self._student.heads[str(self._student.sides[-1])]
            self._heads[width] = self._fill(head, full)
        return self._heads[width]

    def _fill(self, layer: Layer, full: nn.Module) -> Layer:
        """Give a layer the first channels of the full layer's weights."""
        weights: Mapping[str, Tensor] = full.state_dict()
        shapes = {name: one.shape for name, one in layer.state_dict().items()}
        layer.load_state_dict(
            {name: weights[name][tuple(map(slice, shape))] for name, shape in shapes.items()}
        )
        return layer.to(self._student.constant).eval()


def _count_shared(one: Channels, other: Channels) -> int:
    shared = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        shared += 1
    return shared
