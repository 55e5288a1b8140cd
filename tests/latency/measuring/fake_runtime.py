"""A runtime for tests, whose runs take the times that a script says."""

from collections.abc import Callable, Iterator

import pytest

from mfagan.graph.operators import Block
from mfagan.latency.measuring.fixed_operators import REFERENCE
from mfagan.latency.measuring.runtimes import RUNTIMES, Loader, Runtime


class FakeRuntime:
    """Writes down what is asked of it."""

    def __init__(self, times_ms: Callable[[str], Iterator[float]]) -> None:
        self.times_ms = times_ms
        self.prepared: list[tuple[str, int]] = []
        self.loaded: list[str] = []

    def prepare(self, block: Block, threads: int) -> Loader:
        if block.key == REFERENCE:
            return lambda: lambda: 1.0
        self.prepared.append((block.key, threads))
        times = self.times_ms(block.key)

        def load() -> Callable[[], float]:
            self.loaded.append(block.key)
            return lambda: next(times)

        return load

    def install(self, monkeypatch: pytest.MonkeyPatch) -> "FakeRuntime":
        fake = Runtime(self.prepare, lambda: "7", lambda: "a fake")
        monkeypatch.setitem(RUNTIMES, "fake", (fake,))
        return self


def always(time_ms: float) -> Callable[[str], Iterator[float]]:
    def times(key: str) -> Iterator[float]:
        while True:
            yield time_ms

    return times
