"""Snapshots of an unfinished training: everything that changes from step to step, written whole or not at all."""

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import torch

from mfagan.errors import InputError

_FORMAT = "mfagan-snapshot/1"


class Stateful(Protocol):
    """A module, an optimizer: what gives its state and takes it back."""

    def state_dict(self) -> dict: ...  # noqa: D102
    def load_state_dict(self, state_dict: dict, /) -> object: ...  # noqa: D102


@dataclass(frozen=True)
class Snapshot:
    """A training after `step` steps.

    identity: plain data that tells one training from another. parts: states by name. notes: further plain data.
    """

    step: int
    identity: Mapping[str, object]
    parts: Mapping[str, Mapping]
    notes: Mapping[str, object] = field(default_factory=dict)

    def encode(self) -> bytes:
        """What a file of it holds; later steps of the training do not change it."""
        buffer = io.BytesIO()
        torch.save({"format": _FORMAT, **vars(self)}, buffer)
        return buffer.getvalue()

    def restore(self, parts: Mapping[str, Stateful]) -> None:
        """Give every part its state back."""
        for name, part in parts.items():
            part.load_state_dict(dict(self.parts[name]))


def read_snapshot(path: str | Path, identity: Mapping[str, object]) -> Snapshot | None:
    """The snapshot at `path`, on the CPU; None where there is none.

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
        raise InputError(f"snapshot {path}: not readable ({reason:.120}); remove it to start anew") from None
    require_same(path, snapshot.identity, identity)
    return snapshot


def require_same(path: str | Path, found: Mapping[str, object], wanted: Mapping[str, object]) -> None:
    """InputError where two identities differ, naming the first difference."""
    first = _first_difference(found, wanted)
    if first is not None:
        name, before, now = first
        raise InputError(
            f"{path} was made with other settings ({name} was {before!r:.80}, now {now!r:.80}): give another folder, "
            "or remove it to train it anew, as --restart does where the command has it"
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
