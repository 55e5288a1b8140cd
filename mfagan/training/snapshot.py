"""Snapshots of an unfinished training: everything that changes from step to step, written whole or not at all."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import torch

from mfagan.errors import InputError
from mfagan.files import replacing

__all__ = ["Snapshot", "SnapshotKeeper", "Stateful", "read_snapshot", "require_same"]

_FORMAT = "mfagan-snapshot/1"

Identity = Mapping[str, object]
"""Plain data by which two trainings differ."""


class Stateful(Protocol):
    """A module, an optimizer: what gives its state and takes it back."""

    def state_dict(self) -> dict: ...  # noqa: D102
    def load_state_dict(self, state_dict: dict, /) -> object: ...  # noqa: D102


@dataclass(frozen=True)
class Snapshot:
    """A training after some steps."""

    step: int
    """How many."""
    identity: Identity
    """Plain data by which two trainings differ."""
    parts: Mapping[str, Mapping]
    """States by name."""
    notes: Mapping[str, object] = field(default_factory=dict)
    """More plain data."""

    def save(self, path: Path) -> None:
        """Write a file of it, tensor by tensor: states may fill most of the memory.

        Args:
            path: the file.
        """
        torch.save({"format": _FORMAT, **vars(self)}, path)

    def restore(self, parts: Mapping[str, Stateful]) -> None:
        """Give every part its state back.

        Args:
            parts: those whose states the snapshot holds, by the same names.
        """
        for name, part in parts.items():
            part.load_state_dict(dict(self.parts[name]))


class SnapshotKeeper:
    """Takes snapshots of a training and keeps each after the next step has shown that its weights are good.

    Until then a snapshot waits in a file beside the kept one, whose name ends in `.next`. Used as a context: leaving it
    keeps the snapshot that still waits, unless an error of type `discard` ends it.
    """

    def __init__(
        self,
        path: Path,
        identity: Identity,
        parts: Mapping[str, Stateful],
        kept: int | None,
        writes: bool,
        discard: type[BaseException],
    ) -> None:
        """A keeper of one training's file.

        Args:
            path: the file.
            identity: the training's.
            parts: what changes from step to step, by name.
            kept: the step of the snapshot that is at `path` already, or None.
            writes: whether this process is the one that writes.
            discard: the error after which the waiting snapshot is not written.
        """
        self.kept = kept
        self._path = Path(os.path.realpath(path))
        self._next = self._path.with_name(f"{self._path.name}.next")
        self._identity = identity
        self._parts = parts
        self._writes = writes
        self._discard = discard
        self._waiting: int | None = None

    def __enter__(self) -> None:
        self._remove_next()  # of a process that was killed: nothing has shown that it is good

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, self._discard):
            self._remove_next()
        else:
            self.keep()

    def take(self, step: int) -> None:
        """Take a snapshot, to be kept by the next `keep`.

        Args:
            step: the number of steps made.

        Raises:
            InputError: it cannot be written.
        """
        if self._writes:
            states = {name: part.state_dict() for name, part in self._parts.items()}
            with replacing(self._next) as file:
                Snapshot(step, self._identity, states).save(file)
        self._waiting = step

    def keep(self) -> None:
        """Put the snapshot that waits, if any, in the place of the one before it."""
        if self._waiting is None:
            return
        self.kept, self._waiting = self._waiting, None
        if self._writes:
            os.replace(self._next, self._path)

    def _remove_next(self) -> None:
        if self._writes:
            self._next.unlink(missing_ok=True)


def read_snapshot(
    path: str | Path, identity: Identity, reduce: Callable[[Identity], Identity] = dict
) -> Snapshot | None:
    """Read the snapshot of a training.

    Args:
        path: its file.
        identity: the training's.
        reduce: drops from the identity in the file what `identity` leaves out, such as settings without effect.

    Returns:
        The snapshot on the CPU, or None if there is no such file.

    Raises:
        InputError: it is damaged, or of a training with another identity.
    """
    path = Path(path)
    if not path.exists():
        return None
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
        if found.pop("format") != _FORMAT:
            raise ValueError("another format")
        snapshot = Snapshot(**found)
    # torch's unpickler reports damage with many types (IndexError, KeyError, EOFError, UnpicklingError, ...).
    except Exception as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise InputError(
            f"snapshot {path}: not readable ({reason:.120}); remove it to start from the beginning"
        ) from None
    require_same(path, reduce(snapshot.identity), identity)
    return snapshot


def require_same(path: str | Path, found: Identity, wanted: Identity) -> None:
    """Check that a file belongs to a training.

    Args:
        path: the file, which errors name.
        found: the identity in it.
        wanted: the training's.

    Raises:
        InputError: they differ; names the first difference.
    """
    first = _first_difference(found, wanted)
    if first is not None:
        name, before, now = first
        raise InputError(
            f"{path} was made with other settings ({name} was {before!r:.80}, now {now!r:.80}): give another folder, "
            "or remove it to train again, as --restart does in the commands that have it"
        )


def _first_difference(found: object, wanted: object, name: str = "") -> tuple[str, object, object] | None:
    if isinstance(found, Mapping) and isinstance(wanted, Mapping):
        for key in (*wanted, *(key for key in found if key not in wanted)):
            inner = f"{name}.{key}" if name else str(key)
            if key not in found or key not in wanted:
                return inner, found.get(key, "not given"), wanted.get(key, "not given")
            if (first := _first_difference(found[key], wanted[key], inner)) is not None:
                return first
        return None
    return None if found == wanted else (name, found, wanted)
