"""What a generator costs: parameters in both forms, and multiply-accumulates in both published conventions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from torch import nn

from mfagan.graph.costs import CONVENTIONS, sum_costs
from mfagan.graph.operators import Block, Operator, TransposedAt
from mfagan.mobilestylegan.network.generator import Generator
from mfagan.mobilestylegan.network.layers.parts import macs_by_part

__all__ = ["AROUND_CONVOLUTIONS", "GeneratorCosts", "count_costs"]

AROUND_CONVOLUTIONS = frozenset({"FIR filters", "inverse wavelets", "style affines", "demodulation"})
"""The parts (`macs_by_part`) that published comparisons of convolutions leave out."""


@dataclass(frozen=True)
class GeneratorCosts:
    """Costs of one image at batch size 1, without the mapping network where it is not named."""

    params_training: int
    """Parameters of the synthesis network as it is: a student's training form has a head at each resolution."""
    params_deployed: int
    """Parameters of the synthesis network that are read to make an image."""
    params_mapping: int
    """Parameters of the mapping network."""
    convolution_macs: Mapping[TransposedAt, int]
    """Multiply-accumulates of the convolutions, by the resolution at which transposed ones are counted."""
    macs: Mapping[TransposedAt, int]
    """Multiply-accumulates of all operators, likewise."""
    mapping_macs: int
    """Multiply-accumulates of the mapping network, once for each style."""

    def as_rows(self) -> dict[str, int]:
        """The figures by names for people; each name says what it counts."""
        rows = {
            "parameters, training form": self.params_training,
            "parameters, deployed": self.params_deployed,
            "parameters of the mapping network": self.params_mapping,
        }
        for at, label in CONVENTIONS.items():
            rows[f"convolutions' {label}"] = self.convolution_macs[at]
        for at, label in CONVENTIONS.items():
            rows[f"all {label}"] = self.macs[at]
        return rows | {"MACs of the mapping network": self.mapping_macs}

    def as_dict(self) -> dict[str, int]:
        """The figures by names for programs; `transposed_at` is the convention."""
        return {
            "params_training": self.params_training,
            "params_deployed": self.params_deployed,
            "params_mapping": self.params_mapping,
            **{f"convolution_macs_transposed_at_{at}": self.convolution_macs[at] for at in CONVENTIONS},
            **{f"macs_transposed_at_{at}": self.macs[at] for at in CONVENTIONS},
            "mapping_macs": self.mapping_macs,
        }


def count_costs(generator: Generator) -> GeneratorCosts:
    """Count what a generator costs, from the operators it lists; nothing is computed.

    Args:
        generator: on any device, the meta device among them.

    Returns:
        Its costs; a student's without its auxiliary heads, but for `params_training`.
    """
    operators = _list(generator.synthesis.blocks())
    mapping = sum_costs(_list(generator.mapping.blocks()))
    convolutions: dict[TransposedAt, int] = {}
    every: dict[TransposedAt, int] = {}
    for at in CONVENTIONS:
        parts = macs_by_part(operators, at)
        every[at] = sum(parts.values())
        convolutions[at] = sum(n for part, n in parts.items() if part not in AROUND_CONVOLUTIONS)
    return GeneratorCosts(
        _count(generator.synthesis),
        sum_costs(operators).params,
        _count(generator.mapping),
        convolutions,
        every,
        mapping.macs,
    )


def _list(blocks: Iterable[Block]) -> list[Operator]:
    return [operator for block in blocks for operator in block.operators]


def _count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())
