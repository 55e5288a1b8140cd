"""Tables of plain data, as aligned text for a terminal and as Markdown."""

import itertools
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

Cell = str | int | float | None
"""A figure is written by its column's format, text stands as it is, None is a dash."""

TableRow = Sequence[Cell]

_ABSENT = "-"
_GAP = 2
_HEAD_CHARACTERS = 20


@dataclass(frozen=True)
class Column:
    """One column.

    form: a format specification of its figures, such as ".2f"; a column without one is text, aligned left.
    group: a heading that neighbouring columns share.
    """

    name: str
    unit: str = ""
    form: str = ""
    group: str = ""


def format_markdown(columns: Sequence[Column], rows: Sequence[TableRow]) -> str:
    """A Markdown table; groups and units stand in the heads. ValueError where a row has another length."""
    heads = [
        " ".join(part for part in (column.group, column.name) if part)
        + (f" ({column.unit})" if column.unit else "")
        for column in columns
    ]
    marks = ["---:" if column.form else ":---" for column in columns]
    lines = [heads, marks, *_written(columns, rows)]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def format_text(columns: Sequence[Column], rows: Sequence[TableRow], width: int | None = None) -> str:
    """An aligned table; long names are wrapped.

    Where it is wider than `width` characters it falls into tables below one another, each beginning with the
    first column; columns of one group stay together. ValueError where a row has another length.
    """
    written = _written(columns, rows)
    heads = [_head(column) for column in columns]
    sizes = [max(len(line) for line in (*head, *(row[i] for row in written))) for i, head in enumerate(heads)]
    first, *spans = _spans(columns)
    for span in (first, *spans):
        room = sum(sizes[i] for i in span) + _GAP * (len(span) - 1)
        sizes[span[-1]] += max(0, len(columns[span[0]].group) - room)
    parts: list[list[list[int]]] = [[first]]
    for span in spans:
        used = sum(sizes[i] + _GAP for i in itertools.chain(*parts[-1], span)) - _GAP
        if width is not None and used > width and len(parts[-1]) > 1:
            parts.append([first])
        parts[-1].append(span)
    return "\n".join(_part(columns, written, heads, sizes, part) for part in parts)


def _spans(columns: Sequence[Column]) -> list[list[int]]:
    """Places of the columns that stay together: those of a group, else each alone."""
    keys = [column.group or i for i, column in enumerate(columns)]
    return [list(span) for _, span in itertools.groupby(range(len(columns)), key=lambda i: keys[i])]


def _written(columns: Sequence[Column], rows: Sequence[TableRow]) -> list[list[str]]:
    return [[_write(column, cell) for column, cell in zip(columns, row, strict=True)] for row in rows]


def _write(column: Column, cell: Cell) -> str:
    if cell is None:
        return _ABSENT
    return cell if isinstance(cell, str) else format(cell, column.form)


def _head(column: Column) -> list[str]:
    return [*textwrap.wrap(column.name, _HEAD_CHARACTERS), *([column.unit] if column.unit else [])]


def _part(
    columns: Sequence[Column],
    written: list[list[str]],
    heads: list[list[str]],
    sizes: list[int],
    part: list[list[int]],
) -> str:
    places = list(itertools.chain(*part))

    def line(cells: list[str]) -> str:
        aligned = (
            f"{cell:>{sizes[i]}}" if columns[i].form else f"{cell:<{sizes[i]}}"
            for i, cell in zip(places, cells, strict=True)
        )
        return (" " * _GAP).join(aligned).rstrip() + "\n"

    lines = []
    if any(columns[i].group for i in places):
        spread = ((columns[span[0]].group, sum(sizes[i] + _GAP for i in span) - _GAP) for span in part)
        lines.append(
            (" " * _GAP).join(f"{group:^{size}}" if group else " " * size for group, size in spread).rstrip()
            + "\n"
        )
    depth = max(len(heads[i]) for i in places)
    for level in range(depth):
        lines.append(line([([""] * (depth - len(heads[i])) + heads[i])[level] for i in places]))
    lines.append("-" * (sum(sizes[i] + _GAP for i in places) - _GAP) + "\n")
    lines += [line([row[i] for i in places]) for row in written]
    return "".join(lines)
