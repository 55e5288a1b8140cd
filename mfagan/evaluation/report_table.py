"""An evaluation as plain data for JSON, as a table like the paper's Table 2, and as Markdown."""

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from mfagan.evaluation.quoted import QuotedRow
from mfagan.evaluation.report import EvaluationReport, NetworkScores
from mfagan.evaluation.scores import Scores
from mfagan.evaluation.text_table import Cell, Column, format_markdown
from mfagan.pretrained import PUBLISHED

__all__ = [
    "COST_COLUMNS",
    "FORMAT",
    "as_image_table",
    "as_json",
    "as_markdown",
    "as_table",
    "cost_cells",
    "list_notes",
    "quality_cells",
    "quality_columns",
]

FORMAT = "evaluation/1"
"""What the JSON says of its own format."""
COST_COLUMNS = (Column("memory", "GB", ".3f"), Column("FLOPs", "G", ".2f"), Column("params", "M", ".3f"))
"""What one image costs; `cost_cells` fills them."""


def as_json(evaluation: EvaluationReport) -> dict[str, Any]:
    """Write an evaluation as plain data, each image's figures included.

    Args:
        evaluation: what `report.evaluate` found.

    Returns:
        Data for JSON; an infinite PSNR is the text "inf".
    """
    rows = [_row_json(row) for row in evaluation.rows]
    if evaluation.quoted is not None:
        rows += [_quoted_json(row, evaluation.quoted.source) for row in evaluation.quoted.rows]
    sizes = {name: len(scores) for name, scores in evaluation.rows[0].scores.items()}
    return {
        "format": FORMAT,
        "command": evaluation.command,
        "versions": dict(evaluation.versions),
        "scale": evaluation.scale,
        "costs_size": list(evaluation.costs_size),
        "lpips": evaluation.lpips,
        "latency": None if evaluation.timing is None else asdict(evaluation.timing),
        "sets": [
            {"name": name, "source": source, "n_images": sizes[name]}
            for name, source in evaluation.sources.items()
        ],
        "rows": rows,
        "notes": list_notes(evaluation),
    }


def as_table(evaluation: EvaluationReport) -> tuple[list[Column], list[list[Cell]]]:
    """Arrange an evaluation as a table.

    Args:
        evaluation: what `report.evaluate` found.

    Returns:
        Its columns and its rows, the quoted ones last and marked so.
    """
    columns = [Column("network"), *COST_COLUMNS]
    timing = evaluation.timing
    if timing is not None:
        columns.append(Column(f"latency, {timing.describe()}", "ms", ".1f"))
    for name in evaluation.sources:
        columns += quality_columns(evaluation, name)
    rows: list[list[Cell]] = []
    for row in evaluation.rows:
        cells: list[Cell] = [row.name, *cost_cells(row)]
        cells += [row.latency_ms] if timing is not None else []
        for name in evaluation.sources:
            cells += quality_cells(evaluation, row.mean(name))
        rows.append(cells)
    for row in [] if evaluation.quoted is None else evaluation.quoted.rows:
        cells = [f"{row.name} (quoted)", f"{row.memory_gb:g}", f"{row.flops_g:g}", f"{row.params_m:g}"]
        cells += [None] if timing is not None else []
        for name in evaluation.sources:
            quality = row.quality_on(name)
            cells += [None, None] if quality is None else [f"{quality.psnr_db:.2f}", None]
            if evaluation.lpips is not None:
                cells.append(None if quality is None else f"{quality.lpips:.4f}")
        rows.append(cells)
    return columns, rows


def quality_columns(evaluation: EvaluationReport, group: str) -> list[Column]:
    """List the columns of PSNR-Y, SSIM and, if it was measured, LPIPS.

    Args:
        evaluation: what `report.evaluate` found.
        group: the heading that they share.

    Returns:
        The columns.
    """
    columns = [Column("PSNR-Y", "dB", ".3f", group), Column("SSIM", "", ".4f", group)]
    return columns + ([] if evaluation.lpips is None else [Column(evaluation.lpips, "", ".4f", group)])


def quality_cells(evaluation: EvaluationReport, scores: Scores) -> list[Cell]:
    """Fill the columns of `quality_columns`.

    Args:
        evaluation: what `report.evaluate` found.
        scores: the figures.

    Returns:
        One cell for each column.
    """
    return [scores.psnr_db, scores.ssim, *([] if evaluation.lpips is None else [scores.lpips])]


def cost_cells(row: NetworkScores) -> list[Cell]:
    """Fill `COST_COLUMNS`.

    Args:
        row: one network's figures.

    Returns:
        One cell for each column, empty for bicubic and for what could not be counted.
    """
    if row.costs is None:
        return [None, None, None if row.params is None else row.params / 1e6]
    return [row.costs.memory_gb, row.costs.flops_g, row.costs.params_m]


def as_image_table(evaluation: EvaluationReport, name: str) -> tuple[list[Column], list[list[Cell]]]:
    """Arrange one set as a table of its images, the networks side by side.

    Args:
        evaluation: what `report.evaluate` found.
        name: the set's name.

    Returns:
        Its columns and its rows.
    """
    columns = [Column(name)]
    for row in evaluation.rows:
        columns += quality_columns(evaluation, row.name)
    rows: list[list[Cell]] = []
    for i, first in enumerate(evaluation.rows[0].scores[name]):
        cells: list[Cell] = [first.name]
        for row in evaluation.rows:
            cells += quality_cells(evaluation, row.scores[name][i])
        rows.append(cells)
    return columns, rows


def list_notes(evaluation: EvaluationReport) -> list[str]:
    """Explain the figures of an evaluation.

    Args:
        evaluation: what `report.evaluate` found.

    Returns:
        One line for each thing that must be known to read them.
    """
    height, width = evaluation.costs_size
    notes = [
        f"x{evaluation.scale}; PSNR and SSIM on BT.601 luma, {evaluation.scale} px of border shaved, "
        "not rounded to 8 bits; means over the images of a set",
        "memory: the activations that one pass writes, fp32, and FLOPs: multiply-accumulates, both by the "
        f"paper's count for one LR image of {height}x{width} px",
    ]
    timing = evaluation.timing
    if timing is not None:
        notes.append(f"latency: median of {timing.rounds} rounds, {timing.describe()}")
    notes += [
        f"{row.name} reproduces {', '.join(exact)} of {name} exactly: an infinite PSNR, left out of the mean"
        for row in evaluation.rows
        for name, scores in row.scores.items()
        if (exact := [one.name for one in scores if math.isinf(one.psnr_db)])
    ]
    notes += evaluation.remarks
    if evaluation.lpips is None:
        notes.append(
            f"LPIPS is left out: it needs AlexNet's published weights, {PUBLISHED['alexnet']}, by --weights or in "
            "$TORCH_HOME/hub/checkpoints"
        )
    quoted = evaluation.quoted
    if quoted is not None:
        caveats = f"; {quoted.caveats}" if quoted.caveats else ""
        notes.append(f"quoted: from {quoted.source}, x{quoted.scale}, not measured here{caveats}")
    return notes


def as_markdown(evaluation: EvaluationReport) -> str:
    """Write an evaluation as a Markdown page: the table, what its figures are, the command and the versions.

    Args:
        evaluation: what `report.evaluate` found.

    Returns:
        The page.
    """
    versions = ", ".join(f"{name} {text}" for name, text in evaluation.versions.items())
    notes = "".join(f"- {note}\n" for note in list_notes(evaluation))
    return (
        f"# Evaluation at x{evaluation.scale}\n\n{format_markdown(*as_table(evaluation))}\n{notes}\n"
        f"Made by `{evaluation.command}` with {versions}.\n"
    )


def _row_json(row: NetworkScores) -> dict[str, Any]:
    about: dict[str, Any] = {"name": row.name, "quoted": False, **row.about}
    if row.params is not None:
        about["params"] = row.params
    if row.costs is not None:
        about |= row.costs.as_dict()
    if row.latency_ms is not None:
        about |= {"latency_ms": row.latency_ms, "latency_spread_ms": row.latency_spread_ms}
    return about | {
        "sets": {
            name: _figures(row.mean(name)) | {"images": _images(scores)}
            for name, scores in row.scores.items()
        }
    }


def _quoted_json(row: QuotedRow, source: str) -> dict[str, Any]:
    return {
        "name": row.name,
        "quoted": True,
        "source": source,
        "memory_gb": row.memory_gb,
        "flops_g": row.flops_g,
        "params_m": row.params_m,
        "latency_ms": row.latency_ms,
        "latency_device": "not named by the paper",
        "sets": {name: asdict(quality) for name, quality in row.sets.items()},
    }


def _images(scores: Sequence[Scores]) -> list[dict[str, Any]]:
    return [{"name": one.name, **_figures(one)} for one in scores]


def _figures(scores: Scores) -> dict[str, float | str]:
    figures = {"psnr_db": scores.psnr_db, "ssim": scores.ssim}
    if scores.lpips is not None:
        figures["lpips"] = scores.lpips
    return {name: value if math.isfinite(value) else str(value) for name, value in figures.items()}
