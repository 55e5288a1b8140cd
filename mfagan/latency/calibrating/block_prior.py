"""What is believed of a device's block prices before any network is measured there: those of another device, up to
factors that blocks of one kind and of one width share."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mfagan.graph.costs import sum_costs
from mfagan.graph.operators import Block
from search.latency import LatencyTable

__all__ = ["BlockPrior", "Deviation"]

Floats = NDArray[np.float64]

_SCALE = 3.0
"""Standard deviation of the logarithm of the one factor that all blocks share: it is as good as unknown."""
_FLOPS_PER_BYTE = 5
"""How many FLOPs take as long as a byte of memory traffic, where nothing was measured at all."""


@dataclass(frozen=True)
class Deviation:
    """How far a device is from the prior: standard deviations of the logarithms of factors.

    kind: of the factor that blocks of one kind share, such as all CFABs.
    part: of the factors that blocks of one kind and one width share, such as all CFABs of 48 channels inside.
    own: of each block's own factor.
    noise: of the measurement of a network.
    """

    kind: float
    part: float
    own: float
    noise: float


@dataclass(frozen=True)
class BlockPrior:
    """Prices of blocks on another device, or guessed from their costs; only their ratios count.

    keys: the blocks; the parts of a key stand between slashes, first its kind.
    latency_ms: (len(keys),), positive.
    """

    keys: tuple[str, ...]
    latency_ms: Floats

    @classmethod
    def from_table(cls, table: LatencyTable, keys: Iterable[str], remedy: str) -> Self:
        """The prices of a table.

        Args:
            table: Another device's.
            keys: Blocks that need a price; the table's other blocks come along.
            remedy: The command that builds a table with all of them, for the error.

        Raises:
            SearchError: The table lacks keys.
        """
        table.require(keys, remedy)
        prices = [entry.latency_ms for entry in table.entries.values()]
        return cls(tuple(table.entries), np.array(prices))

    @classmethod
    def from_costs(cls, blocks: Mapping[str, Block]) -> Self:
        """Guesses from FLOPs and memory traffic.

        Args:
            blocks: Key -> block.
        """
        costs = [sum_costs(block.operators) for block in blocks.values()]
        guesses = [one.flops + _FLOPS_PER_BYTE * one.memory_bytes for one in costs]
        return cls(tuple(blocks), np.array(guesses, float) / 1e9)

    def count(self, networks: Sequence[Mapping[str, int]]) -> Floats:
        """How often each network has each block.

        Args:
            networks: Of each network, key -> how often; every key must be among `keys`.

        Returns:
            (networks, keys).
        """
        places = {key: i for i, key in enumerate(self.keys)}
        counts = np.zeros((len(networks), len(self.keys)))
        for row, network in zip(counts, networks, strict=True):
            for key, count in network.items():
                row[places[key]] = count
        return counts

    def covariance(self, deviation: Deviation) -> Floats:
        """Covariance of the logarithms of the blocks' factors.

        Args:
            deviation: How far the device may be from this prior.

        Returns:
            (keys, keys).
        """
        shared = deviation.kind**2 * self._same_kind + deviation.part**2 * self._shared_parts
        return _SCALE**2 + shared + deviation.own**2 * np.eye(len(self.keys))

    @cached_property
    def _same_kind(self) -> Floats:
        kinds = np.array([key.split("/")[0] for key in self.keys])
        return (kinds[:, None] == kinds).astype(float)

    @cached_property
    def _shared_parts(self) -> Floats:
        """The share of their parts that two blocks of one kind have in common."""
        parts = [key.split("/")[1:] for key in self.keys]
        alike = [
            [sum(x == y for x, y in zip(a, b, strict=False)) / max(len(a), len(b), 1) for b in parts]
            for a in parts
        ]
        return self._same_kind * np.array(alike)
