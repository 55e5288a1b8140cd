"""Find latency look-up tables, shipped or the user's own, and warn if one does not suit its use."""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import mfagan
from mfagan.errors import InputError
from mfagan.graph.passes import passes_for
from search.latency import LatencyTable

__all__ = [
    "KIT_RUNTIME",
    "TableMachine",
    "describe_build",
    "describe_rebuild",
    "find_table",
    "read_table",
    "warn_noise",
    "warn_size",
]

KIT_RUNTIME = "benchmark_model"
"""What tables that were measured with a kit name as their runtime."""


@dataclass(frozen=True)
class TableMachine:
    """Where a table was measured, as studies and picks carry it.

    device: The table's device.
    runtime: Its runtime.
    calibration_ms: Its times of the calibration's operators, empty if it has none; rescaled as its latencies.
    rescaled_by: The factor that its latencies were multiplied by, 1 for measured ones.
    """

    device: str
    runtime: str
    calibration_ms: Mapping[str, float] = field(default_factory=dict)
    rescaled_by: float = 1.0

    @classmethod
    def of(cls, table: LatencyTable) -> "TableMachine":
        """The machine of a table.

        Args:
            table: The table.
        """
        factor = table.rescaled_by
        times_ms = {name: factor * ms for name, ms in table.calibration_ms.items()}
        return cls(table.device, table.runtime, times_ms, factor)

    @classmethod
    def from_text(cls, text: str) -> "TableMachine | None":
        """What `to_text` wrote; None for another text.

        Args:
            text: The text.
        """
        try:
            fields = json.loads(text)
            times_ms = {str(name): float(ms) for name, ms in fields["calibration_ms"].items()}
            return cls(str(fields["device"]), str(fields["runtime"]), times_ms, float(fields["rescaled_by"]))
        except (AttributeError, KeyError, TypeError, ValueError):
            return None

    def to_text(self) -> str:
        """It as one line of JSON."""
        return json.dumps(asdict(self))


def describe_build(
    threads: int = 2,
    input_size: tuple[int, int] = (128, 128),
    runtime: str = "litert",
    path: str | Path = "luts/NAME.json",
    scale: int = 4,
    passes: Sequence[str] | None = None,
    precision: str = "fp32",
) -> str:
    """The command that builds a table, quoted for a shell; for `KIT_RUNTIME` that which writes a kit.

    Args:
        threads: CPU threads of the runtime.
        input_size: (height, width) in pixels.
        runtime: The runtime that is measured.
        path: The file to write.
        scale: Enlargement of the networks; not mentioned if it is the default, 4.
        passes: What rewrites the blocks; not mentioned if it is None or the default of the precision.
        precision: What the runtime computes in; not mentioned if it is fp32.
    """
    height, width = input_size
    size = ["--size", f"{height}x{width}", "--out"]
    if runtime == KIT_RUNTIME:
        words = ["mfagan", "lut", "kit", *size, "KIT"]
    else:
        words = ["mfagan", "lut", "build", "--runtime", runtime, "--threads", threads, *size, path]
    words += [] if scale == 4 else ["--scale", scale]
    words += [] if precision == "fp32" else ["--precision", precision]
    if passes is not None and tuple(passes) != passes_for(precision):
        words += ["--passes", ",".join(passes) or "none"]
    return shlex.join(map(str, words))


def describe_rebuild(
    table: LatencyTable, input_size: tuple[int, int], scale: int = 4, path: str | Path = "luts/NAME.json"
) -> str:
    """The command that builds a table as another one was built.

    Args:
        table: The other.
        input_size: (height, width) in pixels.
        scale: Enlargement of the networks.
        path: The file to write.
    """
    return describe_build(
        table.threads, input_size, table.runtime, path, scale, table.passes, table.precision
    )


def warn_size(table: LatencyTable, height: int, width: int, scale: int = 4) -> str | None:
    """One line if a table was measured at another input size, else None.

    Args:
        table: The table.
        height: Rows of the input that is targeted, in pixels.
        width: Its columns.
        scale: Enlargement of the networks, for the command that builds a fitting table.
    """
    if table.input_size == (height, width):
        return None
    measured = "x".join(map(str, table.input_size))
    return (
        f"the latency table was measured at {measured} px, the target is {height}x{width} px: its "
        f"prices rank networks but are not latencies there; build one with: "
        f"{describe_rebuild(table, (height, width), scale)}"
    )


def warn_noise(table: LatencyTable) -> str | None:
    """One line if other work on the machine disturbed the measurement of a table, else None.

    Args:
        table: The table.
    """
    noise = table.noise
    if noise is None or not noise.noisy:
        return None
    share = "" if noise.cpu_over_wall is None else f", each thread had {noise.cpu_over_wall:.0%} of a core"
    return (
        f"the latencies varied by {noise.spread:.0%} and are known within {noise.uncertainty:.1%}{share}: other work "
        f"kept the machine busy while they were measured; measure again when it is idle: {table.command}"
    )


def find_table(name_or_path: str | Path, scale: int = 4) -> Path:
    """The file of a latency table.

    Args:
        name_or_path: An existing path, else the file name of a shipped table with or without .json.
        scale: Enlargement of the networks, for the command in the error's message.

    Raises:
        InputError: Neither exists; the message lists the shipped tables and the command that builds one.
    """
    path = Path(name_or_path)
    if path.is_file():
        return path
    shipped = {f"{name}.json": file for name, file in list_tables().items()}
    for name in (str(name_or_path), f"{name_or_path}.json"):
        if name in shipped:
            return shipped[name]
    raise InputError(
        f"latency table {name_or_path}: no such file, and the shipped tables are "
        f"{', '.join(shipped) or 'none'}; build it with: {describe_build(path=name_or_path, scale=scale)}"
    )


def list_tables() -> dict[str, Path]:
    """The shipped latency tables by their names, which are those of their files without .json."""
    return {file.stem: file for file in sorted(_shipped_folder().glob("*.json"))}


def read_table(name_or_path: str | Path) -> LatencyTable:
    """The latency table of a file or of a shipped table's name.

    Args:
        name_or_path: As in `find_table`.

    Raises:
        InputError: As `find_table`.
        SearchError: As `LatencyTable.read`.
    """
    return LatencyTable.read(find_table(name_or_path))


def _shipped_folder() -> Path:
    """The folder of the shipped tables: inside an installed package, beside it in a checkout."""
    package = Path(mfagan.__file__).parent
    return package / "luts" if (package / "luts").is_dir() else package.parent / "luts"
