"""What a network costs on a device: parameters, multiply-accumulates, FLOPs and memory traffic.

The counting rules are shared/specs/mfagan.md section 1, which reproduces all nine figures of the paper's
Table 1 to within 0.6 %.
"""

import copy
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from torch import nn

from mfagan.graph.operators import IN_PLACE, Operator, trace_operators

BYTES_PER_ELEMENT = 4


@dataclass(frozen=True)
class Costs:
    """Costs of one image at batch 1.

    params: learned parameters.
    macs: multiply-accumulates of all convolutions, the channel attention's included.
    flops: the paper's count: `macs`, one per bias-added element, one per attention-scaled element.
    memory_bytes: the input and the output of every operator that does not work in place, fp32.
    """

    params: int
    macs: int
    flops: int
    memory_bytes: int

    @property
    def params_m(self) -> float:
        """Learned parameters in millions."""
        return self.params / 1e6

    @property
    def flops_g(self) -> float:
        """FLOPs in thousand millions."""
        return self.flops / 1e9

    @property
    def memory_gb(self) -> float:
        """Memory traffic in GB of 1e9 bytes."""
        return self.memory_bytes / 1e9

    def as_dict(self) -> dict[str, int]:
        """Name -> figure."""
        return asdict(self)


def sum_costs(operators: Iterable[Operator]) -> Costs:
    """Costs of a whole network from its operator list; the first operator reads the network's input."""
    operators = list(operators)
    macs = sum(operator.macs for operator in operators)
    biased = sum(op.output.elements for op in operators if op.kind == "conv" and op.bias)
    scaled = sum(op.output.elements for op in operators if op.kind == "multiply")
    written = sum(op.output.elements for op in operators if op.kind not in IN_PLACE)
    return Costs(
        params=sum(operator.parameters for operator in operators),
        macs=macs,
        flops=macs + biased + scaled,
        memory_bytes=BYTES_PER_ELEMENT * (operators[0].inputs[0].elements + written),
    )


def trace_costs(network: nn.Module, height: int, width: int) -> Costs:
    """Costs of any network at an LR image of (3, height, width), from a trace of its real forward pass.

    The trace runs on PyTorch's meta device: nothing is computed, and the network stays where it is.
    """
    return sum_costs(trace_operators(copy.deepcopy(network).to("meta"), height, width))
