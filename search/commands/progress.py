"""Progress bars of the commands of this package, with the time left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["hide_bars", "show_bar"]

_hidden = ContextVar("hidden", default=False)


@contextmanager
def hide_bars() -> Iterator[None]:
    """Let `show_bar` show nothing within this context."""
    before = _hidden.set(True)
    try:
        yield
    finally:
        _hidden.reset(before)


@contextmanager
def show_bar(label: str) -> Iterator[Callable[[int, int, str], None]]:
    """Show a progress bar on standard error; one line at the end if that is not a terminal.

    Args:
        label: what stands before the bar.

    Returns:
        A context that gives a function to move the bar: called with how much is done, of how much, and a note. What is
        done at its first call counts for no speed: it is of an earlier run.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = [
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    ]
    note_column = TextColumn("{task.fields[note]}", markup=False)
    console = Console(stderr=True, quiet=_hidden.get())
    bar = Progress(*columns, note_column, console=console)
    tasks = []

    def report(done: int, total: int, note: str = "") -> None:
        if (
            not tasks
        ):  # shown from here on, so that a command that fails before it works prints its error alone
            tasks.append(bar.add_task(label, total=total, completed=done, note=note))
            bar.start()
        bar.update(tasks[0], completed=done, total=total, note=note)

    try:
        yield report
    finally:
        if tasks:
            bar.stop()
