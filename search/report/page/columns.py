"""Columns of numbers and texts with the labels and the digits that people read."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from search.problem import JSON, Objective, Point
from search.report.text.point_text import format_value

__all__ = ["NumberColumn", "TextColumn", "attribute_columns", "objective_column", "title_of"]

_TITLES = {
    "params": "Parameters",
    "flops": "FLOPs",
    "macs": "MACs",
    "memory_bytes": "Memory traffic (B)",
}
_UNITS = {
    "bytes": "B",
    "ms": "ms",
    "us": "µs",
    "s": "s",
    "db": "dB",
    "mb": "MB",
    "px": "px",
    "mm": "mm",
    "g": "g",
}
_PREFIXES = ((1e12, 1e12, "T"), (1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k"))
"""From which median on a prefix is written, its size, and the prefix; 9,999 is short enough without one."""
_SIGNIFICANT = 7
"""Digits that the page keeps of a number, for its file."""


@dataclass(frozen=True)
class NumberColumn:
    """Numbers of the trials, and how people read them.

    Attributes:
        name: of the objective or attribute.
        label: its title with the unit of the shown numbers, such as `FLOPs (G)`.
        unit: the unit of the shown numbers.
        factor: what a number is divided by to be shown.
        decimals: digits after the point that are shown.
        numbers: a number for each trial, seven digits of it; None if the trial has none.
    """

    name: str
    label: str
    unit: str
    factor: float
    decimals: int
    numbers: list[float | None] = field(repr=False)


@dataclass(frozen=True)
class TextColumn:
    """Texts of the trials.

    Attributes:
        name: of the attribute.
        label: its title.
        texts: the distinct texts.
        picked: for each trial the index of its text; None if it has none.
    """

    name: str
    label: str
    texts: list[str]
    picked: list[int | None] = field(repr=False)


def title_of(name: str, titles: Mapping[str, str]) -> str:
    """Find what people read instead of the name of a choice or an attribute.

    Args:
        name: the name, such as `diameter_mm`.
        titles: titles by name, which come first.

    Returns:
        The title, such as `Diameter (mm)`.
    """
    if name in titles:
        return titles[name]
    if name in _TITLES:
        return _TITLES[name]
    stem, _, unit = name.rpartition("_")
    words, shown = (stem, f" ({_UNITS[unit]})") if stem and unit in _UNITS else (name, "")
    words = words.replace("_", " ").strip() or name
    return words[0].upper() + words[1:] + shown if words else name


def objective_column(objective: Objective, numbers: Sequence[float], front: Sequence[float]) -> NumberColumn:
    """Lay out the values of an objective.

    Args:
        objective: the objective.
        numbers: its value for each trial.
        front: its values on the front, whose range says how many digits are shown.

    Returns:
        The column.
    """
    title = objective.title or objective.name
    return _number_column(objective.name, title, objective.unit, list(numbers), front or numbers)


def attribute_columns(
    points: Sequence[Point], titles: Mapping[str, str], omit: Iterable[str]
) -> list[NumberColumn | TextColumn]:
    """Lay out the attributes of trials.

    Args:
        points: the trials.
        titles: titles by name.
        omit: names of attributes to leave out.

    Returns:
        A column for each attribute, in the order they come in the trials.
    """
    left_out = set(omit)
    names = dict.fromkeys(name for point in points for name in point.attributes if name not in left_out)
    return [
        _attribute_column(name, title_of(name, titles), [p.attributes.get(name) for p in points])
        for name in names
    ]


def _attribute_column(name: str, title: str, values: list[JSON]) -> NumberColumn | TextColumn:
    given = [value for value in values if value is not None]
    numbers = [
        float(value) for value in given if isinstance(value, (int, float)) and not isinstance(value, bool)
    ]
    if len(numbers) == len(given):
        stem, unit = _split_unit(title)
        column = [None if value is None else float(value) for value in values]  # pyright: ignore[reportArgumentType]
        return _number_column(name, stem, unit, column, numbers)
    texts = [None if value is None else format_value(value) for value in values]
    distinct = list(dict.fromkeys(text for text in texts if text is not None))
    places = {text: index for index, text in enumerate(distinct)}
    return TextColumn(name, title, distinct, [None if text is None else places[text] for text in texts])


def _split_unit(title: str) -> tuple[str, str]:
    """`Memory (B)` as its words and its unit."""
    stem, bracket, rest = title.rpartition(" (")
    if not bracket or not rest.endswith(")"):
        return title, ""
    return stem, "B" if rest == "bytes)" else rest[:-1]


def _number_column(
    name: str, title: str, unit: str, numbers: Sequence[float | None], range_of: Sequence[float]
) -> NumberColumn:
    given = [abs(number) for number in numbers if number is not None]
    factor, prefix = 1.0, ""
    if unit in ("", "B"):
        usual = statistics.median(given) if given else 0.0
        factor, prefix = next(((size, p) for least, size, p in _PREFIXES if usual >= least), (1.0, ""))
    shown_unit = prefix + unit
    return NumberColumn(
        name,
        f"{title} ({shown_unit})" if shown_unit else title,
        shown_unit,
        factor,
        _decimals([number / factor for number in range_of]),
        [None if number is None else _round(number) for number in numbers],
    )


def _decimals(numbers: Sequence[float]) -> int:
    """Digits after the point that tell a five-hundredth part of the range of numbers."""
    if not numbers or all(number == round(number) for number in numbers):
        return 0
    span = max(numbers) - min(numbers)
    size = span if span > 0 else max(map(abs, numbers))
    return min(6, max(0, 2 - math.floor(math.log10(size)))) if size > 0 else 0


def _round(number: float) -> float | int:
    rounded = float(f"{number:.{_SIGNIFICANT}g}")
    return int(rounded) if rounded.is_integer() and abs(rounded) < 1e15 else rounded
