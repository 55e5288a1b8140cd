"""A generator's operators and weights as an exported file has them, from the list that the network writes itself."""

from collections.abc import Sequence
from dataclasses import replace

from torch import Tensor

from mfagan.graph.operators import Activation, Block, Operator
from mfagan.graph.passes import PASSES
from mfagan.graph.rewriting import Pass, Rewritten, apply
from mfagan.mobilestylegan.exporting.half_precision import HalfPrecision
from mfagan.mobilestylegan.exporting.target import GeneratorTarget
from mfagan.mobilestylegan.network.student.student import Student
from mfagan.mobilestylegan.network.teacher.mapping import Mapping
from mfagan.mobilestylegan.network.teacher.synthesis import Synthesis

__all__ = ["lower"]


def lower(
    network: Mapping | Synthesis | Student, target: GeneratorTarget
) -> tuple[list[Operator], dict[str, Tensor]]:
    """Lower a network.

    Args:
        network: A mapping network, a teacher's synthesis or a student, whose last head alone is taken.
        target: What the file is made for.

    Returns:
        The operators in the order they run, with one input and one output, and the weights that they read.
    """
    if isinstance(network, Mapping):
        (block,) = network.blocks()
        return list(block.operators), network.constants()
    blocks = network.blocks(target.noise, styles=target.styles)
    found = Rewritten([Block("", tuple(operator for block in blocks for operator in block.operators))])
    if target.precision == "fp16":
        found = apply(HalfPrecision, found)
    found = apply(_BiasFirst, apply(PASSES["wavelets"], found))
    return found.operators, found.make_weights(network.constants(target.noise))


class _BiasFirst(Pass):
    """convolution -> noise -> bias becomes convolution -> bias -> noise, so that the convolution takes the bias in."""

    def __init__(self, operators: Sequence[Operator]) -> None:
        super().__init__(operators)
        self._swapped: dict[Activation, Operator] = {}
        """Output of a sum -> the other sum, whose constant it takes."""
        for bias in operators:
            noise = self.maker(bias.inputs[0], "add")
            if bias.kind != "add" or not bias.weights or bias.operand is not None or noise is None:
                continue
            if noise.operand is not None and self.maker(noise.inputs[0], "conv") is not None:
                self._swapped |= {bias.output: noise, noise.output: bias}

    def rewrite(self, operator: Operator) -> list[Operator]:
        """As `Pass.rewrite`."""
        other = self._swapped.get(operator.output)
        return [operator if other is None else replace(other, inputs=operator.inputs, output=operator.output)]
