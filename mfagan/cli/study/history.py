"""What became of a study's trials: the commands record it as they make files, `mfagan history` prints it."""

import json
import logging
import math
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mfagan.cli.options import (
    DEFAULT_STORAGE,
    DEFAULT_STUDY,
    StorageOption,
    StudyOption,
    name_study,
)
from mfagan.errors import InputError
from search.commands.result import Result
from search.errors import SearchError

__all__ = [
    "Lineage",
    "find_lineage",
    "history",
    "open_lineage",
    "record",
]

if TYPE_CHECKING:
    from mfagan.study.picked import Pick
    from search.problem import JSON
    from search.storage.ledger import LedgerEntry, LineageNode
    from search.study import StudyRecord

logger = logging.getLogger(__name__)

_STEPS = {
    "pick": (
        "picked",
        "{psnr_db:.3f} dB, {latency_ms:.1f} ms by the table",
        "distance {distance:.4f}, {latency_ms:.3g} ms by the table",
    ),
    "finetune": ("fine-tuned", "{psnr_before_db:.3f} dB before, {psnr_after_db:.3f} dB after"),
    "export": ("exported", "{size}, {bytes:,} bytes"),
    "measure": ("measured", "{latency_ms:.1f} ms, {threads} threads, {device}, {runtime}"),
}
"""Kind of entry -> how it is called, and how its facts are shown: in the first form that they fit."""


@dataclass(frozen=True)
class Lineage:
    """A pick and where its study is kept; `storage` may hold a password and is written nowhere."""

    picked: "Pick"
    storage: str = field(repr=False)

    def record(self, kind: str, file: Path, parent: str | None, facts: "Mapping[str, JSON]") -> None:
        """Enter a file in the study's history.

        If that fails, it is reported and the file stays as it is.

        Args:
            kind: a key of `_STEPS`.
            file: the file.
            parent: hash of the file that it was made from, None for a pick.
            facts: plain data that the history shows.
        """
        from mfagan.checkpoint import sha256
        from search.storage import ledger

        entry = ledger.LedgerEntry(kind, self.picked.trial, str(file.resolve()), sha256(file), parent, facts)
        try:
            ledger.record(self.storage, self.picked.study, entry)
        except SearchError as error:
            logger.warning("%s is not recorded in the study's history: %s", file, error)

    def record_latency(self, model: Path, latency_ms: float, threads: int, table: str = "") -> None:
        """Enter what LiteRT took for an exported file on this machine.

        Args:
            model: the exported file.
            latency_ms: its latency.
            threads: threads of the interpreter.
            table: what the pick's price is in comparison, as `describe_price` tells it.
        """
        from mfagan.checkpoint import sha256
        from mfagan.devices import CPU, describe_device
        from mfagan.latency.measuring.runtimes import find_runtime

        runtime = f"LiteRT {find_runtime('litert').version()}"
        facts = {"latency_ms": latency_ms, "threads": threads, "device": describe_device(CPU)}
        self.record("measure", model, sha256(model), facts | {"runtime": runtime, "table": table})

    def describe_price(self, rescale: bool = False) -> str:
        """The pick's price, beside a time that was measured on this machine.

        Args:
            rescale: whether it is multiplied by how much slower fixed operators are here.

        Returns:
            A part of a sentence, which names a table of another machine as such.

        Raises:
            InputError: it cannot be rescaled.
        """
        from mfagan.latency.machine import match_machine
        from mfagan.latency.tables import TableMachine

        price_ms = self.picked.latency_ms
        machine = TableMachine.from_text(self.picked.lut_machine)
        if machine is None:
            if rescale:
                raise InputError("the pick does not say where its table was measured; leave --rescale out")
            return f"{price_ms:.1f} ms by a table of unknown origin"
        match = match_machine(machine)
        if match.warning is not None:
            logger.warning(match.warning)
        if rescale and match.factor is None:
            raise InputError(f"the price cannot be rescaled ({match.reason}); leave --rescale out")
        if rescale and match.factor is not None:
            return f"{price_ms * match.factor:.1f} ms by the table, rescaled x{match.factor:.2f}"
        whose = {True: "this", False: "another", None: "maybe another"}[match.same]
        marked = "" if machine.rescaled_by == 1 else f", rescaled x{machine.rescaled_by:.2f}"
        return f"{price_ms:.1f} ms by a table of {whose} machine{marked}"


def open_lineage(picked: "Pick", storage: str | None) -> Lineage | None:
    """Find where to record what is made from a pick.

    Args:
        picked: the pick.
        storage: where its study is kept, None for what the pick says.

    Returns:
        The history, or None if the storage that the pick names cannot be used, which is reported.

    Raises:
        InputError: `storage` is given and cannot be used.
        SearchError: likewise.
    """
    from search.storage.address import lacks_password

    address = picked.storage if storage is None else storage
    try:
        if not address:
            raise InputError("the pick does not say where its study is kept")
        if lacks_password(address):
            raise InputError(f"the pick knows {address} without its password")
        _require_trial(picked, address)
    except (InputError, SearchError) as error:
        if storage is not None:
            raise
        what = f"what comes of trial {picked.trial} of study {picked.study}"
        logger.warning(
            "%s is not recorded in its history (%s); --storage tells where it is kept", what, error
        )
        return None
    return Lineage(picked, address)


def find_lineage(ckpt: Path, storage: str | None) -> Lineage | None:
    """Find where to record what is made from a checkpoint.

    Args:
        ckpt: the checkpoint's file.
        storage: where the study of its pick is kept, None for what the pick says.

    Returns:
        As `open_lineage`; None if the checkpoint was not fine-tuned from a pick, or if it came with the package, whose
        studies are not on this machine, and no storage is given.

    Raises:
        InputError: as `open_lineage`; `storage` is given for a checkpoint without a pick.
    """
    from mfagan import checkpoint
    from mfagan.cli.study.systems import pick_of
    from mfagan.shipped import list_shipped

    if storage is None and ckpt.resolve() in [path.resolve() for path in list_shipped().values()]:
        return None
    picked = None if checkpoint.is_foreign(ckpt) else pick_of(checkpoint.read(ckpt), ckpt)
    if picked is not None:
        return open_lineage(picked, storage)
    if storage is not None:
        raise InputError(f"checkpoint {ckpt}: it was not fine-tuned from a pick; leave --storage out")
    return None


def history(storage: StorageOption = DEFAULT_STORAGE, study: StudyOption = DEFAULT_STUDY) -> Result:
    """List what became of a study's trials.

    Picks, fine-tuned files, exports and latencies, with hashes. A file that is no longer where it was written, or
    holds something else now, is marked.
    """
    from search.storage import ledger
    from search.storage.address import read_address
    from search.study import load

    record = load(storage, study)
    label = read_address(storage).label
    trees: dict[int, list[LineageNode]] = {}
    for made in ledger.trace(ledger.read(storage, study)):
        trees.setdefault(made.entry.trial, []).append(made)
    lines = [f"study {study} in {label}: {record.n_trials} trials (times are UTC)"]
    for name, text in (*record.identity.items(), *record.origin.items()):
        lines.append(f"    {name:<20}{text[:12] if name.endswith('sha256') else text}")
    if not trees:
        lines.append("nothing was made from it yet")
    for trial, made in sorted(trees.items()):
        lines += [_title(record, trial), *_lines(made, 0)]
    named = shlex.split(name_study(storage, study))
    begin = ["mfagan", "pick", *named, "--knee", "--out", "picked.json"]
    return Result(_as_json(record, label, trees), lines, next=[] if trees else begin)


def record(
    model: Annotated[Path, typer.Argument(help="A file that `mfagan export` wrote.")],
    latency_ms: Annotated[float, typer.Option(help="What the file took.")],
    measured_on: Annotated[
        str, typer.Option(metavar="NAME", help="The device that was measured, such as 'Pixel 8'.")
    ],
    threads: Annotated[int, typer.Option(min=1, help="Threads it ran with.")] = 1,
    runtime: Annotated[str, typer.Option(metavar="NAME", help="The runtime and its version.")] = "LiteRT",
    storage: StorageOption = DEFAULT_STORAGE,
    study: StudyOption = DEFAULT_STUDY,
) -> Result:
    """Record what an exported file took on another device.

    It becomes part of the study's history.
    """
    from mfagan.checkpoint import sha256
    from search.storage import ledger
    from search.storage.address import read_address

    device = " ".join(measured_on.split())  # a line of the history
    if not device:
        raise InputError("no device: name the one that was measured with --measured-on")
    if not 0 < latency_ms < math.inf:
        raise InputError(f"latency {latency_ms} ms: give a positive number")
    try:
        content = sha256(model)
    except OSError as error:
        raise InputError(f"{model}: {error.strerror}; name a file that `mfagan export` wrote") from None
    exports = [e for e in ledger.read(storage, study) if e.kind == "export" and e.sha256 == content]
    if not exports:
        raise InputError(
            f"{model} is no file that was exported from study {study!r} in {read_address(storage).label}:"
            " check the file, or export it again"
        )
    facts = {"latency_ms": latency_ms, "threads": threads, "device": device, "runtime": runtime}
    trial = exports[-1].trial
    ledger.record(
        storage, study, ledger.LedgerEntry("measure", trial, str(model.resolve()), content, content, facts)
    )
    return Result(
        {"trial": trial, "file": str(model), **facts},
        [f"trial {trial}: {_STEPS['measure'][1].format(**facts)}"],
        next=["mfagan", "history", *shlex.split(name_study(storage, study))],
    )


def _require_trial(picked: "Pick", storage: str) -> None:
    """Raise an error where the storage does not hold the very trial that was picked."""
    from mfagan.cli.study.systems import require_system
    from search.storage.address import redact
    from search.study import load

    record = load(storage, picked.study)
    point = {point.number: point for point in record.points}.get(picked.trial)
    found = None if point is None else require_system(record).as_picked(picked.study, point)
    if found is None or found.with_reason(picked.storage, picked.reason) != picked:
        raise InputError(
            f"trial {picked.trial} of study {picked.study!r} in {redact(storage)} is not the one that was picked"
        )


def _title(record: "StudyRecord", trial: int) -> str:
    from search.report.text.point_text import describe

    point = next((replace(point, attributes={}) for point in record.points if point.number == trial), None)
    rows = {} if point is None else describe(point, record.objectives, ())
    return ", ".join(f"{label} {text}" for label, text in rows.items()) or f"trial {trial}"


def _lines(trees: "Sequence[LineageNode]", depth: int) -> Iterator[str]:
    for made in trees:
        entry = made.entry
        step, *forms = _STEPS.get(entry.kind, (entry.kind,))
        about = _tell(entry.facts, forms)
        if entry.facts.get("table"):
            about += f"; {entry.facts['table']}"
        file = "" if entry.sha256 == entry.parent else f"{entry.file}  {entry.sha256[:12]}{_mark(entry)}  "
        yield f"    {entry.at[:16].replace('T', ' ')}  {'  ' * depth}{step}  {file}{about}"
        yield from _lines(made.then, depth + 1)


def _tell(facts: "Mapping[str, JSON]", forms: Sequence[str]) -> str:
    for form in forms:
        try:
            return form.format(**facts)
        except (LookupError, TypeError, ValueError):  # of another system, or not written by our commands
            continue
    return json.dumps(facts)


def _mark(entry: "LedgerEntry") -> str:
    now = _hash_now(entry)
    if now == entry.sha256:
        return ""
    return " (missing)" if now is None else f" (changed, now {now[:12]})"


def _hash_now(entry: "LedgerEntry") -> str | None:
    """The hash of the file that stands now where the entry's was written; None where there is none to read."""
    from mfagan.checkpoint import sha256

    try:
        return sha256(entry.file)
    except OSError:
        return None


def _as_json(
    record: "StudyRecord", storage: str, trees: "Mapping[int, Sequence[LineageNode]]"
) -> dict[str, object]:
    def branch(made: "LineageNode") -> dict[str, object]:
        then = [branch(one) for one in made.then]
        return {**asdict(made.entry), "sha256_now": _hash_now(made.entry), "then": then}

    points = {point.number: point for point in record.points}
    names = [objective.name for objective in record.objectives]
    trials = []
    for trial, made in sorted(trees.items()):
        about: dict[str, object] = {"trial": trial}
        if trial in points:
            values = dict(zip(names, points[trial].values, strict=True))
            about |= {"choice": points[trial].choice, "values": values}
        trials.append(about | {"made": [branch(one) for one in made]})
    return {
        "study": record.name,
        "storage": storage,
        "identity": dict(record.identity),
        "origin": dict(record.origin),
        "n_trials": record.n_trials,
        "trials": trials,
    }
