"""What a price is the sum of: the latencies of a network's blocks under names that people understand."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from mfagan.graph.operators import Block
from mfagan.graph.passes import rewrite
from search.latency import LatencyTable

__all__ = ["name_blocks", "price_parts", "price_parts_by"]

Candidate = TypeVar("Candidate")


def name_blocks(keys: Sequence[str], titles: Mapping[str, str]) -> list[str]:
    """Name the blocks of a network by their kinds, numbered from 1 if there are several of one kind.

    Args:
        keys: The blocks' keys in the order they run; a key begins with its kind and a slash or a space, such
            as `cfab/t48/w24`.
        titles: What kinds are called, such as `CFAB` for `cfab`; others are called by their kind.

    Returns:
        A name for each block, such as `CFAB 2`.
    """
    kinds = [titles.get(kind, kind) for kind in (re.split("[/ ]", key)[0] for key in keys)]
    several = {kind for kind, n in Counter(kinds).items() if n > 1}
    return [
        f"{kind} {kinds[: i + 1].count(kind)}" if kind in several else kind for i, kind in enumerate(kinds)
    ]


def price_parts(table: LatencyTable, keys: Sequence[str], names: Sequence[str]) -> list[tuple[str, float]]:
    """Take a price apart.

    Args:
        table: The latency table.
        keys: The keys of a network's blocks, after the table's passes.
        names: A name for each block.

    Returns:
        The name and the latency in ms of each block; `math.fsum` of the latencies is the table's price.

    Raises:
        SearchError: The table lacks a key.
    """
    table.require(keys, table.command)
    return [(name, table.entries[key].latency_ms) for name, key in zip(names, keys, strict=True)]


def price_parts_by(
    table: LatencyTable, blocks: Callable[[Candidate], Sequence[Block]], titles: Mapping[str, str]
) -> Callable[[Candidate], Sequence[tuple[str, float]]]:
    """What takes prices of a system's networks apart.

    Args:
        table: The latency table.
        blocks: Gives the blocks of a network before any pass.
        titles: As for `name_blocks`.

    Returns:
        A function of a network, whose answer is that of `price_parts`.
    """

    def parts(candidate: Candidate) -> list[tuple[str, float]]:
        listed = blocks(candidate)
        keys = [block.key for block in rewrite(listed, table.passes).blocks]
        return price_parts(table, keys, name_blocks([block.key for block in listed], titles))

    return parts
