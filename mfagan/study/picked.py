"""A picked trial as a file: what `mfagan pick` writes and `finetune` reads, in any system."""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Self, TypeVar

from pydantic import TypeAdapter, ValidationError

from mfagan import checkpoint
from mfagan.checkpoint import Checkpoint
from mfagan.errors import InputError, describe_fault
from mfagan.files import read_text, write_atomic
from search.problem import JSON

__all__ = ["Pick", "pick_of", "read_pick"]


class Pick(ABC):
    """One finished trial of a study; a system's own is a pydantic dataclass with these fields and more."""

    study: str
    """The study's name."""
    trial: int
    """The trial's number."""
    latency_ms: float
    """Price by the look-up table, in ms."""
    lut_machine: str
    """Where that table was measured (`TableMachine.to_text`); empty in picks of earlier versions."""
    storage: str
    """Where the study is kept, without a password; empty in picks of earlier versions."""
    reason: str
    """Why it was picked, in one line; empty in picks of earlier versions."""

    def find_scored(self, name: str, path: str | Path, sha256: str) -> Path:
        """Find a file that the trial was scored with.

        Args:
            name: What it is, and the option that gives it.
            path: Where it is.
            sha256: Its hash then.

        Returns:
            Its path.

        Raises:
            InputError: It is missing, or another one.
        """
        place = Path(path)
        if not place.is_file():
            raise InputError(f"{name} {place}: no such file; give it with --{name}")
        found = checkpoint.sha256(place)
        if found != sha256:
            raise InputError(
                f"{name} {place}: its sha256 is {found[:12]}..., trial {self.trial} was scored with {sha256[:12]}...; "
                f"give the original with --{name}"
            )
        return place

    @abstractmethod
    def facts(self) -> dict[str, JSON]:
        """What a command answers and the history shows: the choice and the values."""

    def with_reason(self, storage: str, reason: str) -> Self:
        """The same pick with what picking adds to a trial.

        Args:
            storage: Where the study is kept, without a password.
            reason: Why it was picked, in one line.
        """
        return replace(self, storage=storage, reason=reason)  # pyright: ignore[reportArgumentType]

    def save(self, path: str | Path) -> None:
        """Write it as JSON, whole or not at all.

        Args:
            path: The file to write.
        """
        write_atomic(path, json.dumps(self._as_dict(), indent=2) + "\n")

    def as_record(self) -> dict[str, object]:
        """What the checkpoint of its fine-tuned network records; `pick_of` reads it back."""
        picked = self._as_dict()
        return {"storage": picked.pop("storage"), "picked": picked}

    def _as_dict(self) -> dict[str, object]:
        """Plain data; what an earlier version did not know is left out, so that its trainings go on."""
        fields = asdict(self)  # pyright: ignore[reportArgumentType]
        for name in ("lut_machine", "reason"):
            if not fields[name]:
                del fields[name]
        return fields


Kind = TypeVar("Kind", bound=Pick)


def read_pick(path: str | Path, kind: type[Kind], command: str = "mfagan pick") -> Kind:
    """The pick of a file.

    Args:
        path: A file that a pick was saved in.
        kind: The system's class of picks.
        command: What writes one, for errors.

    Raises:
        InputError: No such file, not JSON, or a field that is missing or wrong.
    """
    try:
        return TypeAdapter(kind).validate_json(read_text(path))
    except InputError as error:
        raise InputError(f"pick {error}; write one with `{command}`") from None
    except ValidationError as error:
        raise InputError(f"pick {path}: {describe_fault(error)}; write one with `{command}`") from None


def pick_of(found: Checkpoint, path: str | Path, kind: type[Kind]) -> Kind | None:
    """The pick that a checkpoint was fine-tuned from, or None if it was not fine-tuned from one.

    Args:
        found: The checkpoint.
        path: Its file, for errors.
        kind: The system's class of picks.

    Raises:
        InputError: A field of the pick is missing or wrong.
    """
    fields = found.record.get("picked")
    if not isinstance(fields, Mapping):
        return None
    try:
        return TypeAdapter(kind).validate_python({"storage": found.record.get("storage", ""), **fields})
    except ValidationError as error:
        raise InputError(
            f"checkpoint {path}: its pick: {describe_fault(error)}; fine-tune it again"
        ) from None
