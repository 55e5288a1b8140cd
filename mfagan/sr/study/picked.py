"""A picked SubGenerator as a file: what `mfagan pick` writes and `mfagan finetune` reads."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from mfagan import checkpoint
from mfagan.checkpoint import Checkpoint
from mfagan.errors import InputError, describe_fault
from mfagan.files import read_text, write_atomic
from mfagan.sr.network.supergenerator import SuperGenerator
from mfagan.sr.network.widths import Widths, require_choice

__all__ = ["Picked", "picked_of", "read_picked"]


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Picked:
    """One finished trial of a study."""

    study: str
    """The study's name."""
    trial: Annotated[int, Field(ge=0)]
    """The trial's number."""
    widths: tuple[int, ...]
    """The eight widths in channels, in the order of `widths.NAMES`."""
    psnr_db: float
    """PSNR-Y of the slice with inherited weights, in dB."""
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
    """The SuperGenerator's checkpoint file."""
    supernet_sha256: str
    """Hash of that file."""
    lut_machine: str = ""
    """Where that table was measured (`TableMachine.to_text`); empty in picks of earlier versions."""
    storage: str = ""
    """Where the study is kept, without a password; empty in picks of earlier versions."""
    reason: str = ""
    """Why it was picked, in one line; empty in picks of earlier versions."""

    def as_widths(self) -> Widths:
        """The SubGenerator's widths."""
        return Widths.of(list(self.widths))

    def save(self, path: str | Path) -> None:
        """Write it as JSON, whole or not at all.

        Args:
            path: The file to write.
        """
        write_atomic(path, json.dumps(self._as_dict(), indent=2) + "\n")

    def as_record(self) -> dict[str, object]:
        """What the checkpoint of its fine-tuned network records; `picked_of` reads it back."""
        picked = self._as_dict()
        return {"storage": picked.pop("storage"), "picked": picked}

    def _as_dict(self) -> dict[str, object]:
        """Plain data; what an earlier version did not know is left out, so that its trainings go on."""
        fields = asdict(self)  # pyright: ignore[reportArgumentType]
        for name in ("lut_machine", "reason"):
            if not fields[name]:
                del fields[name]
        return fields

    def load_supernet(self, supernet: str | Path | None = None) -> tuple[SuperGenerator, Checkpoint]:
        """The SuperGenerator that it was picked from, and that one's checkpoint.

        Args:
            supernet: The checkpoint's file if it has moved; None for the recorded path.

        Raises:
            InputError: The file is missing, not a SuperGenerator, or not the one that the trial was scored on.
        """
        path = Path(self.supernet if supernet is None else supernet)
        found = checkpoint.read(path, "mfanet", "supergenerator")
        if checkpoint.sha256(path) != self.supernet_sha256:
            raise InputError(
                f"SuperGenerator {path}: its sha256 is {checkpoint.sha256(path)[:12]}..., trial {self.trial} was "
                f"scored on {self.supernet_sha256[:12]}...; give the original with --supernet"
            )
        return SuperGenerator.from_checkpoint(found, path), found


def read_picked(path: str | Path) -> Picked:
    """The pick of a file.

    Args:
        path: A file that `mfagan pick` wrote.

    Raises:
        InputError: No such file, not JSON, or a field that is missing or wrong.
    """
    try:
        picked = TypeAdapter(Picked).validate_json(read_text(path))
    except InputError as error:
        raise InputError(f"pick {error}; write one with `mfagan pick`") from None
    except ValidationError as error:
        raise InputError(f"pick {path}: {describe_fault(error)}; write one with `mfagan pick`") from None
    require_choice(picked.as_widths())
    return picked


def picked_of(found: Checkpoint, path: str | Path) -> Picked | None:
    """The pick that a checkpoint was fine-tuned from, or None if it was not fine-tuned from one.

    Args:
        found: The checkpoint.
        path: Its file, for errors.

    Raises:
        InputError: A field of the pick is missing or wrong.
    """
    fields = found.record.get("picked")
    if not isinstance(fields, Mapping):
        return None
    try:
        return TypeAdapter(Picked).validate_python({"storage": found.record.get("storage", ""), **fields})
    except ValidationError as error:
        raise InputError(
            f"checkpoint {path}: its pick: {describe_fault(error)}; fine-tune it again"
        ) from None
