"""What the shell completes beside commands and options: names of shipped networks, of latency tables and of studies."""

import contextlib
import sqlite3
from pathlib import Path

import typer

from mfagan.shipped import list_shipped

__all__ = ["complete_model", "complete_study", "complete_table"]


def complete_model(incomplete: str) -> list[str]:
    """Complete the name of a shipped generator.

    Args:
        incomplete: what was typed of it; if no name begins so, the shell completes files.

    Returns:
        The names.
    """
    return [name for name in list_shipped() if name.startswith(incomplete)]


def complete_table(incomplete: str) -> list[str]:
    """Complete the name of a shipped latency table.

    Args:
        incomplete: what was typed of it.

    Returns:
        The names.
    """
    from mfagan.latency.tables import list_tables

    return [name for name in list_tables() if name.startswith(incomplete)]


def complete_study(context: typer.Context, incomplete: str) -> list[str]:
    """Complete the name of a study in the SQLite file that is given before, or in the default one.

    The file is asked directly: loading Optuna would take seconds.

    Args:
        context: of the command, with its options so far.
        incomplete: what was typed of the name.

    Returns:
        The names; none for a storage of another kind.
    """
    file = Path(str(context.params.get("storage") or "").removeprefix("sqlite:///"))
    if not file.is_file():
        return []
    with (
        contextlib.suppress(sqlite3.Error),
        contextlib.closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as found,
    ):
        names = [name for (name,) in found.execute("SELECT study_name FROM studies ORDER BY study_id")]
        return [name for name in names if name.startswith(incomplete)]
    return []
