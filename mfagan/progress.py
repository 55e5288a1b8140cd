"""Progress of long work: what reports it, and bars with the time left for a terminal."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

__all__ = [
    "ProgressCallback",
    "ProgressFactory",
    "hide_bars",
    "ignore_progress",
    "no_progress",
    "show_bar",
]

ProgressCallback = Callable[[int, int, str], None]
"""Called with how much is done, of how much, and a short note such as the loss."""

ProgressFactory = Callable[[str], AbstractContextManager[ProgressCallback]]
"""Called with a label; gives the ProgressCallback that moves its bar."""


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
def show_bar(label: str) -> Iterator[ProgressCallback]:
    """A progress bar on standard error, with the time left; one line at the end if that is not a terminal.

    Work that reports nothing has a bar that moves without an end in sight.

    Args:
        label: what stands before the bar.

    Returns:
        A context that gives the callback to move the bar. What is done at its first call, by an earlier run, counts for
        no speed.
    """
    columns = (
        TextColumn("{task.description:<24}", markup=False),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True, quiet=_hidden.get())) as progress:
        task = progress.add_task(label, total=None, note="")

        def report(done: int, total: int, note: str = "") -> None:
            if progress.tasks[0].total is None and done > 1:
                progress.reset(task, total=total, completed=done)
            progress.update(task, completed=done, total=total, note=note)

        yield report
        if progress.tasks[0].total is None:
            progress.update(task, completed=1, total=1)


def ignore_progress(done: int, total: int, note: str) -> None:
    """A ProgressCallback without effect.

    Args:
        done: not used, as the others.
        total: how much there is to do.
        note: a short note.
    """


@contextmanager
def no_progress(label: str) -> Iterator[ProgressCallback]:
    """Progress that nobody sees.

    Args:
        label: not used.

    Returns:
        A context that gives a callback without effect.
    """
    yield ignore_progress
