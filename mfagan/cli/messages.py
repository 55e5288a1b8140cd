"""What the commands tell people while they work: the package's log, on standard error."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["hide_notes", "show_log"]


class _Lines(logging.Handler):
    """Prints `mfagan: MESSAGE` on standard error, one line each; a line that was shown is not repeated."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        line = " ".join(record.getMessage().split())
        if record.levelno >= logging.WARNING:
            line = f"{record.levelname.lower()}: {line}"
        if line not in self._shown:
            self._shown.add(line)
            print(f"mfagan: {line}", file=sys.stderr)


def show_log() -> None:
    """Show what the package `mfagan` logs, from level INFO on, on standard error.

    A command line calls this once. A program that uses the library sets up Python's `logging` itself.
    """
    logger = logging.getLogger("mfagan")
    for handler in [one for one in logger.handlers if isinstance(one, _Lines)]:
        logger.removeHandler(handler)
    logger.addHandler(_Lines())
    logger.setLevel(logging.INFO)
    logger.propagate = (
        False  # some libraries give the root logger a handler, which would show every line again
    )


@contextmanager
def hide_notes() -> Iterator[None]:
    """Show neither progress bars nor log lines below a warning within this context: `--quiet`."""
    from mfagan.progress import hide_bars

    logger = logging.getLogger("mfagan")
    before = logger.level
    logger.setLevel(logging.WARNING)
    try:
        with hide_bars():
            yield
    finally:
        logger.setLevel(before)
