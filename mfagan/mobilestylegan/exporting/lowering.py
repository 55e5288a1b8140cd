"""A generator's operators and weights as an exported file has them, from the list that the network writes itself."""

from torch import Tensor

from mfagan.graph.operators import Block, Operator
from mfagan.graph.passes import PASSES
from mfagan.graph.rewriting import Rewritten, apply
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
    found = apply(PASSES["wavelets"], found)
    return found.operators, found.make_weights(network.constants(target.noise))
