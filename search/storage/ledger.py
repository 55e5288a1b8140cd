"""The ledger of a study: what was made from its finished trials, which Optuna does not let anybody change.

Every entry is an attribute of the study with a name of its own, so that writers never overwrite each other's entries.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

from optuna.storages import BaseStorage

from search.errors import SearchError
from search.optuna_logging import quiet_optuna
from search.problem import JSON
from search.storage.connection import Connection, connect

__all__ = ["LedgerEntry", "LineageNode", "read", "record", "trace"]

_PREFIX = "ledger:"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


@dataclass(frozen=True)
class LedgerEntry:
    """A file that was made from a trial, or something that was measured on one.

    Attributes:
        kind: the step that was done, such as `finetune`.
        trial: the trial's number.
        file: the file's whole path.
        sha256: the hash of the file's content.
        parent: the hash of the file that it was made from; None if it was made from the trial itself, and `sha256` if
            nothing was made.
        facts: figures and settings.
        at: the time in UTC (ISO 8601).
    """

    kind: str
    trial: int
    file: str
    sha256: str
    parent: str | None = None
    facts: Mapping[str, JSON] = field(default_factory=dict)
    at: str = field(default_factory=_now, compare=False)


@dataclass(frozen=True)
class LineageNode:
    """An entry of the ledger and what was made from its file.

    Attributes:
        entry: the entry.
        then: what was made from its file.
    """

    entry: LedgerEntry
    then: list[LineageNode] = field(default_factory=list)


def record(storage: str | BaseStorage, study_name: str, entry: LedgerEntry) -> None:
    """Write an entry, unless there is one that differs only in its time.

    Args:
        storage: the storage's address, or a storage object of Optuna.
        study_name: the study.
        entry: the entry.

    Raises:
        SearchError: the storage, the study or the trial does not exist, or JSON cannot hold the facts.
    """
    value = asdict(entry)
    try:
        value = json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise SearchError(f"the {entry.kind} of trial {entry.trial}: {error}: record plain data") from None
    with quiet_optuna(), connect(storage, create=False) as connection:
        study = connection.find_study(study_name)
        try:
            connection.call(connection.storage.get_trial_id_from_study_id_trial_number, study, entry.trial)
        except KeyError:
            raise SearchError(f"study {study_name!r} has no trial {entry.trial}: check its number") from None
        if LedgerEntry(**value) not in _entries(connection, study):
            key = f"{_PREFIX}{entry.at}-{uuid.uuid4().hex[:8]}"
            connection.call(connection.storage.set_study_user_attr, study, key, value)


def read(storage: str | BaseStorage, study_name: str) -> list[LedgerEntry]:
    """Read a study's entries.

    Args:
        storage: the storage's address, or a storage object of Optuna.
        study_name: the study.

    Returns:
        The entries, the oldest first.

    Raises:
        SearchError: the storage or the study does not exist, or an entry cannot be read.
    """
    with quiet_optuna(), connect(storage, create=False) as connection:
        return connection.read(_entries, connection, connection.find_study(study_name))


def trace(entries: Sequence[LedgerEntry]) -> list[LineageNode]:
    """Arrange entries as trees: each below the last earlier one of its trial whose file it was made from.

    Args:
        entries: the entries of a study.

    Returns:
        The roots: entries that were made from a trial, or whose origin is not in the ledger.
    """
    roots: list[LineageNode] = []
    makers: dict[tuple[int, str | None], LineageNode] = {}
    for entry in sorted(entries, key=attrgetter("at")):
        made = LineageNode(entry)
        maker = makers.get((entry.trial, entry.parent))
        (roots if maker is None else maker.then).append(made)
        if entry.sha256 != entry.parent:
            makers[entry.trial, entry.sha256] = made
    return roots


def _entries(connection: Connection, study: int) -> list[LedgerEntry]:
    attributes: Mapping[str, Any] = connection.call(connection.storage.get_study_user_attrs, study)
    found = []
    for key, value in attributes.items():
        if key.startswith(_PREFIX):
            try:
                found.append(_as_entry(value))
            except (TypeError, ValueError) as error:
                raise SearchError(
                    f"the entry {key!r} in {connection.address.label} cannot be read ({error}): another version"
                    " of this package wrote it, use that one"
                ) from None
    return sorted(found, key=attrgetter("at"))


def _as_entry(value: Any) -> LedgerEntry:
    """TypeError or ValueError for an attribute that is no entry."""
    entry = LedgerEntry(**value)
    texts = {name: getattr(entry, name) for name in ("kind", "file", "sha256", "at")}
    texts["parent"] = "" if entry.parent is None else entry.parent
    for name, text in texts.items():
        if not isinstance(text, str):
            raise TypeError(f"{name} is {text!r:.60}, not a text")
    if type(entry.trial) is not int:
        raise TypeError(f"trial is {entry.trial!r:.60}, not a whole number")
    if not isinstance(entry.facts, Mapping):
        raise TypeError(f"facts is {entry.facts!r:.60}, not a mapping")
    datetime.fromisoformat(entry.at)
    return entry
