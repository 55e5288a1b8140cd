"""Times that were measured with a kit, on whatever device and by whatever tool, and the latency table of them."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from mfagan.errors import InputError
from mfagan.files import read_text
from mfagan.latency.phones.kit import Kit, KitBlock
from mfagan.latency.phones.thermal import read_status
from mfagan.latency.reports.report_file import read_report
from mfagan.latency.reports.timing import Statistic, Timing

__all__ = ["HASHES_FILE", "RUN_FILE", "THERMAL_FILE", "Results", "Run", "read_results"]

RUN_FILE = "run.txt"
HASHES_FILE = "sha256.txt"
THERMAL_FILE = "thermalservice.dump"
_NOT_REPORTS = (RUN_FILE, HASHES_FILE, THERMAL_FILE)

MAX_MACS_PER_S = 2e13
MIN_MACS_PER_S = 1e8
"""Rates between which the devices lie that networks run on: from a first Raspberry Pi to more than a phone's NPU. Times
in another unit are off by a thousand."""


@dataclass(frozen=True)
class Run:
    """How a kit was measured, as its script wrote it down.

    kit: the kit's id.
    device: a description of the device.
    system: its operating system and version.
    flags: what `benchmark_model` was given.
    """

    kit: str
    device: str
    system: str
    flags: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The content of the file that holds it."""
        flags = " ".join(self.flags)
        return f"kit={self.kit}\ndevice={self.device}\nsystem={self.system}\nflags={flags}\n"

    def flag(self, name: str) -> str | None:
        """The value of a flag; None if it was not given.

        Args:
            name: such as num_threads.
        """
        found = [one.partition("=")[2] for one in self.flags if one.lstrip("-").partition("=")[0] == name]
        return found[-1] if found else None

    @property
    def delegate(self) -> str | None:
        """The delegate that the flags ask for; None if they ask for none."""
        for name in ("gpu", "nnapi", "xnnpack", "coreml", "hexagon"):
            if self.flag(f"use_{name}") in ("true", "1", ""):
                return name
        return None


@dataclass(frozen=True)
class Results:
    """All times of a kit.

    timings: key -> its timings, a round after the other.
    run: how they were measured, or None if other tools than the kit's script made them.
    thermal_statuses: Android's thermal status at the beginning of each round, as far as it is known.
    measured_at: when the last of them was written.
    """

    timings: Mapping[str, list[Timing]]
    run: Run | None
    thermal_statuses: tuple[int, ...]
    measured_at: datetime

    @property
    def statistic(self) -> Statistic:
        """What each timing is, of its runs."""
        return next(iter(self.timings.values()))[0].statistic

    @property
    def partly_delegated(self) -> list[str]:
        """Keys of the blocks of which the delegate took only a part."""
        return [key for key, found in self.timings.items() if any(one.delegation == "part" for one in found)]

    def warn_delegate(self) -> str | None:
        """One line if the delegate left a part of some blocks to the CPU, else None."""
        keys = self.partly_delegated
        if not keys:
            return None
        return f"the delegate left a part of {len(keys)} blocks to the CPU, such as {', '.join(keys[:3])}"

    @property
    def drift(self) -> float:
        """By which share the last round was slower than the first, in the median over the blocks; 0 if there is one."""
        rounds = min(map(len, self.timings.values()))
        if rounds < 2:
            return 0.0
        ratios = [found[rounds - 1].latency_ms / found[0].latency_ms for found in self.timings.values()]
        return float(np.median(ratios)) - 1


def read_results(folder: Path, kit: Kit, results: Path) -> Results:
    """Read all times of a kit.

    Args:
        folder: the kit.
        kit: its manifest.
        results: the folder with the reports, which have the names of the blocks' files: `cfab-t48-w24.txt`, `.pb`,
            `.json` or `.csv`, in one folder for each round if there are several; or one CSV file `key,milliseconds`.

    Raises:
        InputError: a report cannot be read, was made with another kit or with other files, two of them are of one
            measurement, blocks are missing, or the times can't be in ms; names the file.
    """
    if not results.exists():
        raise InputError(
            f"{results}: no such folder; measure the kit on the device with: sh measure.sh BENCHMARK_MODEL"
        )
    _check_files(folder, kit)
    home = results if results.is_dir() else results.parent
    run = _read_run(home / RUN_FILE, kit)
    _check_hashes(home / HASHES_FILE, kit)
    by_name = {block.name: block for block in kit.blocks}
    timings: dict[str, list[Timing]] = {block.key: [] for block in kit.blocks}
    taken: dict[tuple[Path, str], Path] = {}
    newest = 0.0
    for path in _reports(results):
        found = read_report(path)
        newest = max(newest, path.stat().st_mtime)
        name = path.name.partition(".")[0]
        if isinstance(found, dict):
            for key, timing in found.items():
                if key not in timings:
                    raise InputError(f"{path}: the kit has no block {key!r:.80}; its keys are in {folder}")
                timings[key].append(timing)
            continue
        if name not in by_name:
            raise InputError(
                f"{path}: no block of the kit is called {name!r:.80}; give a report the name of its block's "
                f"file, such as {kit.blocks[0].name}{path.suffix}"
            )
        other = taken.setdefault((path.parent, name), path)
        if other != path:
            raise InputError(f"{other} and {path} are reports of one measurement: keep one of them")
        _check_model(path, found, by_name[name])
        timings[by_name[name].key].append(found)
    _check_all(kit, timings, results)
    dumps = sorted(home.glob(f"*/{THERMAL_FILE}"), key=_round_order)
    statuses = (read_status(dump.read_text(encoding="utf-8", errors="replace")) for dump in dumps)
    return Results(
        timings,
        run,
        tuple(status for status in statuses if status is not None),
        datetime.fromtimestamp(newest, UTC).replace(microsecond=0),
    )


def _reports(results: Path) -> Iterator[Path]:
    if results.is_file():
        yield results
        return
    for path in sorted(results.rglob("*"), key=_round_order):
        hidden = path.name.startswith(".") or path.suffix == ".part"
        if path.is_file() and not hidden and path.name not in _NOT_REPORTS:
            yield path


def _round_order(path: Path) -> tuple[int, str]:
    """Folders of rounds in the order of their numbers."""
    number = path.parent.name
    return (int(number) if number.isdecimal() else 0, str(path))


def _read_run(path: Path, kit: Kit) -> Run | None:
    if not path.is_file():
        return None
    fields = dict(re.findall(r"^(\w+)=(.*)$", read_text(path), re.MULTILINE))
    if not {"kit", "device", "system", "flags"} <= set(fields):
        raise InputError(f"{path}: it was cut off; measure the kit again")
    if fields["kit"] != kit.id:
        raise InputError(
            f"{path}: these are times of the kit {fields['kit']!r:.40}, and this kit is {kit.id}: import them "
            "with the kit that was measured"
        )
    return Run(fields["kit"], fields["device"], fields["system"], tuple(fields["flags"].split()))


def _check_files(folder: Path, kit: Kit) -> None:
    for block in kit.blocks:
        path = folder / f"{block.name}.tflite"
        if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() != block.sha256:
            raise InputError(
                f"{path}: its sha256 is not that of the manifest; write the kit again, and measure it"
            )


def _check_hashes(path: Path, kit: Kit) -> None:
    if not path.is_file():
        return
    lines = re.findall(r"^([0-9a-f]{64}) [ *](.+)\.tflite$", read_text(path), re.MULTILINE)
    measured = {name: sha256 for sha256, name in lines}
    for block in kit.blocks:
        if measured.get(block.name) != block.sha256:
            raise InputError(
                f"{path}: the device measured another {block.name}.tflite than this kit's (its sha256 differs from the "
                "manifest's); copy the kit there again, and measure it"
            )


def _check_model(path: Path, timing: Timing, block: KitBlock) -> None:
    """A report says how large its file was, in MB with six digits."""
    if timing.model_mb is not None and abs(timing.model_mb * 1e6 - block.bytes) > 1e-5 * block.bytes + 1:
        raise InputError(
            f"{path}: it is of a file of {timing.model_mb:g} MB, and {block.name}.tflite has {block.bytes / 1e6:g} MB; "
            "measure the files of this kit"
        )
    if timing.delegation == "none":
        raise InputError(
            f"{path}: the delegate took nothing of {block.name}.tflite, so this is the CPU's time; measure without the "
            "delegate, or on a device that has it"
        )


def _check_all(kit: Kit, timings: Mapping[str, list[Timing]], results: Path) -> None:
    missing = [key for key, found in timings.items() if not found]
    if missing:
        shown = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if len(missing) > 3 else "")
        raise InputError(
            f"{results}: no time of {shown} ({len(missing)} of {len(kit.blocks)} blocks); measure them (measure.sh "
            "continues where it ended), and import again"
        )
    statistics = {timing.statistic for found in timings.values() for timing in found}
    if len(statistics) > 1:
        raise InputError(
            f"{results}: some reports have a median and some only a mean; measure all blocks with the same tool"
        )
    total_s = sum(found[0].latency_ms for found in timings.values()) / 1e3
    rate = sum(block.macs for block in kit.blocks) / total_s
    if not MIN_MACS_PER_S < rate < MAX_MACS_PER_S:
        unit = "seconds" if rate > MAX_MACS_PER_S else "microseconds"
        raise InputError(
            f"{results}: the times add up to {total_s * 1e3:.4g} ms, which is {rate:.2g} multiply-accumulates a "
            f"second, as if they were {unit}; give milliseconds"
        )
