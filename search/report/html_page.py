"""Pages that work offline, each one HTML file: fronts of studies, a bubble chart, predictions."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING

import plotly.graph_objects as go
from numpy.typing import ArrayLike

from search.description import StudyDescription
from search.problem import Objective, Point
from search.report.figures import bubble_figure
from search.report.figures.prediction_figure import PredictionData, prediction_figure
from search.report.figures.series_figure import SeriesData, series_figure
from search.report.page.document import build_document, build_shares_document, page_json
from search.report.page.plotly_bundle import read_bundle
from search.report.page.shares import shares_json
from search.report.page.study import Peer, Shown

if TYPE_CHECKING:
    from search.study import StudyRecord

__all__ = ["bubble_page", "front_page", "overlay_page", "prediction_page", "series_page", "shares_page"]

_STYLE = """
:root { color-scheme: light dark; --ink: #1f2933; --soft: #5b6772; --line: #d9dfe6; --back: #f6f8fa; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6eaee; --soft: #a3adb7; --line: #39424c; --back: #14181d; }
}
body { margin: 0 auto; padding: 1.5rem; max-width: 72rem; background: var(--back); color: var(--ink);
       font: 16px/1.5 system-ui, -apple-system, 'Segoe UI', sans-serif; }
h1 { font-size: 1.5rem; margin: 0; }
p { margin: .25rem 0 1rem; color: var(--soft); }
.figure { background: white; border: 1px solid var(--line); border-radius: 8px; padding: .5rem; }
"""


def front_page(
    record: StudyRecord,
    picked: Point | None = None,
    notes: Sequence[str] = (),
    description: StudyDescription | None = None,
    exact: ArrayLike | None = None,
    peers: Sequence[Peer] = (),
    refresh_s: float | None = None,
) -> str:
    """Lay out the interactive page of a study's Pareto front.

    Args:
        record: the study, of two or more objectives.
        picked: a point to mark.
        notes: paragraphs about the study, plain text.
        description: pictures, parts of values, drawings and commands of points, and titles of names.
        exact: the values (n, k) of the exact front, or of all choices, in the objectives' units, where they are known.
        peers: points that are not of the study, to compare it with.
        refresh_s: how often the page asks the server that it came from for new data, in seconds: what
            `search.report.page.document.page_json` gives, as `data.json`. None for a page that asks for nothing.

    Returns:
        The HTML: one file that asks for nothing, with plotly.js inside (0.6 MB).

    Raises:
        SearchError: the study has one objective, or the exact values have another number of columns.
    """
    shown = Shown(record, description or StudyDescription(), picked, exact, peers)
    return build_document(
        page_json([shown], notes, refresh_s), f"{record.name}: Pareto front", refresh_s is not None
    )


def overlay_page(
    records: Sequence[StudyRecord],
    notes: Sequence[str] = (),
    descriptions: Sequence[StudyDescription] = (),
    refresh_s: float | None = None,
) -> str:
    """Lay out the interactive page of several studies' fronts.

    Args:
        records: studies of the same objectives, two or more.
        notes: paragraphs about the studies, plain text.
        descriptions: of each study, or none.
        refresh_s: how often the page asks the server that it came from for new data, in seconds: what
            `search.report.page.document.page_json` gives, as `data.json`. None for a page that asks for nothing.

    Returns:
        The HTML: one file that asks for nothing, with plotly.js inside (0.6 MB).

    Raises:
        SearchError: the studies' objectives differ, or there is one.
    """
    given = descriptions or [StudyDescription()] * len(records)
    shown = [Shown(record, one) for record, one in zip(records, given, strict=True)]
    names = ", ".join(record.name for record in records)
    return build_document(
        page_json(shown, notes, refresh_s), f"{names}: Pareto fronts", refresh_s is not None
    )


def shares_page(
    records: Sequence[StudyRecord],
    costs: Sequence[Objective],
    notes: Sequence[str] = (),
    whole: str = "largest choice",
    refresh_s: float | None = None,
) -> str:
    """Lay out the page that compares studies of different spaces or objectives, as shares of their largest choices.

    For each cost a figure has the share of its value across, and up the share of quality kept
    (`search.report.figures.quality_shares.StudyShares`); the first objective of a study is its quality.

    Args:
        records: one or more studies.
        costs: numbers to minimise, each an objective or an attribute of all studies, with the titles to show.
        notes: paragraphs about the studies, plain text.
        whole: what people call the largest choice, such as `unpruned network`.
        refresh_s: how often the page asks the server that it came from for new data, in seconds: what
            `search.report.page.shares.shares_json` gives, as `data.json`. None for a page that asks for nothing.

    Returns:
        The HTML: one file that asks for nothing, with plotly.js inside (0.6 MB).

    Raises:
        SearchError: a study has not evaluated its largest choice, a trial lacks a cost, or a quality has no share.
    """
    names = ", ".join(record.name for record in records)
    data = shares_json(records, costs, notes, whole, refresh_s)
    return build_shares_document(data, f"{names}: shares of quality and cost", refresh_s is not None)


def bubble_page(data: bubble_figure.BubbleData, title: str, notes: Sequence[str] = ()) -> str:
    """Lay out the page of a bubble chart.

    Args:
        data: the chart.
        title: the page's title, plain text.
        notes: paragraphs below the chart, plain text.

    Returns:
        The HTML: the chart (plotly.js embedded, 1.2 MB), what its areas show, and notes.
    """
    notes = [f"The area of a circle shows {data.size_title}.", *notes]
    body = f'<div class="figure">{_embed(bubble_figure.bubble_figure(data), "bubbles")}</div>\n{_paragraphs(notes)}'
    return _page(html.escape(title), html.escape(title), body)


def prediction_page(data: PredictionData, title: str, notes: Sequence[str] = ()) -> str:
    """Lay out the page of predicted against measured values.

    Args:
        data: the values.
        title: the page's title, plain text.
        notes: paragraphs above the chart, plain text.

    Returns:
        The HTML: notes and the scatter (plotly.js embedded, 1.2 MB).
    """
    body = f'{_paragraphs(notes)}\n<div class="figure">{_embed(prediction_figure(data), "predictions")}</div>'
    return _page(html.escape(title), html.escape(title), body)


def series_page(data: SeriesData, title: str, notes: Sequence[str] = ()) -> str:
    """Lay out the page of several series of points.

    Args:
        data: the series.
        title: the page's title, plain text.
        notes: paragraphs above the chart, plain text.

    Returns:
        The HTML: notes and the chart (plotly.js embedded, 1.2 MB).

    Raises:
        SearchError: as `series_figure`.
    """
    body = f'{_paragraphs(notes)}\n<div class="figure">{_embed(series_figure(data), "series")}</div>'
    return _page(html.escape(title), html.escape(title), body)


def _paragraphs(notes: Sequence[str]) -> str:
    return "\n".join(f"<p>{html.escape(note)}</p>" for note in notes)


def _embed(figure: go.Figure, name: str) -> str:
    """The figure with plotly.js, in an element of this id."""
    plain = figure.to_html(
        full_html=False,
        include_plotlyjs=False,
        div_id=name,
        config={"responsive": True, "displaylogo": False},
    )
    return f"<script>{read_bundle()}</script>\n{plain}"


def _page(title: str, heading: str, body: str) -> str:
    """Title and heading are escaped by the caller."""
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>{heading}</h1>
{body}
</body>
</html>
"""
