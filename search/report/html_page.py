"""Pages that work offline, each one HTML file: a study's Pareto front with its table, and a bubble chart."""

from __future__ import annotations

import html
from collections.abc import Container, Sequence
from typing import TYPE_CHECKING

import plotly.graph_objects as go
from numpy.typing import ArrayLike

from search import pareto
from search.description import StudyDescription
from search.problem import Objective, Point
from search.report import bubble_figure, pareto_figure
from search.report.overlay_figure import overlay_figure
from search.report.page.study_view import Peer
from search.report.point_text import describe, shared_texts
from search.report.prediction_figure import PredictionData, prediction_figure

if TYPE_CHECKING:
    from search.study import StudyRecord

__all__ = ["bubble_page", "front_page", "overlay_page", "prediction_page"]

_STYLE = """
:root { color-scheme: light dark;
        --ink: #1f2933; --soft: #5b6772; --line: #d9dfe6; --back: #f6f8fa; --mark: #fdeadd; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6eaee; --soft: #a3adb7; --line: #39424c; --back: #14181d; --mark: #4a2a17; }
}
body { margin: 0 auto; padding: 1.5rem; max-width: 72rem; background: var(--back); color: var(--ink);
       font: 16px/1.5 system-ui, -apple-system, 'Segoe UI', sans-serif; }
h1 { font-size: 1.5rem; margin: 0; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
p { margin: .25rem 0 1rem; color: var(--soft); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; font-size: .9rem; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
.figure { background: white; border: 1px solid var(--line); border-radius: 8px; padding: .5rem; }
.table { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums;
        white-space: nowrap; }
th, td { padding: .3rem .7rem; border-bottom: 1px solid var(--line); text-align: right; }
th { cursor: pointer; color: var(--soft); font-weight: 600; }
tr.picked { background: var(--mark); }
"""

_SORT = """
for (const head of document.querySelectorAll("th")) head.addEventListener("click", () => {
  const column = head.cellIndex, body = head.closest("table").tBodies[0];
  const sign = head.dataset.sign = head.dataset.sign === "1" ? -1 : 1;
  const key = row => row.cells[column].textContent;
  const number = text => Number(text.replaceAll(",", ""));
  const compare = (a, b) => number(a) - number(b) || a.localeCompare(b);
  body.append(...[...body.rows].sort((a, b) => sign * compare(key(a), key(b))));
});
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
    """Lay out the page of a study's Pareto front.

    Args:
        record: the study, of two or more objectives.
        picked: a point to mark.
        notes: paragraphs below the table, plain text.

    Returns:
        The HTML: figure (plotly.js embedded, about 5 MB), the front's table, notes, and what the values depend on.

    Raises:
        SearchError: the study has one objective.
    """
    best = pareto.front(record.points, record.objectives)
    data = pareto_figure.front_data(record.points, record.objectives, picked)
    figure = _embed(pareto_figure.pareto_figure(data), "front")
    n_infeasible = sum(not point.feasible for point in record.points)
    counts = f"{record.n_trials} finished trials of {record.n_unique_trials} distinct choices"
    counts += f", {n_infeasible} over a limit" if n_infeasible else ""
    goals = "; ".join(f"{objective.direction} {objective.label}" for objective in record.objectives)
    # A fact of the trials that has the name of another fact about the study stays a column.
    shared = shared_texts(record.points).items()
    common = {name: text for name, text in shared if record.identity.get(name, text) == text}
    facts = "".join(
        f"<dt>{html.escape(name)}</dt><dd>{html.escape(text)}</dd>"
        for name, text in {**record.origin, **record.identity, **common}.items()
    )
    shown = [*best, picked] if picked and picked.number not in {point.number for point in best} else best
    body = f"""<p>{counts}, {len(best)} on the front. {html.escape(goals)}.</p>
<div class="figure">{figure}</div>
<h2>The front</h2>
<p>Click a column's head to sort by it.</p>
<div class="table">{_table(shown, record.objectives, picked, common)}</div>
{_paragraphs(notes)}
<h2>What the values depend on</h2>
<dl>{facts or "<dt>not recorded</dt>"}</dl>
<script>{_SORT}</script>"""
    name = html.escape(record.name)
    return _page(f"{name}: Pareto front", f"Pareto front of {name}", body)


def bubble_page(data: bubble_figure.BubbleData, title: str, notes: Sequence[str] = ()) -> str:
    """Lay out the page of a bubble chart.

    Args:
        data: the chart.
        title: the page's title, plain text.
        notes: paragraphs below the chart, plain text.

    Returns:
        The HTML: the chart (plotly.js embedded, about 5 MB), what its areas show, and notes.
    """
    notes = [f"The area of a circle shows {data.size_title}.", *notes]
    body = f'<div class="figure">{_embed(bubble_figure.bubble_figure(data), "bubbles")}</div>\n{_paragraphs(notes)}'
    return _page(html.escape(title), html.escape(title), body)


def overlay_page(
    records: Sequence[StudyRecord],
    notes: Sequence[str] = (),
    descriptions: Sequence[StudyDescription] = (),
    refresh_s: float | None = None,
) -> str:
    """Lay out the page of several studies' fronts.

    Args:
        records: studies of the same objectives, two or more.
        notes: paragraphs below the figure, plain text.

    Returns:
        The HTML: the figure (plotly.js embedded, about 5 MB), notes, and what the values of each study depend on.

    Raises:
        SearchError: the studies' objectives differ.
    """
    facts = "".join(
        f"<h2>{html.escape(record.name)}</h2>\n<dl>"
        + "".join(
            f"<dt>{html.escape(name)}</dt><dd>{html.escape(text)}</dd>"
            for name, text in {**record.origin, **record.identity, **shared_texts(record.points)}.items()
        )
        + "</dl>"
        for record in records
    )
    body = f'<div class="figure">{_embed(overlay_figure(records), "fronts")}</div>\n{_paragraphs(notes)}\n{facts}'
    names = html.escape(", ".join(record.name for record in records))
    return _page(f"{names}: Pareto fronts", f"Pareto fronts of {names}", body)


def prediction_page(data: PredictionData, title: str, notes: Sequence[str] = ()) -> str:
    """Lay out the page of predicted against measured values.

    Args:
        data: the values.
        title: the page's title, plain text.
        notes: paragraphs above the chart, plain text.

    Returns:
        The HTML: notes and the scatter (plotly.js embedded, about 5 MB).
    """
    body = f'{_paragraphs(notes)}\n<div class="figure">{_embed(prediction_figure(data), "predictions")}</div>'
    return _page(html.escape(title), html.escape(title), body)


def _paragraphs(notes: Sequence[str]) -> str:
    return "\n".join(f"<p>{html.escape(note)}</p>" for note in notes)


def _embed(figure: go.Figure, name: str) -> str:
    """The figure with plotly.js, in an element of this id."""
    return figure.to_html(
        full_html=False,
        include_plotlyjs=True,
        div_id=name,
        config={"responsive": True, "displaylogo": False},
    )


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


def _table(
    points: Sequence[Point], objectives: Sequence[Objective], picked: Point | None, omit: Container[str]
) -> str:
    described = [describe(point, objectives, omit) for point in points]
    columns = list(dict.fromkeys(label for rows in described for label in rows))
    head = "".join(f"<th>{html.escape(label)}</th>" for label in columns)
    body = []
    for point, rows in zip(points, described, strict=True):
        cells = "".join(f"<td>{html.escape(rows.get(label, ''))}</td>" for label in columns)
        mark = ' class="picked"' if picked is not None and point.number == picked.number else ""
        body.append(f"<tr{mark}>{cells}</tr>\n")
    return f"<table><thead><tr>{head}</tr></thead><tbody>\n{''.join(body)}</tbody></table>"
