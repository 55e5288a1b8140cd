"""What a network costs on a device: parameters, multiply-accumulates, FLOPs and memory traffic.

The counting rules, which reproduce all nine figures of Table 1 of the MFAGAN paper (Cheng, Zhao, Ye, Gu 2021) to
within 0.6 %:

- params: learned numbers, each counted once: weights, biases, affine parameters of normalisations, learned constants.
  Fixed filters (buffers) are not parameters. Weights that the forward pass does not read are not counted.
- macs: multiply-accumulates (MAC) of convolutions, linear layers and matrix products, fixed filters included. Those of
  a transposed convolution are counted at its input's resolution, which is how many are computed; papers that count
  them at the output's resolution print stride x stride times as many (`transposed_at="output"`).
- flops: the paper's count: `macs`, plus one for each element to which a bias is added, plus one for each element of a
  multiplication such as a channel attention's. One MAC counts as one FLOP here, where other tools count two
  (`torch.utils.flop_counter` gives 2 x MACs). Normalisations, activations, resampling and pooling count as 0.
- memory_bytes: bytes in fp32 of the network's input and of the output of each operator that does not work in place.
"""

import copy
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from mfagan.graph.operators import IN_PLACE, Block, Operator, TransposedAt

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["BYTES_PER_ELEMENT", "CONVENTIONS", "Costs", "sum_block_costs", "sum_costs", "trace_costs"]

BYTES_PER_ELEMENT = 4
"""Bytes of one number in fp32."""

CONVENTIONS: dict[TransposedAt, str] = {
    "input": "MACs with transposed convolutions at their input's resolution, as they are computed",
    "output": "MACs with transposed convolutions at their output's resolution, as several papers print them",
}
"""The conventions of `macs`, with the label to print beside a figure."""

_BIASED = ("conv", "conv_transpose", "linear")


@dataclass(frozen=True)
class Costs:
    """Costs of one image at batch size 1; the module's docstring gives the counting rules.

    params: learned parameters.
    macs: multiply-accumulates.
    flops: FLOPs in the MFAGAN paper's count.
    memory_bytes: memory traffic in bytes, fp32.
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
    def macs_g(self) -> float:
        """Multiply-accumulates in billions."""
        return self.macs / 1e9

    @property
    def flops_g(self) -> float:
        """FLOPs in billions."""
        return self.flops / 1e9

    @property
    def memory_gb(self) -> float:
        """Memory traffic in GB of 1e9 bytes."""
        return self.memory_bytes / 1e9

    def as_dict(self) -> dict[str, int]:
        """Name -> figure."""
        return asdict(self)


def sum_costs(operators: Iterable[Operator], transposed_at: TransposedAt = "input") -> Costs:
    """The costs of a network from its operators.

    Args:
        operators: The whole network's, in the order they run. Activations that none of them makes are the network's
            inputs.
        transposed_at: The resolution at which transposed convolutions are counted, a key of `CONVENTIONS`.
    """
    params = macs = extra = elements = 0
    made: set[str] = set()
    read: dict[str, int] = {}
    for operator in operators:
        output = operator.output.elements
        params += operator.parameters
        if operator.terms:
            macs += operator.macs_at(transposed_at)
        if operator.kind == "multiply" or (operator.bias and operator.kind in _BIASED):
            extra += output
        if operator.kind not in IN_PLACE:
            elements += output
        for x in operator.inputs:
            if x.name not in made:
                read.setdefault(x.name, x.elements)
        made.add(operator.output.name)
    return Costs(params, macs, macs + extra, BYTES_PER_ELEMENT * (sum(read.values()) + elements))


def sum_block_costs(blocks: Sequence[Block], known: dict[str, Costs] | None = None) -> Costs:
    """The costs of a network from its blocks; those of `sum_costs` on all their operators.

    Args:
        blocks: The whole network's, in the order they run.
        known: Key of a block -> its costs without the memory that its inputs take, to be reused from call to call.
            What is missing is added.
    """
    known = {} if known is None else known
    params = macs = flops = memory_bytes = 0
    for block in blocks:
        if block.key not in known:
            costs = sum_costs(block.operators)
            read_bytes = BYTES_PER_ELEMENT * sum(x.elements for x in block.inputs)
            known[block.key] = Costs(costs.params, costs.macs, costs.flops, costs.memory_bytes - read_bytes)
        costs = known[block.key]
        params, macs, flops = params + costs.params, macs + costs.macs, flops + costs.flops
        memory_bytes += costs.memory_bytes
    made = [block.made for block in blocks]
    inputs = {
        x.name: x.elements
        for i, block in enumerate(blocks)
        for x in block.inputs
        if not any(x.name in names for names in made[:i])
    }
    return Costs(params, macs, flops, memory_bytes + BYTES_PER_ELEMENT * sum(inputs.values()))


def trace_costs(
    network: "nn.Module",
    height: int | None = None,
    width: int | None = None,
    *,
    inputs: "Sequence[Tensor | Sequence[int]] | None" = None,
    transposed_at: TransposedAt = "input",
) -> Costs:
    """The costs of any network, from a trace of its real forward pass.

    The trace runs a copy on PyTorch's meta device: nothing is computed, and the network stays where it is.

    Args:
        network: Any module whose `forward` takes tensors.
        height: Rows of an RGB image (1, 3, height, width), if that is the network's only input.
        width: Columns of that image.
        inputs: The arguments of `forward` instead: example tensors or their shapes, each with a batch of 1.
        transposed_at: The resolution at which transposed convolutions are counted, a key of `CONVENTIONS`.

    Raises:
        InputError: As `trace_operators`.
    """
    from mfagan.graph.trace import trace_operators

    on_meta = copy.deepcopy(network).to("meta")
    return sum_costs(trace_operators(on_meta, height, width, inputs=inputs), transposed_at)
