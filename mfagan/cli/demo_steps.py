"""The steps of a demo: their answers are shown, and their times noted."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from search.commands.result import Result

__all__ = ["note", "timed"]

logger = logging.getLogger(__name__)


def note(step: Result) -> None:
    """Show what a step answered, among the notes.

    Args:
        step: the answer of the step's command.
    """
    for line in step.lines or step.files:
        logger.info("%s", line)


@contextmanager
def timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    """Note how long a step takes.

    Args:
        seconds: where it is noted, in s.
        step: its name.
    """
    start = time.perf_counter()
    yield
    seconds[step] = round(time.perf_counter() - start, 2)
