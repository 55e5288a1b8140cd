"""Tells whether a latency table is of this machine: a few fixed operators are timed here and compared with its times.

Two machines can have one device string and differ two times in speed. The operators are timed on one thread by their
fastest run, which other work on the machine hardly changes.
"""

import math
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from mfagan.devices import CPU, describe_device
from mfagan.errors import InputError
from mfagan.latency.measuring.fixed_operators import calibration_blocks
from mfagan.latency.measuring.runtimes import RUNTIMES, find_runtime
from mfagan.latency.measuring.sampling import Schedule, choose_clock, measure_in_turn
from mfagan.latency.tables import TableMachine
from search.latency import LatencyTable, Processor

__all__ = [
    "MachineMatch",
    "describe_processor",
    "match_machine",
    "measure_calibration",
    "rescale_table",
]

_SAME_WITHIN = 1.25
"""The ratio of times up to which they may be one machine's, one over the other: of the operators' geometric mean."""
_EACH_WITHIN = 1.5
"""Likewise of each operator alone."""
_ROUNDS = 5


@dataclass(frozen=True)
class MachineMatch:
    """How a table's machine compares with this one.

    same: Whether it is this one; None if that cannot be told.
    factor: Times here over the table's, the geometric mean over the operators; None if they cannot be compared.
    reason: Why, in a few words.
    """

    same: bool | None
    factor: float | None
    reason: str

    @property
    def warning(self) -> str | None:
        """One line if the table is of another machine or that cannot be told, else None."""
        if self.same:
            return None
        told = "is of another machine" if self.same is False else "may be of another machine"
        return (
            f"the latency table {told} ({self.reason}): its prices are no predictions of times measured here"
        )


def measure_calibration(runtime: str) -> dict[str, float]:
    """Time the calibration's operators on this machine, on one thread.

    Args:
        runtime: One of `RUNTIMES`.

    Returns:
        Operator -> its fastest run in ms.

    Raises:
        InputError: An unknown runtime.
    """
    runs = find_runtime(runtime)
    clock = choose_clock(runs, threads=1)
    loaders = {name: runs.prepare(block, 1) for name, block in calibration_blocks().items()}
    rounds = measure_in_turn(loaders, runs.reference(1), clock, Schedule(rounds=_ROUNDS, runs_per_load=10))
    return {
        name: round(
            min(run.cpu_ms if clock == "cpu" else run.wall_ms for one in rounds for run in one[name]), 4
        )
        for name in loaders
    }


def match_machine(table: TableMachine, here_ms: Mapping[str, float] | None = None) -> MachineMatch:
    """Compare the machine of a table with this one.

    Args:
        table: Where the table was measured.
        here_ms: What `measure_calibration` found here on its runtime; None to measure it if that can tell.
    """
    device = describe_device(CPU)
    if table.runtime not in RUNTIMES:
        return MachineMatch(False, None, f"{table.runtime} on {table.device}, here is {device}")
    named = find_runtime(table.runtime).device()
    if not table.calibration_ms:
        if table.device != named:
            return MachineMatch(False, None, f"{table.device}, here is {named}")
        return MachineMatch(None, None, f"{table.device} as here, but it has no calibration to compare")
    here_ms = measure_calibration(table.runtime) if here_ms is None else here_ms
    ratios = [here_ms[name] / ms for name, ms in table.calibration_ms.items() if name in here_ms]
    if not ratios:
        return MachineMatch(None, None, f"{table.device}, and its calibration is of other operators")
    factor = math.exp(sum(map(math.log, ratios)) / len(ratios))
    low, high = min(ratios), max(ratios)
    reason = f"{table.device}; fixed operators take {low:.2f} to {high:.2f} of its times here"
    alike = max(factor, 1 / factor) <= _SAME_WITHIN and max(high, 1 / low) <= _EACH_WITHIN
    same = table.device == named and alike
    return MachineMatch(same, round(factor, 4), reason)


def rescale_table(table: LatencyTable, match: MachineMatch) -> LatencyTable:
    """A table of another machine with its latencies brought to this one's speed, and marked so.

    Args:
        table: The table.
        match: What `match_machine` found of it.

    Raises:
        InputError: The two machines could not be compared.
    """
    if match.factor is None:
        raise InputError(
            f"the table cannot be rescaled ({match.reason}): build it again, or leave it as it is"
        )
    return table.rescaled(match.factor)


def describe_processor() -> Processor:
    """Family, model and instruction set of this machine's CPU, as far as the system tells them."""
    fields: dict[str, str] = {}
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text().splitlines():
            name, _, value = line.partition(":")
            fields.setdefault(name.strip(), value.strip())
    vendor = fields.get("vendor_id") or fields.get("CPU implementer") or "unknown vendor"
    family = fields.get("cpu family") or fields.get("CPU architecture") or "unknown"
    model = fields.get("model name") or fields.get("CPU part") or platform.processor() or "unknown"
    numbers = [f"{name} {fields[name]}" for name in ("model", "stepping", "CPU variant") if name in fields]
    abilities = torch.cpu.get_capabilities()
    extensions = sorted(name for name, value in abilities.items() if value is True)
    return Processor(
        family=f"{vendor} family {family}",
        model=", ".join([model, *numbers]),
        instruction_set=f"{platform.machine()}: {', '.join(extensions) or 'no extensions known'}",
    )
