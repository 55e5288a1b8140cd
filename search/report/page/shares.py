"""What the page of studies of several spaces shows: shares of their largest choices, as plain data."""

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
    whole: str = "largest choice",
    refresh_s: float | None = None,
) -> str:
    """Write the data of the page, which a page that refreshes itself asks for as `data.json`.

    Args:
        records: one or more studies; the first objective of each is its quality.
        costs: numbers to minimise, each an objective or an attribute of all studies.
        notes: paragraphs.
        whole: what people call the largest choice.
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
            {"title": _title(cost), **plain_figure(shares_figure(studies, i, whole))}
            for i, cost in enumerate(costs)
        ],
        "whole": whole,
        "heads": ["Quality kept", *map(_title, costs)],
        "groups": _groups(studies, whole),
        "paragraphs": [*_readings(studies, whole), *notes],
        "neutral": NEUTRAL,
        "templates": templates(),
        "refresh_s": refresh_s,
    }
    return write_json(data)


def _groups(studies: Sequence[StudyShares], whole: str) -> list[dict[str, Any]]:
    """For each study what its largest choice costs, and for each level the least share of each cost."""
    return [
        {
            "name": study.name,
            "quality": f"{_title(study.quality)} {_shown(study.quality, study.largest.values[0])}",
            "rows": [
                [
                    [whole, f"trial {study.largest.number}"],
                    *(
                        [_shown(cost, value), ""]
                        for cost, value in zip(study.costs, study.largest_values, strict=True)
                    ),
                ],
                *(
                    [
                        [f"≥\N{NO-BREAK SPACE}{level:.0%}", ""],
                        *(_cell(study, i, level) for i in range(len(study.costs))),
                    ]
                    for level in LEVELS
                ),
            ],
        }
        for study in studies
    ]


def _cell(study: StudyShares, cost: int, level: float) -> list[str]:
    """The least share of a cost at a level, and its value and trial."""
    row = study.cheapest(cost, level)
    if row is None:
        return [_NONE, ""]
    value = _shown(study.costs[cost], study.values[cost][row])
    return [f"{study.shares[cost][row]:.1%}", f"{value}, trial\N{NO-BREAK SPACE}{study.points[row].number}"]


def _shown(objective: Objective, value: float) -> str:
    column = objective_column(objective, [value], [value])
    return f"{value / column.factor:,.{column.decimals}f} {column.unit}".rstrip()


def _readings(studies: Sequence[StudyShares], whole: str) -> list[str]:
    """What a share is, in words, and what cannot be compared."""
    qualities = {_title(study.quality): study.quality for study in studies}
    paragraphs = [
        f"The {whole} of a study has every option at its largest. It lies at 100% of cost and 100% of quality, where"
        f" the dotted lines cross. A share of a cost is its value / the {whole}'s.",
    ]
    for title, quality in qualities.items():
        formula = (
            f"value / the {whole}'s"
            if quality.direction == "maximize"
            else f"(1 − value) / (1 − the {whole}'s), because less is better and 1 is the worst"
        )
        names = ", ".join(study.name for study in studies if _title(study.quality) == title)
        paragraphs.append(f"Share kept of {title} ({names}): {formula}.")
    if len(qualities) > 1:
        paragraphs.append(
            "Studies of different qualities share the axes of cost, but 1% of one quality is not 1% of another: compare"
            " where each curve starts to fall, and how steeply, rather than their heights."
        )
    return paragraphs


def _title(objective: Objective) -> str:
    return objective.title or objective.name
