"""A table of an experiment's results, with what must be known to read it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mfagan.evaluation.text_table import Cell, Column, format_markdown, format_text
from mfagan.files import write_atomic

__all__ = ["ExperimentReport", "format_report", "write_report"]


@dataclass(frozen=True)
class ExperimentReport:
    """One table of an experiment."""

    name: str
    """As a file's, without a suffix."""
    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    notes: Sequence[str]
    """What must be known to read it."""
    details: Mapping[str, object] = field(default_factory=dict)
    """More plain data that the JSON file has."""

    def as_dict(self, command: str) -> dict[str, object]:
        """The table as plain data, as its JSON file has it.

        Args:
            command: what made it, for the last note.
        """
        heads = [" ".join(part for part in (one.group, one.name) if part) for one in self.columns]
        rows = [dict(zip(heads, row, strict=True)) for row in self.rows]
        notes = [*self.notes, f"`{command}`"]
        return {"title": self.title, "notes": notes, "rows": rows, **self.details}


def write_report(found: ExperimentReport, folder: Path, command: str) -> str:
    """Write a table as Markdown and as JSON.

    Args:
        found: the table.
        folder: where `NAME.md` and `NAME.json` are written.
        command: what made it, for the last note.

    Returns:
        The table and its notes for a terminal, the last line ended.

    Raises:
        InputError: a file cannot be written.
    """
    below = "\n".join([*found.notes, f"`{command}`"]) + "\n"
    write_atomic(
        folder / f"{found.name}.md",
        f"## {found.title}\n\n{format_markdown(found.columns, found.rows)}\n{below}",
    )
    write_atomic(folder / f"{found.name}.json", json.dumps(found.as_dict(command), indent=2) + "\n")
    return format_report(found, command)


def format_report(found: ExperimentReport, command: str) -> str:
    """Write a table and its notes for a terminal.

    Args:
        found: the table.
        command: what made it, for the last note.

    Returns:
        The text, the last line ended.
    """
    below = "\n".join([*found.notes, f"`{command}`"])
    return f"{found.title}\n\n{format_text(found.columns, found.rows)}\n{below}\n"
