"""A process that is killed at a step of its training, as the progress of that step is reported."""

from collections.abc import Iterator
from contextlib import contextmanager

from mfagan.progress import ProgressCallback, ProgressFactory


class Killed(Exception):
    pass


def report_until(step: int) -> ProgressCallback:
    def report(done: int, total: int, note: str) -> None:
        if done == step:
            raise Killed

    return report


def bars_until(step: int) -> ProgressFactory:
    @contextmanager
    def bars(label: str) -> Iterator[ProgressCallback]:
        yield report_until(step)

    return bars
