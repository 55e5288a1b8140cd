"""Which operators of a network are computed in 8-bit integers, and over which ranges their activations are rounded.

A network's own part is in integers. In float stay:

- what is made of the picture without learned weights: the bicubic residual;
- what follows the last learned operator: the sum with the residual and the pixel shuffle;
- what makes vectors of vectors: the statistics of channel attention, whose small differences 8 bits would lose.
"""

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import numpy as np

from mfagan.graph.norms import FoldedNorms
from mfagan.graph.operators import Activation, Block, Operator
from mfagan.graph.passes import rewrite
from mfagan.graph.rewriting import Rewritten, apply

__all__ = [
    "PICTURE",
    "Ranges",
    "Step",
    "find_integers",
    "fit_range",
    "integer_outputs",
    "mark_integers",
    "rewrite_for",
    "sample_step",
    "write_for_integers",
]

_X = TypeVar("_X", bound=Hashable)

Ranges = Mapping[str, tuple[float, float]]
"""Name of an activation -> its least and its largest number."""

PICTURE = (0.0, 1.0)
"""The range of the picture: with it, pictures of 8 bits are not changed."""

LEVELS = 255
"""Steps between the least and the largest of 8 bits."""
_SHRINKS = 0.9 ** np.arange(24)
"""Parts of a range that are tried: 1 to 0.09."""
_SWEEPS = 2
_SAMPLES = 16_384
"""Numbers of an activation that are looked at, of each photograph."""


@dataclass(frozen=True)
class Step(Generic[_X]):
    """An operator of any graph, whose activations are named by what fits the graph.

    Args:
        inputs: the activations that it reads.
        outputs: those that it makes.
        learned: whether it has learned weights.
    """

    inputs: tuple[_X, ...]
    outputs: tuple[_X, ...]
    learned: bool


def write_for_integers(operators: Sequence[Operator]) -> list[Operator]:
    """Write operators that TensorFlow Lite has in float alone by those that it has in integers too.

    Args:
        operators: a network's, in order.

    Returns:
        Operators that compute the same: a square is a product, a SiLU a product with a sigmoid.
    """
    found: list[Operator] = []
    for operator in operators:
        (x, *_) = operator.inputs
        if operator.kind == "square":
            found.append(replace(operator, kind="multiply", inputs=(x, x)))
        elif operator.kind == "silu":
            gate = replace(operator.output, name=f"{operator.output.name}.gate")
            found += [
                Operator("sigmoid", (x,), gate),
                replace(operator, kind="multiply", inputs=(x, gate)),
            ]
        else:
            found.append(operator)
    return found


def integer_outputs(operators: Sequence[Operator]) -> frozenset[Activation]:
    """Find what is computed in integers.

    Args:
        operators: a network's, in order.

    Returns:
        The outputs of these operators; of the others the output is float.
    """
    activations = {x for operator in operators for x in (*operator.inputs, operator.output)}
    steps = [
        Step(operator.inputs, (operator.output,), learned=operator.parameters > 0) for operator in operators
    ]
    return find_integers(steps, {x for x in activations if x.height == x.width == 1})


def find_integers(steps: Sequence[Step[_X]], vectors: Collection[_X]) -> frozenset[_X]:
    """Find what is computed in integers, of any graph.

    Args:
        steps: the graph's operators, in order.
        vectors: the activations of one px.

    Returns:
        The outputs of these operators.
    """
    last = max((i for i, step in enumerate(steps) if step.learned), default=-1)
    reached: set[_X] = set()
    found: set[_X] = set()
    for step in steps[: last + 1]:
        if not step.learned and reached.isdisjoint(step.inputs):
            continue
        reached.update(step.outputs)
        if not all(x in vectors for x in (*step.inputs, *step.outputs)):
            found.update(step.outputs)
    return frozenset(found)


def sample_step(elements: int) -> int:
    """Every how many numbers of an activation one is looked at.

    Args:
        elements: numbers of the activation.

    Returns:
        An odd step, which does not stay in one channel.
    """
    return max(1, elements // _SAMPLES) | 1


def mark_integers(blocks: Sequence[Block]) -> list[Block]:
    """Write a network's blocks for integers, and tell each what of it is computed in them.

    Args:
        blocks: all of the network's, in order.
    """
    written = [write_for_integers(block.operators) for block in blocks]
    integers = integer_outputs([operator for operators in written for operator in operators])
    return [
        replace(
            block,
            operators=tuple(operators),
            integers=integers.intersection(x for op in operators for x in (*op.inputs, op.output)),
        )
        for block, operators in zip(blocks, written, strict=True)
    ]


def rewrite_for(blocks: Sequence[Block], passes: Sequence[str], precision: str) -> list[Block]:
    """A network's blocks after passes, as they are computed in a precision: without batch norms that can be folded.

    Args:
        blocks: all of the network's, in order.
        passes: names of passes (`mfagan.graph.passes`).
        precision: fp32, fp16 or int8; int8 marks what is in integers.

    Raises:
        InputError: an unknown pass.
    """
    found = rewrite(apply(FoldedNorms, Rewritten(list(blocks))).blocks, passes).blocks
    return mark_integers(found) if precision == "int8" else found


def fit_range(values: np.ndarray) -> tuple[float, float]:
    """The range whose 256 levels come nearest to values, by their mean squared error.

    Both ends are moved in turn: a rare extreme is cut off if that makes the steps of all others smaller.

    Args:
        values: what an activation held on photographs, (n,).

    Returns:
        The least and the largest number; 0 is between them.
    """
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    for _ in range(_SWEEPS):
        high = min((high * part for part in _SHRINKS), key=lambda end: _error(values, low, end))
        low = min((low * part for part in _SHRINKS), key=lambda end: _error(values, end, high))
    return low, high


def _error(values: np.ndarray, low: float, high: float) -> float:
    if high <= low:
        return 0.0  # all values are 0
    step = (high - low) / LEVELS
    zero = np.round(low / step)
    rounded = step * np.clip(np.round(values / step), zero, zero + LEVELS)
    return float(np.square(rounded - values).mean())
