"""What is in an exported file: its operators, and how its runtime takes them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

__all__ = ["Inspection", "inspect_operators"]

_DELEGATE = "DELEGATE"


@dataclass(frozen=True)
class Inspection:
    """What is in an exported file.

    Args:
        operators: kind -> how many, the most frequent first.
        partitions: parts of the graph that XNNPACK, the CPU library of LiteRT, takes; None for another runtime.
        in_float: those of the operators that give floats; empty for an ONNX file in floats.
    """

    operators: dict[str, int]
    partitions: int | None
    in_float: dict[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, object]:
        """Plain data."""
        return {"operators": self.operators, "partitions": self.partitions, "in_float": self.in_float}


def inspect_operators(listed: Iterable[tuple[str, bool]]) -> Inspection:
    """Count a TFLite file's operators.

    Args:
        listed: the name of each and whether it gives floats, as `litert.Session.list_operators` gives them.
    """
    listed = list(listed)
    names = Counter(name for name, _ in listed)
    partitions = names.pop(_DELEGATE, 0)
    in_float = Counter(name for name, gives_floats in listed if gives_floats and name != _DELEGATE)
    return Inspection(dict(names.most_common()), partitions, dict(in_float.most_common()))
