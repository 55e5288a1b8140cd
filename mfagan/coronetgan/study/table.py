"""The latency table of a translator's slices: the command that builds it, and the passes it is measured with."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from mfagan.coronetgan.exporting.lowering import EXPORT_PASSES
from search.latency import LatencyTable

__all__ = ["describe_build", "describe_rebuild"]


def describe_build(
    supernet: str | Path,
    side_px: int,
    path: str | Path = "luts/NAME.json",
    runtime: str = "litert",
    threads: int = 2,
    passes: Sequence[str] = EXPORT_PASSES,
    precision: str = "fp32",
) -> str:
    """The command that builds a table, quoted for a shell.

    Args:
        supernet: The weight-shared translator's checkpoint.
        side_px: Side of the pictures in px.
        path: The file to write.
        runtime: What is measured.
        threads: CPU threads of the runtime.
        passes: What rewrites the blocks; not mentioned if it is the default.
        precision: What the runtime computes in; not mentioned if it is fp32.
    """
    words = ["mfagan", "coronetgan", "lut", "build", "--supernet", supernet, "--size", side_px]
    words += ["--runtime", runtime, "--threads", threads, "--out", path]
    words += [] if precision == "fp32" else ["--precision", precision]
    words += [] if tuple(passes) == EXPORT_PASSES else ["--passes", ",".join(passes) or "none"]
    return shlex.join(map(str, words))


def describe_rebuild(
    table: LatencyTable, supernet: str | Path, side_px: int, path: str | Path = "luts/NAME.json"
) -> str:
    """The command that builds a table for a translator as another one was built.

    Args:
        table: The other.
        supernet: The weight-shared translator's checkpoint.
        side_px: Side of the pictures in px.
        path: The file to write.
    """
    return describe_build(
        supernet, side_px, path, table.runtime, table.threads, table.passes, table.precision
    )
