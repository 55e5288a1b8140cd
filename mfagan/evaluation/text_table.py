"""Tables of plain data, as aligned text for a terminal or a pipe and as Markdown.

`rich.table` aligns the text; here stands how a table of figures is described and what its heads hold.
"""

import io
import itertools
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.box import Box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

__all__ = ["Cell", "Column", "TableRow", "format_fields", "format_markdown", "format_text"]

Cell = str | int | float | None
"""A figure is written by its column's format, text as it is, None as a dash."""

TableRow = Sequence[Cell]

_ABSENT = "-"
_HEAD_CHARACTERS = 20
_UNBOUNDED = 10**5
"""Characters of a line that no table reaches: nothing is wrapped or cut."""
_RULE = Box("    \n    \n -- \n    \n    \n    \n    \n    \n", ascii=True)
"""A line of dashes under the heads, and nothing else."""


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Args:
        name: its head.
        unit: the unit of its figures.
        form: a format specification of its figures, such as ".2f"; a column without one is text, aligned left.
        group: a heading that neighbouring columns share.
    """

    name: str
    unit: str = ""
    form: str = ""
    group: str = ""


def format_markdown(columns: Sequence[Column], rows: Sequence[TableRow]) -> str:
    """Write a table in Markdown; groups and units stand in the heads.

    Args:
        columns: the columns.
        rows: one cell a column each.

    Returns:
        The table, its last line ended.

    Raises:
        ValueError: a row of another length.
    """
    heads = [
        " ".join(part for part in (column.group, column.name) if part)
        + (f" ({column.unit})" if column.unit else "")
        for column in columns
    ]
    marks = ["---:" if column.form else ":---" for column in columns]
    lines = [heads, marks, *_written(columns, rows)]
    return "".join(
        f"| {' | '.join(' '.join(cell.replace('|', chr(92) + '|').splitlines()) for cell in line)} |\n"
        for line in lines
    )


def format_text(columns: Sequence[Column], rows: Sequence[TableRow], width: int | None = None) -> str:
    """Write a table as aligned plain text without colours; long heads are wrapped, cells never.

    Args:
        columns: the columns.
        rows: one cell a column each.
        width: characters of a line. A wider table falls into tables below one another, each beginning with the
            first column; columns of one group stay together. None for one table of any width.

    Returns:
        The table, its last line ended.

    Raises:
        ValueError: a row of another length.
    """
    written = _written(columns, rows)
    first, *spans = _spans(columns)
    parts = [first]
    for span in spans:
        wider = [*parts[-1], *span]
        if width is not None and parts[-1] != first and _width(_render(columns, written, wider)) > width:
            wider = [*first, *span]
            parts.append(wider)
        parts[-1] = wider
    return "\n".join(_render(columns, written, part) for part in parts)


def format_fields(fields: Mapping[str, str]) -> str:
    """Write names and values below one another, the values aligned.

    Args:
        fields: name -> value; the lines of a value stand below one another.

    Returns:
        The text, its last line ended.
    """
    table = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(2):
        table.add_column(no_wrap=True, overflow="crop")
    for name, value in fields.items():
        table.add_row(Text(name), Text(value))
    return _print(table)


def _spans(columns: Sequence[Column]) -> list[list[int]]:
    """Indices of the columns that stay together: those of a group, else each alone."""
    keys = [column.group or i for i, column in enumerate(columns)]
    return [list(span) for _, span in itertools.groupby(range(len(columns)), key=lambda i: keys[i])]


def _written(columns: Sequence[Column], rows: Sequence[TableRow]) -> list[list[str]]:
    return [[_write(column, cell) for column, cell in zip(columns, row, strict=True)] for row in rows]


def _write(column: Column, cell: Cell) -> str:
    if cell is None:
        return _ABSENT
    return cell if isinstance(cell, str) else format(cell, column.form)


def _render(columns: Sequence[Column], written: list[list[str]], part: list[int]) -> str:
    table = Table(box=_RULE, show_edge=False, pad_edge=False, padding=(0, 1))
    chosen = [columns[i] for i in part]
    has_units = any(column.unit for column in chosen)
    for column in chosen:
        head = textwrap.wrap(column.group, _HEAD_CHARACTERS)
        head += textwrap.wrap(column.name, _HEAD_CHARACTERS) or [" "]
        head += [column.unit or " "] if has_units else []
        table.add_column(
            Text("\n".join(head)),
            justify="right" if column.form else "left",
            vertical="bottom",
            no_wrap=True,
            overflow="crop",
        )
    for row in written:
        table.add_row(*(Text(" ".join(row[i].splitlines())) for i in part))
    return _print(table)


def _print(table: Table) -> str:
    """The table as text: no markup, colours, emoji or width of a terminal."""
    out = io.StringIO()
    console = Console(
        file=out,
        width=_UNBOUNDED,
        color_system=None,
        force_terminal=False,
        legacy_windows=False,
        markup=False,
        emoji=False,
        highlight=False,
        _environ={},
    )
    console.print(table)
    return "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines())


def _width(text: str) -> int:
    return max(cell_len(line) for line in text.splitlines())
