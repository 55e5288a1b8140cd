"""Measure a kit on an Android phone: push its files, run `benchmark_model` on each in turn, keep what it prints.

The results are laid out as the kit's script lays them out, and each is kept as it comes, so that a measurement that was
interrupted continues. Times under load are kept in a folder of their own.
"""

import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from time import monotonic

from mfagan.errors import InputError
from mfagan.files import write_atomic
from mfagan.latency.phones.adb import Adb, PhoneGoneError
from mfagan.latency.phones.kit import RESULTS, TOOL_FLAGS, Kit
from mfagan.latency.phones.kit_results import HASHES_FILE, RUN_FILE, THERMAL_FILE, Run
from mfagan.latency.reports.benchmark_text import read_text
from mfagan.progress import ProgressCallback, ignore_progress

__all__ = ["MEASURE_S", "SUSTAINED", "measure_on_phone"]

SUSTAINED = "sustained"
"""The folder of a kit with the times under load."""

MEASURE_S = 120.0
"""The time that a phone has for measuring one file."""
WORK_S = 60.0
REMOTE = "/data/local/tmp"


def measure_on_phone(
    folder: Path,
    kit: Kit,
    adb: Adb,
    tool: str,
    flags: Sequence[str],
    minutes: float | None = None,
    report: ProgressCallback | None = None,
) -> None:
    """Measure what is missing of a kit's results.

    Args:
        folder: The kit, in which the results are kept.
        kit: Its manifest.
        adb: The phone.
        tool: `benchmark_model` for the phone: a file of this machine, which is pushed, or else a path on the phone.
        flags: What the tool is given, such as --num_threads=4 and --use_gpu=true.
        minutes: For how long the phone works before all is measured once more, under load; None to leave that out.
        report: Called with (done, total, key) after each measurement, or None.

    Raises:
        InputError: The tool is missing or fails, or the results in the folder are of another phone or of other flags.
        PhoneGoneError: The phone is disconnected or does not answer in time; the results so far are kept.
    """
    folders = [folder / RESULTS] + ([folder / SUSTAINED] if minutes else [])
    total = len(folders) * len(kit.order())
    try:
        home = f"{REMOTE}/mfagan-{kit.id}"
        adb.shell(f"mkdir -p {home}")
        run = Run(kit.id, *_describe(adb), tuple(flags))
        _require_run(folder / RESULTS / RUN_FILE, run)
        program = _place_tool(adb, tool, home)
        _place_files(adb, folder, kit, home)
        for results in folders:
            write_atomic(results / RUN_FILE, run.text)
        command = f"cd {home} && {program}"
        before = 0
        for results in folders:
            if minutes and results.name == SUSTAINED and _count(results) < len(kit.order()):
                _work(adb, kit, command, flags, minutes)
            _measure_all(kit, adb, command, flags, results, _counting_from(before, total, report))
            before += len(kit.order())
    except PhoneGoneError as error:
        raise PhoneGoneError(
            f"{error}; {sum(map(_count, folders))} of {total} measurements are kept in {folder}: connect the phone "
            "again and give the same command, which continues"
        ) from None


def _measure_all(
    kit: Kit, adb: Adb, command: str, flags: Sequence[str], results: Path, report: ProgressCallback
) -> None:
    for done, (round_, block) in enumerate(kit.order(), start=1):
        kept = results / str(round_) / f"{block.name}.txt"
        thermal = kept.with_name(THERMAL_FILE)
        if not thermal.exists():
            # There is no such service before Android 10.
            write_atomic(thermal, adb.shell("dumpsys thermalservice || true"))
        if not kept.exists():
            words = shlex.join([f"--graph={block.name}.tflite", *TOOL_FLAGS, *flags])
            write_atomic(kept, _measure(adb, f"{command} {words}", block.name))
        report(done, len(kit.order()), block.key)


def _work(adb: Adb, kit: Kit, command: str, flags: Sequence[str], minutes: float) -> None:
    """Let the phone run the largest block for some minutes."""
    block = max(kit.blocks, key=lambda one: one.macs)
    end = monotonic() + 60 * minutes
    while (left_s := end - monotonic()) > 0:
        seconds = f"{min(left_s, WORK_S):.1f}"
        words = [
            f"--graph={block.name}.tflite",
            "--num_runs=1",
            f"--min_secs={seconds}",
            f"--max_secs={seconds}",
        ]
        _measure(adb, f"{command} {shlex.join([*words, *flags])}", block.name)


def _counting_from(before: int, total: int, report: ProgressCallback | None) -> ProgressCallback:
    show = report or ignore_progress
    return lambda done, _, key: show(before + done, total, key)


def _count(results: Path) -> int:
    return len(list(results.glob("*/*.txt")))


def _measure(adb: Adb, command: str, name: str) -> str:
    try:
        text = adb.shell(command, MEASURE_S)
        read_text(text)
    except PhoneGoneError:
        raise
    except InputError as error:
        raise InputError(f"benchmark_model on {name}.tflite: {error}") from None
    return text


def _describe(adb: Adb) -> tuple[str, str]:
    """The phone's name and its system, as the kit's script names them."""
    names = ("ro.product.manufacturer", "ro.product.model", "ro.board.platform", "ro.build.version.release")
    answer = adb.shell("; ".join(f"getprop {name}" for name in names)).splitlines()
    maker, model, platform, release = [*map(str.strip, answer), "", "", "", ""][:4]
    return f"{maker} {model}, {platform}", f"Android {release}"


def _require_run(path: Path, run: Run) -> None:
    if path.is_file() and path.read_text(encoding="utf-8") != run.text:
        before = dict(re.findall(r"^(\w+)=(.*)$", path.read_text(encoding="utf-8"), re.MULTILINE))
        raise InputError(
            f"{path.parent.parent} keeps times of {before.get('device')} with {before.get('flags')!r}, and this is "
            f"{run.device} with {' '.join(run.flags)!r}: give the earlier command to continue, or remove that folder"
        )


def _place_tool(adb: Adb, tool: str, home: str) -> str:
    if Path(tool).is_file():
        adb.push([Path(tool)], f"{home}/benchmark_model")
        adb.shell(f"chmod 755 {home}/benchmark_model")
        return "./benchmark_model"
    found = adb.shell(f"test -x {shlex.quote(tool)} && echo found || echo absent").strip()
    if found != "found":
        raise InputError(
            f"benchmark_model: {tool} is neither a file of this machine nor a program of the phone: give its path by "
            "--benchmark-model (docs/phones.md says where to get it)"
        )
    return tool


def _place_files(adb: Adb, folder: Path, kit: Kit, home: str) -> None:
    """Push the files that the phone lacks, and keep what it says of all of them."""
    there = _hashes(adb, home)
    wanted = [block for block in kit.blocks if there.get(block.name) != block.sha256]
    if wanted:
        adb.push([folder / f"{block.name}.tflite" for block in wanted], f"{home}/")
    hashes = _hashes(adb, home)
    if hashes:
        lines = (f"{sha256}  {name}.tflite\n" for name, sha256 in hashes.items())
        write_atomic(folder / RESULTS / HASHES_FILE, "".join(lines))


def _hashes(adb: Adb, home: str) -> dict[str, str]:
    """Name -> sha256 of the files on the phone; empty if it has none, or no sha256sum."""
    text = adb.shell(f"cd {home} && sha256sum *.tflite || true")
    lines = re.findall(r"^([0-9a-f]{64}) [ *](\S+)\.tflite$", text, re.MULTILINE)
    return {name: sha256 for sha256, name in lines}
