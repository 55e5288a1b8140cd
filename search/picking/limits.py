"""Limits on what may be picked: ceilings on figures that should be low, floors under objectives that are maximised."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from search.errors import SearchError
from search.picking.number_text import plain_number, round_outwards
from search.problem import Objective, Point

__all__ = ["Limit", "apply_limits", "describe_limits"]


@dataclass(frozen=True)
class Limit:
    """A ceiling on a minimised objective or a numeric attribute, or a floor under a maximised objective.

    Attributes:
        name: that of the objective, or of an attribute that is a number in every trial.
        value: the limit, in `unit`; a point that is just at it is admitted.
        unit: what people read after the value, such as `GFLOPs`; empty for the objective's own unit.
        scale: how many of the objective's or attribute's own units one of `unit` is, such as 1e9.
        option: what errors tell people to change, such as `--max-latency-ms`; empty for `the limit on NAME`.
    """

    name: str
    value: float
    unit: str = ""
    scale: float = 1.0
    option: str = ""


def apply_limits(
    points: Sequence[Point], objectives: Sequence[Objective], limits: Sequence[Limit]
) -> list[Point]:
    """Find the points that every limit admits.

    Args:
        points: finished trials, at least one.
        objectives: those of the problem.
        limits: the limits.

    Returns:
        The points, in their order.

    Raises:
        SearchError: a limit on something that is no objective and no number of every point, a limit that is not a
            number, or limits that admit no point: the error names the nearest one, which exceeds them least in sum,
            each excess taken as a share of the figure's range over the points.
    """
    bounds = [_Bound.of(limit, points, objectives) for limit in limits]
    admitted = [point for point in points if all(bound.excess(point) <= 0 for bound in bounds)]
    if admitted:
        return admitted
    nearest = min(points, key=lambda p: (sum(bound.excess_share(p) for bound in bounds), p.number))
    exceeded = [bound for bound in bounds if bound.excess(nearest) > 0]
    figures = " and ".join(bound.text(bound.reachable(nearest)) for bound in exceeded)
    remedies = " and ".join(bound.remedy(nearest) for bound in exceeded)
    raise SearchError(
        f"no finished trial fits ({_join(bounds)}): the nearest is trial {nearest.number}: {figures}; {remedies}"
    )


def describe_limits(limits: Sequence[Limit], objectives: Sequence[Objective]) -> str:
    """Say in words what limits admit.

    Args:
        limits: the limits.
        objectives: those of the problem.

    Returns:
        Such as `under 20 ms and 30,000 parameters`; empty for no limits.
    """
    return _join([_Bound.of(limit, (), objectives) for limit in limits])


@dataclass(frozen=True)
class _Bound:
    """A limit with what it is on."""

    limit: Limit
    column: int | None
    """Of the objective; None for an attribute."""
    is_floor: bool
    unit: str
    span: float
    """Range of the figure over the points, in the limit's unit; 1 if they are all equal."""

    @classmethod
    def of(cls, limit: Limit, points: Sequence[Point], objectives: Sequence[Objective]) -> _Bound:
        names = [objective.name for objective in objectives]
        column = names.index(limit.name) if limit.name in names else None
        own_unit = "" if column is None else objectives[column].unit
        unit = limit.unit or own_unit
        if math.isnan(limit.value):
            what = limit.option or f"the limit on {limit.name}"
            raise SearchError(f"{what} is {limit.value!r}: give a number{f' in {unit}' if unit else ''}")
        is_floor = column is not None and objectives[column].direction == "maximize"
        bound = cls(limit, column, is_floor, unit, 1.0)
        figures = [bound.figure(point) for point in points]
        span = max(figures) - min(figures) if figures else 0.0
        return cls(limit, column, is_floor, unit, span or 1.0)

    def figure(self, point: Point) -> float:
        """What is limited, in the limit's unit."""
        if self.column is not None:
            return point.values[self.column] / self.limit.scale
        found = point.attributes.get(self.limit.name)
        if isinstance(found, bool) or not isinstance(found, (int, float)):
            raise SearchError(
                f"trial {point.number} has no number {self.limit.name!r} to limit: name an objective or attribute"
            )
        return found / self.limit.scale

    def excess(self, point: Point) -> float:
        """How far beyond the limit, positive where the point is not admitted."""
        distance = self.figure(point) - self.limit.value
        return -distance if self.is_floor else distance

    def excess_share(self, point: Point) -> float:
        return max(0.0, self.excess(point)) / self.span

    def reachable(self, point: Point) -> str:
        """The limit in three digits that would admit the point."""
        return round_outwards(self.figure(point), up=not self.is_floor)

    def remedy(self, point: Point) -> str:
        what = self.limit.option or f"the limit on {self.limit.name}"
        return f"{'lower' if self.is_floor else 'raise'} {what} to {self.reachable(point)}"

    def text(self, number: str | None = None) -> str:
        number = plain_number(float(self.limit.value if number is None else number))
        return f"{number} {self.unit}" if self.unit else f"{self.limit.name} {number}"


def _join(bounds: Sequence[_Bound]) -> str:
    ceilings = " and ".join(bound.text() for bound in bounds if not bound.is_floor)
    floors = " and ".join(bound.text() for bound in bounds if bound.is_floor)
    parts = [f"under {ceilings}" if ceilings else "", f"with at least {floors}" if floors else ""]
    return ", ".join(part for part in parts if part)
