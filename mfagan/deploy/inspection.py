"""What is in an exported file: its operators, and how its runtime takes them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Inspection", "inspect_operators"]

_DELEGATE = "DELEGATE"


@dataclass(frozen=True)
class Inspection:
    """What is in an exported file.

    Args:
        operators: kind -> how many, the most frequent first.
        partitions: parts of the graph that XNNPACK, the CPU library of LiteRT, takes; None for another runtime.
    """

    operators: dict[str, int]
    partitions: int | None

    def as_dict(self) -> dict[str, object]:
        """Plain data."""
        return {"operators": self.operators, "partitions": self.partitions}


def inspect_operators(listed: Iterable[str]) -> Inspection:
    """Count a TFLite file's operators.

    Args:
        listed: the name of each, as `litert.Session.list_operators` gives them.
    """
    names = Counter(listed)
    partitions = names.pop(_DELEGATE, 0)
    return Inspection(dict(names.most_common()), partitions)
