"""A translator's operators and weights as an exported file has them, from the list that the network writes itself."""

from torch import Tensor

from mfagan.coronetgan.exporting.half_precision import HalfPrecision
from mfagan.coronetgan.exporting.target import TranslatorTarget
from mfagan.coronetgan.network.translator import Translator
from mfagan.graph.norms import FoldedNorms
from mfagan.graph.operators import Operator
from mfagan.graph.passes import PASSES
from mfagan.graph.rewriting import Rewritten, apply

__all__ = ["EXPORT_PASSES", "lower"]

EXPORT_PASSES = ("borders", "squares")
"""What rewrites the operators of files in TensorFlow Lite (`mfagan.graph.passes`)."""


def lower(translator: Translator, target: TranslatorTarget) -> tuple[list[Operator], dict[str, Tensor]]:
    """Lower a translator. Batch norms of running statistics are folded into the convolutions before them.

    Args:
        translator: The network, in evaluation mode.
        target: What the file is made for.

    Returns:
        The operators in the order they run, with one input and one output, and the weights that they read.

    Raises:
        InputError: The network does not take pictures of the target's size.
    """
    found = apply(FoldedNorms, Rewritten(translator.blocks(*target.size)))
    if target.precision == "fp16":
        found = apply(HalfPrecision, found)
    if target.format == "tflite":
        for name in EXPORT_PASSES:
            found = apply(PASSES[name], found)
    return found.operators, found.make_weights(translator.constants())
