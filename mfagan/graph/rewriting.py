"""What a pass over a network's operators is: it rewrites them, and cuts the weights that the new ones read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from mfagan.graph.operators import Activation, Block, Operator

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Cut", "Made", "Pass", "Rewritten", "apply"]


class Made(Protocol):
    """How weights that an operator reads after a pass are made of the network's."""

    def make(self, path: str, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Make them.

        Args:
            path: what the operator knows them by.
            weights: the network's, and those that were made before.

        Returns:
            The weights by their names.
        """
        ...


@dataclass(frozen=True)
class Cut:
    """The part of a convolution's weights that an operator after a pass reads.

    Args:
        weights: module path of the whole convolution's weights.
        rows: its output channels, from and up to.
        columns: its input channels, likewise.
        bias: whether the bias of these output channels belongs to it.
    """

    weights: str
    rows: tuple[int, int]
    columns: tuple[int, int]
    bias: bool

    def make(self, path: str, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """As in `Made`."""
        rows, columns = slice(*self.rows), slice(*self.columns)
        found = {f"{path}.weight": weights[f"{self.weights}.weight"][rows, columns]}
        if self.bias:
            found[f"{path}.bias"] = weights[f"{self.weights}.bias"][rows]
        return found


@dataclass(frozen=True)
class Rewritten:
    """Operators after passes.

    Args:
        blocks: the blocks, with the keys that they had. A block whose inputs or output are others than before has a
            key that ends in `/joined`.
        made: path of the weights that an operator reads -> what they are made of, in the order of making.
    """

    blocks: list[Block]
    made: Mapping[str, Made] = field(default_factory=dict)

    @property
    def operators(self) -> list[Operator]:
        """The operators of all blocks, in order."""
        return [operator for block in self.blocks for operator in block.operators]

    def make_weights(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The weights that the operators read.

        Args:
            weights: those of the network, `PATH.weight` and `PATH.bias`.

        Returns:
            The same, and what is made of them under the names that the operators know them by.
        """
        found = dict(weights)
        for path, made in self.made.items():
            found |= made.make(path, found)
        return found


class Pass(ABC):
    """Rewrites one operator after the other; what is no longer read is dropped afterwards."""

    def __init__(self, operators: Sequence[Operator]) -> None:
        self.made = {operator.output: operator for operator in operators}
        self.readers: dict[Activation, list[Operator]] = {}
        for operator in operators:
            for x in operator.inputs:
                self.readers.setdefault(x, []).append(operator)
        self.weights: dict[str, Made] = {}

    def maker(self, x: Activation, kind: str) -> Operator | None:
        """The operator that makes an activation, if it is of a kind."""
        operator = self.made.get(x)
        return operator if operator is not None and operator.kind == kind else None

    def cut(self, operator: Operator, rows: tuple[int, int], columns: tuple[int, int], bias: bool) -> str:
        """The path of a part of a convolution's weights; the arguments are those of `Cut`."""
        path = f"{operator.weights}[{rows[0]}:{rows[1]},{columns[0]}:{columns[1]}]"
        self.weights[path] = Cut(operator.weights, rows, columns, bias)
        return path

    @abstractmethod
    def rewrite(self, operator: Operator) -> list[Operator]:
        """Rewrite an operator.

        Args:
            operator: one of the network's; they come in order.

        Returns:
            The operators that take its place, in the same block.
        """


def apply(make: Callable[[Sequence[Operator]], Pass], before: Rewritten) -> Rewritten:
    """Apply one pass.

    Args:
        make: makes the pass for all operators.
        before: the blocks.
    """
    one = make(before.operators)
    blocks = [
        replace(block, operators=tuple(new for old in block.operators for new in one.rewrite(old)))
        for block in before.blocks
    ]
    return Rewritten(_drop_unread(blocks, before.operators[-1].output), {**before.made, **one.weights})


def _drop_unread(blocks: Sequence[Block], output: Activation) -> list[Block]:
    read = {output}
    kept: list[Block] = []
    for block in reversed(blocks):
        operators: list[Operator] = []
        for operator in reversed(block.operators):
            if operator.output in read:
                read.update(operator.inputs)
                operators.append(operator)
        kept.append(replace(block, operators=tuple(reversed(operators))))
    return kept[::-1]
