"""A finished trial of a study that was picked to be fine-tuned: what `mfagan pick` writes, in every system."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, ClassVar, TypeVar

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from mfagan import checkpoint
from mfagan.checkpoint import Checkpoint
from mfagan.errors import InputError, describe_fault
from mfagan.files import read_text, write_atomic

__all__ = ["STRICT_PICK", "BasePicked", "parse_recorded_pick", "read_pick"]

STRICT_PICK = ConfigDict(extra="forbid")
"""A field that is not known is refused, not ignored."""


@dataclass(frozen=True, kw_only=True, config=STRICT_PICK)
class BasePicked:
    """What the picks of all systems have in common; a system adds the choice and its quality."""

    SUPERNET: ClassVar[str] = "supernet"
    """What errors call the network that the trial is a slice of."""

    study: str
    """The study's name."""
    trial: Annotated[int, Field(ge=0)]
    """The trial's number."""
    latency_ms: Annotated[float, Field(gt=0)]
    """Price by the look-up table, in ms."""
    params: int
    """Learned parameters."""
    flops: int
    """FLOPs in the paper's count at the target size."""
    memory_bytes: int
    """Memory traffic in bytes at the target size."""
    lut_sha256: str
    """Hash of the look-up table that priced it."""
    supernet: str
    """The checkpoint file of the weight-shared network."""
    supernet_sha256: str
    """Hash of that file."""
    lut_machine: str = ""
    """Where that table was measured (`TableMachine.to_text`); empty in picks of earlier versions."""
    storage: str = ""
    """Where the study is kept, without a password; empty in picks of earlier versions."""
    reason: str = ""
    """Why it was picked, in one line; empty in picks of earlier versions."""

    def save(self, path: str | Path) -> None:
        """Write it as JSON, whole or not at all.

        Args:
            path: The file to write.
        """
        write_atomic(path, json.dumps(self._as_dict(), indent=2) + "\n")

    def as_record(self) -> dict[str, object]:
        """What the checkpoint of its fine-tuned network records; `parse_recorded_pick` reads it back."""
        picked = self._as_dict()
        return {"storage": picked.pop("storage"), "picked": picked}

    def _as_dict(self) -> dict[str, object]:
        """Plain data; what an earlier version did not know is left out, so that its trainings go on."""
        fields = asdict(self)  # pyright: ignore[reportArgumentType]
        for name in ("lut_machine", "reason"):
            if not fields[name]:
                del fields[name]
        return fields

    def read_supernet(
        self, network: str, role: str | None = None, supernet: str | Path | None = None
    ) -> tuple[Path, Checkpoint]:
        """The checkpoint of the weight-shared network that it was picked from.

        Args:
            network: The kind of that network.
            role: Its role; None for any.
            supernet: The checkpoint's file if it has moved; None for the recorded path.

        Returns:
            Its file and what it holds.

        Raises:
            InputError: The file is missing, another network, or not the one that the trial was scored on.
        """
        path = Path(self.supernet if supernet is None else supernet)
        found = checkpoint.read(path, network, role)
        if checkpoint.sha256(path) != self.supernet_sha256:
            raise InputError(
                f"{self.SUPERNET} {path}: its sha256 is {checkpoint.sha256(path)[:12]}..., trial {self.trial} was "
                f"scored on {self.supernet_sha256[:12]}...; give the original with --supernet"
            )
        return path, found


PickedT = TypeVar("PickedT", bound=BasePicked)


def read_pick(kind: type[PickedT], path: str | Path) -> PickedT:
    """Read the pick of a file.

    Args:
        kind: A system's class of picks.
        path: A file that `mfagan pick` wrote.

    Returns:
        The pick.

    Raises:
        InputError: No such file, not JSON, or a field that is missing or wrong.
    """
    try:
        return TypeAdapter(kind).validate_json(read_text(path))
    except InputError as error:
        raise InputError(f"pick {error}; write one with `mfagan pick`") from None
    except ValidationError as error:
        raise InputError(f"pick {path}: {describe_fault(error)}; write one with `mfagan pick`") from None


def parse_recorded_pick(kind: type[PickedT], found: Checkpoint, path: str | Path) -> PickedT | None:
    """The pick that a checkpoint was fine-tuned from.

    Args:
        kind: A system's class of picks.
        found: The checkpoint.
        path: Its file, for errors.

    Returns:
        The pick, or None if it was not fine-tuned from one.

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
