"""The ledger of a study: what was made from its finished trials, which Optuna lets nobody change.

Every entry is an attribute of the study under a name of its own, so that of many writers none overwrites another's.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

from search.errors import SearchError
from search.optuna_logging import quiet_optuna
from search.problem import JSON
from search.storage.connection import Connection, connect

_PREFIX = "ledger:"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


@dataclass(frozen=True)
class LedgerEntry:
    """A file that was made from a trial, or something that was found out about one.

    kind: the step that was done, such as "finetune". trial: the trial's number. file, sha256: the file's whole path
    and its content's hash. parent: the hash of the file that it was made from; None where that was the trial itself,
    and the entry's own hash where nothing was made. facts: figures and settings. at: when, in UTC (ISO 8601).
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
    """An entry and what was made from its file."""

    entry: LedgerEntry
    then: list[LineageNode] = field(default_factory=list)


def record(storage: str, study_name: str, entry: LedgerEntry) -> None:
    """Write an entry; one that differs from an earlier one in its time alone is not written again.

    Raises SearchError where the storage, the study or the trial does not exist, or JSON cannot hold the facts.
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


def read(storage: str, study_name: str) -> list[LedgerEntry]:
    """A study's entries, the oldest first. Raises SearchError where the storage or the study does not exist."""
    with quiet_optuna(), connect(storage, create=False) as connection:
        return _entries(connection, connection.find_study(study_name))


def trace(entries: Sequence[LedgerEntry]) -> list[LineageNode]:
    """The entries as trees: each beneath the last earlier one of its trial whose file it was made from.

    One whose origin is not in the ledger stands for itself.
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
                found.append(LedgerEntry(**value))
            except TypeError as error:
                raise SearchError(
                    f"the entry {key!r} in {connection.address.label} cannot be read ({error}): another version"
                    " of this package wrote it, use that one"
                ) from None
    return sorted(found, key=attrgetter("at"))
