"""Progress of long work: what reports it, and bars with the time left for a terminal."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

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
    "ignore_progress",
    "no_progress",
    "show_bar",
]

ProgressCallback = Callable[[int, int, str], None]
"""Called with how much is done, of how much, and a short note such as the loss."""

ProgressFactory = Callable[[str], AbstractContextManager[ProgressCallback]]
"""Called with a label; gives the ProgressCallback that moves its bar."""


@contextmanager
def show_bar(label: str) -> Iterator[ProgressCallback]:
    """A progress bar on standard error, with the time left; plain text if that is not a terminal.

    Args:
        label: what stands before the bar.

    Returns:
        A context that gives the callback to move the bar.
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
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(label, total=None, note="")

        def report(done: int, total: int, note: str = "") -> None:
            progress.update(task, completed=done, total=total, note=note)

        yield report


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
