"""What the page shows of a study, as plain data."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Peer"]


@dataclass(frozen=True)
class Peer:
    """A point that is not of the study, to compare it with, such as a published network.

    Attributes:
        name: its name.
        values: a number for each objective, in their order.
    """

    name: str
    values: tuple[float, ...]
