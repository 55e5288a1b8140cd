"""Aligned text tables for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

__all__ = ["text_table"]

_WIDTH = 100_000  # wider than any table, so that no cell is wrapped or cut


def text_table(heads: Sequence[str], rows: Sequence[Sequence[str]], n_left: int = 0) -> str:
    """Lay out a table with two spaces between columns and no borders.

    Args:
        heads: the columns' heads.
        rows: the cells of each row, as many as there are heads.
        n_left: how many of the first columns are aligned to the left; the others are aligned to the right.

    Returns:
        The lines of the table, joined by line breaks, without a line break at the end.
    """
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="")
    for index, head in enumerate(heads):
        table.add_column(Text(head), justify="left" if index < n_left else "right", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    page = StringIO()
    Console(file=page, width=_WIDTH, color_system=None).print(table)
    return "\n".join(line.rstrip() for line in page.getvalue().splitlines())
