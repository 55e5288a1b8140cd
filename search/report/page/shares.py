"""What the page of several systems shows: shares of their unpruned networks, as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from search.problem import Objective
from search.report.figures.figure_style import NEUTRAL, PALETTE
from search.report.figures.quality_shares import StudyShares, find_shares
from search.report.figures.shares_figure import SYMBOLS, shares_figure
from search.report.page.columns import objective_column
from search.report.page.document import write_json
from search.report.page.figures import plain_figure, templates

if TYPE_CHECKING:
    from search.study import StudyRecord

__all__ = ["LEVELS", "shares_json"]

LEVELS = (0.99, 0.95, 0.9)
"""The shares of quality kept that the page tells the cheapest network of."""
_NONE = "–"


def shares_json(
    records: Sequence[StudyRecord],
    costs: Sequence[Objective],
    notes: Sequence[str] = (),
    refresh_s: float | None = None,
) -> str:
    """Write the data of the page, which a page that refreshes itself asks for as `data.json`.

    Args:
        records: one or more studies; the first objective of each is its quality.
        costs: numbers to minimise, each an objective or an attribute of all studies.
        notes: paragraphs.
        refresh_s: how often the page asks for new data, in seconds; None if it doesn't.

    Returns:
        JSON in which no character can end an HTML element.

    Raises:
        SearchError: a study has no shares, as `search.report.figures.quality_shares.find_shares` says.
    """
    studies = [find_shares(record, costs) for record in records]
    data: dict[str, Any] = {
        "studies": [
            {"name": one.name, "colour": PALETTE[i % len(PALETTE)], "symbol": SYMBOLS[i % len(SYMBOLS)]}
            for i, one in enumerate(studies)
        ],
        "figures": [
            {"title": _title(cost), **plain_figure(shares_figure(studies, i))} for i, cost in enumerate(costs)
        ],
        "cheapest": _cheapest(studies, costs),
        "unpruned": _unpruned(studies, costs),
        "paragraphs": [*_readings(studies), *notes],
        "neutral": NEUTRAL,
        "templates": templates(),
        "refresh_s": refresh_s,
    }
    return write_json(data)


def _cheapest(studies: Sequence[StudyShares], costs: Sequence[Objective]) -> dict[str, Any]:
    """For each study and level the least share of each cost, and its trial."""
    rows: list[list[str]] = []
    for study in studies:
        for level in LEVELS:
            found = [study.cheapest(i, level) for i in range(len(costs))]
            rows.append(
                [
                    study.name if level == LEVELS[0] else "",
                    f"{level:.0%}",
                    *(
                        _NONE
                        if row is None
                        else f"{study.shares[i][row]:.1%} (trial {study.points[row].number})"
                        for i, row in enumerate(found)
                    ),
                ]
            )
    return {"heads": ["Study", "Kept at least", *map(_title, costs)], "rows": rows, "words": 2}


def _unpruned(studies: Sequence[StudyShares], costs: Sequence[Objective]) -> dict[str, Any]:
    """Each study's absolute values, of which the others are shares."""
    rows: list[list[str]] = []
    for study in studies:
        kept = [(study.quality, study.unpruned.values[0]), *zip(costs, study.unpruned_values, strict=True)]
        shown = [_shown(objective, value) for objective, value in kept]
        rows.append(
            [study.name, str(study.unpruned.number), f"{_title(study.quality)} {shown[0]}", *shown[1:]]
        )
    return {"heads": ["Study", "Trial", "Quality", *map(_title, costs)], "rows": rows, "words": 1}


def _shown(objective: Objective, value: float) -> str:
    column = objective_column(objective, [value], [value])
    return f"{value / column.factor:,.{column.decimals}f} {column.unit}".rstrip()


def _readings(studies: Sequence[StudyShares]) -> list[str]:
    """What a share is, in words, and what cannot be compared."""
    qualities = {study.quality.name: study.quality for study in studies}
    paragraphs = [
        "The unpruned network of a study is the choice with every option at its largest. It lies at 100% of cost and"
        " 100% of quality, where the dotted lines cross. A cost's share is its value divided by the unpruned network's,"
        " by the same latency table and at the same size of pictures.",
    ]
    for quality in qualities.values():
        formula = (
            "value / unpruned value"
            if quality.direction == "maximize"
            else "(1 − value) / (1 − unpruned value), because less is better and 1 is the worst"
        )
        names = ", ".join(study.name for study in studies if study.quality.name == quality.name)
        paragraphs.append(f"Quality kept of {_title(quality)} ({names}): {formula}.")
    if len(qualities) > 1:
        paragraphs.append(
            "Studies of different qualities share the axes of cost, but 1% of one quality is not 1% of another: compare"
            " where each curve starts to fall, and how steeply, rather than their heights."
        )
    return paragraphs


def _title(objective: Objective) -> str:
    return objective.title or objective.name
