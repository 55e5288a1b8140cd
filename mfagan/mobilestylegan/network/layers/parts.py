"""What the parts of a generator cost, by name, so that a figure says what it counts.

A transposed convolution is counted at its input's resolution, which is what is computed; several papers count it at
its output's (`mfagan.graph.costs.CONVENTIONS`). At 1024 px the paper's 143.15 "GMAC" of the teacher are (to 0.11 %)
convolutions, filters and affines in the second convention; its 15.09 of the student are twice the sum of the
convolutions and affines with all heads and the inverse wavelets of inference.
"""

from collections.abc import Iterable

from mfagan.graph.operators import Operator, TransposedAt

__all__ = ["PARTS", "macs_by_part"]

PARTS = {
    "conv": "convolutions",
    "rgb": "convolutions to RGB",
    "dense": "dense convolution",
    "depthwise": "depthwise convolutions",
    "pointwise": "pointwise convolutions",
    "bands": "heads",
    "blur": "FIR filters",
    "skip": "FIR filters",
    "haar": "inverse wavelets",
    "affine": "style affines",
    "demodulation": "demodulation",
}
"""The last name in the path of an operator's weights -> its part. Anything else with MACs is the mapping network's."""


def macs_by_part(operators: Iterable[Operator], transposed_at: TransposedAt = "input") -> dict[str, int]:
    """Multiply-accumulates of each part.

    Args:
        operators: Recorded by a mapping network, a synthesis network or a student.
        transposed_at: The resolution at which transposed convolutions are counted.

    Returns:
        Part -> MACs, in the order of `PARTS`; parts that are not there are left out.
    """
    found = dict.fromkeys([*PARTS.values(), "mapping"], 0)
    for operator in operators:
        if operator.terms:
            found[PARTS.get(operator.weights.rpartition(".")[2], "mapping")] += operator.macs_at(
                transposed_at
            )
    return {part: macs for part, macs in found.items() if macs}
