"""Figures of a benchmark: ratios of two things timed in turn, each with its aim, as a table."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mfagan.evaluation.text_table import Column, format_text

__all__ = [
    "Measurement",
    "at_least",
    "at_most",
    "format_rows",
    "ratio_in_turn",
    "rounds_in_turn",
    "seconds_of",
]

REPEATS = 15


@dataclass(frozen=True)
class Measurement:
    """One figure; `aim` is the largest (`at_most`) or smallest value that meets it, None where there is no aim."""

    name: str
    value: float
    unit: str
    aim: float | None = None
    met: bool | None = None


def at_most(name: str, value: float, unit: str, aim: float) -> Measurement:
    """A figure whose aim is an upper limit.

    Args:
        name: what was measured.
        value: the figure.
        unit: its unit.
        aim: the largest value that meets the aim.

    Returns:
        The figure with its aim and whether it is met.
    """
    return Measurement(name, value, unit, aim, value <= aim)


def at_least(name: str, value: float, unit: str, aim: float) -> Measurement:
    """A figure whose aim is a lower limit.

    Args:
        name: what was measured.
        value: the figure.
        unit: its unit.
        aim: the smallest value that meets the aim.

    Returns:
        The figure with its aim and whether it is met.
    """
    return Measurement(name, value, unit, aim, value >= aim)


def ratio_in_turn(first: Callable[[], object], second: Callable[[], object], repeats: int = REPEATS) -> float:
    """Time two things against each other, each pair run back to back.

    Args:
        first: the one whose time is divided.
        second: the one it is divided by.
        repeats: how many pairs are timed, after a warm-up.

    Returns:
        The median of the pairs' ratios.
    """
    return statistics.median(
        one / other for one, other in zip(*rounds_in_turn([first, second], repeats), strict=True)
    )


def rounds_in_turn(runs: Sequence[Callable[[], object]], repeats: int = REPEATS) -> list[list[float]]:
    """Time several things against one another: each round runs all of them, every other round backwards.

    Args:
        runs: what to call.
        repeats: how many rounds are timed, after a warm-up.

    Returns:
        For each its time in every round, in seconds of wall time.
    """
    for warm_up in runs:
        warm_up()
    found: list[list[float]] = [[] for _ in runs]
    places = range(len(runs))
    for i in range(repeats):
        for place in places if i % 2 else reversed(places):  # none is always the one that runs first
            found[place].append(seconds_of(runs[place]))
    return found


def seconds_of(run: Callable[[], object]) -> float:
    """Time one call.

    Args:
        run: what to call.

    Returns:
        Wall time in seconds.
    """
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def format_rows(rows: Sequence[Measurement]) -> str:
    """Write measurements as a table for the terminal.

    Args:
        rows: the measurements.

    Returns:
        The table; the last column says whether each aim is met.
    """
    columns = [Column(""), Column("value", form=".3f"), Column("aim", form="g"), Column("unit"), Column("")]
    met = {True: "met", False: "missed", None: ""}
    cells = [
        [row.name, row.value, "" if row.aim is None else row.aim, row.unit, met[row.met]] for row in rows
    ]
    return format_text(columns, cells)
