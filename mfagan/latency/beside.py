"""A network's file beside a larger one's: size, parameters, multiply-accumulates and latency, measured in turn."""

from dataclasses import dataclass
from typing import Any

from mfagan.deploy.named.exported import Exported
from mfagan.errors import InputError
from mfagan.evaluation.text_table import Column, format_text
from mfagan.graph.costs import CONVENTIONS
from mfagan.latency.measuring.networks import NETWORK_ROUNDS, measure_models
from mfagan.progress import ProgressCallback

__all__ = ["Beside", "measure_beside"]

_COLUMNS = (
    Column("file of"),
    Column("size", "bytes", form=",d"),
    Column("parameters", form=",d"),
    Column("at input", "M", group="MACs, transposed convolutions", form=",.3f"),
    Column("at output", "M", group="MACs, transposed convolutions", form=",.3f"),
    Column("latency", "ms", form=".3f"),
)


@dataclass(frozen=True)
class Beside:
    """A small network's file beside a large one's.

    Args:
        small: its file.
        large: its file.
        names: what the small network is called, and the large one, such as student and teacher.
        small_ms: median latency of the small network's file in ms.
        large_ms: of the large one's.
        threads: CPU threads of LiteRT.
    """

    small: Exported
    large: Exported
    names: tuple[str, str]
    small_ms: float
    large_ms: float
    threads: int

    @property
    def speedup(self) -> float:
        """How many times as long the large network takes."""
        return self.large_ms / self.small_ms

    def as_dict(self) -> dict[str, Any]:
        """Plain data, with the facts of each network under its name."""
        listed = ("bytes", "params", "macs", "macs_transposed_at_output")
        of_small, of_large = self.small.as_dict(), self.large.as_dict()
        small, large = self.names
        return {
            large: {name: of_large[name] for name in listed} | {"latency_ms": self.large_ms},
            small: {name: of_small[name] for name in listed} | {"latency_ms": self.small_ms},
            "threads": self.threads,
            "times_as_fast": round(self.speedup, 3),
            "times_fewer_macs": round(of_large["macs"] / of_small["macs"], 3),
            "times_fewer_params": round(of_large["params"] / of_small["params"], 3),
            "macs_ratio": round(of_small["macs"] / of_large["macs"], 4),
            "latency_ratio": round(self.small_ms / self.large_ms, 4),
        }

    def lines(self) -> list[str]:
        """A table for people, with the conventions named below it."""
        facts = self.as_dict()
        small, large = self.names
        rows = [
            (
                name,
                facts[name]["bytes"],
                facts[name]["params"],
                facts[name]["macs"] / 1e6,
                facts[name]["macs_transposed_at_output"] / 1e6,
                facts[name]["latency_ms"],
            )
            for name in (large, small)
        ]
        threads = "1 thread" if self.threads == 1 else f"{self.threads} threads"
        return [
            *format_text(_COLUMNS, rows).splitlines(),
            f"{small}: {facts['times_as_fast']:.1f} times as fast in LiteRT with {threads} (medians, in turn), "
            f"{facts['times_fewer_macs']:.1f} times fewer MACs, {facts['times_fewer_params']:.2f} times fewer "
            "parameters",
            f"ratio to the {large}: {facts['macs_ratio']:.3f} of its MACs, {facts['latency_ratio']:.3f} of its latency",
            *(f"at {name}: {label}" for name, label in CONVENTIONS.items()),
        ]


def measure_beside(
    small: Exported,
    large: Exported,
    names: tuple[str, str],
    threads: int = 1,
    rounds: int = NETWORK_ROUNDS,
    report: ProgressCallback | None = None,
) -> Beside:
    """Measure a small network's file and a large one's in turn, in LiteRT.

    Args:
        small: its file, in tflite.
        large: likewise.
        names: as in `Beside`.
        threads: CPU threads; on one its CPU time is measured.
        rounds: how often each file is loaded and timed.
        report: called with (done, total, text) after each file, or None.

    Raises:
        InputError: a file in another format, no threads or no rounds.
    """
    for one in (small, large):
        if one.target.format != "tflite":
            raise InputError(
                f"latency of a file in {one.target.format}: it is measured in LiteRT; give format tflite"
            )
    first, second = measure_models([large.content, small.content], threads, rounds, report)
    return Beside(small, large, names, second.latency_ms, first.latency_ms, threads)
