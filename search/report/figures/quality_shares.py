"""What the points of a study cost and keep, as shares of its largest choice: axes that studies of any spaces share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from search import pareto
from search.errors import SearchError
from search.problem import Choice, Objective, Point

if TYPE_CHECKING:
    from search.study import StudyRecord

__all__ = ["StudyShares", "find_shares", "largest_choice"]


@dataclass(frozen=True)
class StudyShares:
    """The points of a study as shares of its largest choice.

    Attributes:
        name: the study's name.
        quality: its first objective.
        costs: numbers to minimise.
        largest: the trial of the largest choice, feasible or not.
        points: the distinct feasible trials, by number.
        kept: of each point the share of quality kept, from its value v and the largest choice's u: v / u of a quality
            to maximise, (1 - v) / (1 - u) of one to minimise, which lies in [0, 1]. 1 is the largest choice's; there
            may be more.
        largest_values: the largest choice's cost in the cost's unit, for each cost.
        values: the costs of each point in their units: a tuple for each cost.
        shares: the costs of each point as shares of the largest choice's: a tuple for each cost.
    """

    name: str
    quality: Objective
    costs: tuple[Objective, ...]
    largest: Point
    points: tuple[Point, ...]
    kept: tuple[float, ...]
    largest_values: tuple[float, ...]
    values: tuple[tuple[float, ...], ...]
    shares: tuple[tuple[float, ...], ...]

    def front(self, cost: int) -> list[int]:
        """Find the points that no other beats in the shares of one cost and of quality.

        Args:
            cost: the index of the cost.

        Returns:
            Their indices, from the cheapest.
        """
        pairs = list(zip(self.shares[cost], self.kept, strict=True))
        if not pairs:
            return []
        mask = pareto.front_mask(pairs, ["minimize", "maximize"])
        return sorted((i for i, best in enumerate(mask) if best), key=lambda i: (pairs[i], i))

    def cheapest(self, cost: int, kept: float) -> int | None:
        """Find the cheapest point that keeps a share of quality.

        Args:
            cost: the index of the cost.
            kept: the least share of quality.

        Returns:
            Its index, or None if no point keeps so much.
        """
        able = [i for i, share in enumerate(self.kept) if share >= kept]
        return min(able, key=lambda i: (self.shares[cost][i], -self.kept[i], i), default=None)


def largest_choice(record: StudyRecord) -> Choice:
    """Find the choice whose every option is the largest: where options are widths, the unpruned network.

    Args:
        record: a study whose options are numbers.

    Returns:
        The choice.

    Raises:
        SearchError: an option is a text.
    """
    largest: Choice = {}
    for name, options in record.choices.items():
        numbers = [option for option in options if not isinstance(option, str)]
        if len(numbers) < len(options):
            raise SearchError(
                f"study {record.name!r}: choice {name!r} has the option {_first_text(options)!r}, so none is the"
                " largest choice, of which shares are taken; name a study whose options are numbers"
            )
        largest[name] = max(numbers)
    return largest


def find_shares(record: StudyRecord, costs: Sequence[Objective]) -> StudyShares:
    """Divide what the points of a study cost and keep by what its largest choice does.

    Args:
        record: the study; its first objective is the quality.
        costs: numbers to minimise, each an objective of the study or an attribute of all its trials.

    Returns:
        The shares.

    Raises:
        SearchError: the largest choice was not evaluated; a trial lacks a cost, or the largest choice's is not above
            0; or the quality has no share: a maximum of 0 or less, a value to minimise outside [0, 1], or a minimum
            of 1.
    """
    choice = largest_choice(record)
    largest = next((point for point in pareto.distinct(record.points) if point.choice == choice), None)
    if largest is None:
        options = ", ".join(f"{name} {option}" for name, option in choice.items())
        raise SearchError(
            f"study {record.name!r} has not evaluated its largest choice ({options}), of which shares are taken:"
            " search again in a study of another name with a sampler that evaluates it first, such as nsga2"
        )
    points = pareto.distinct([point for point in record.points if point.feasible])
    wholes = [_require_cost(record, cost, largest) for cost in costs]
    for cost, whole in zip(costs, wholes, strict=True):
        if not whole > 0:
            raise SearchError(
                f"study {record.name!r}: {cost.name!r} of the largest choice is {whole:g}, of which nothing is a"
                " share; name another study"
            )
    values = [tuple(_require_cost(record, cost, point) for point in points) for cost in costs]
    quality = record.objectives[0]
    return StudyShares(
        record.name,
        quality,
        tuple(costs),
        largest,
        tuple(points),
        tuple(_share_kept(record.name, quality, point.values[0], largest.values[0]) for point in points),
        tuple(wholes),
        tuple(values),
        tuple(tuple(one / whole for one in row) for row, whole in zip(values, wholes, strict=True)),
    )


def _first_text(options: Sequence[object]) -> str:
    return next(option for option in options if isinstance(option, str))


def _require_cost(record: StudyRecord, cost: Objective, point: Point) -> float:
    names = [objective.name for objective in record.objectives]
    found = point.values[names.index(cost.name)] if cost.name in names else point.attributes.get(cost.name)
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        raise SearchError(
            f"study {record.name!r}: trial {point.number} has no number {cost.name!r}, which is compared; name"
            " studies that know it"
        )
    return float(found)


def _share_kept(name: str, quality: Objective, value: float, largest: float) -> float:
    """The share of quality that a value keeps of the largest choice's, as `StudyShares.kept` says."""
    if quality.direction == "maximize":
        if not largest > 0:
            raise SearchError(
                f"study {name!r}: {quality.name!r} of the largest choice is {largest:g}, of which nothing is a"
                " share; name a study whose quality is above 0"
            )
        return value / largest
    for found in (largest, value):
        if not 0 <= found <= 1:
            raise SearchError(
                f"study {name!r}: {quality.name!r} is minimised and reaches {found:g}, so 1 - value is no share of"
                " quality kept; name a study whose quality is maximised or lies in [0, 1]"
            )
    if largest == 1:
        raise SearchError(
            f"study {name!r}: {quality.name!r} of the largest choice is 1, the worst: nothing is a share of it; name"
            " another study"
        )
    return (1 - value) / (1 - largest)
