"""A picked SubGenerator as a file: what `mfagan pick` writes and `mfagan finetune` reads."""

from pathlib import Path
from typing import Annotated

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from mfagan import checkpoint
from mfagan.checkpoint import Checkpoint
from mfagan.errors import InputError
from mfagan.sr.network.supergenerator import SuperGenerator
from mfagan.sr.network.widths import Widths, require_choice
from mfagan.study.picked import Pick, pick_of, read_pick
from search.problem import JSON

__all__ = ["Picked", "picked_of", "read_picked"]


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Picked(Pick):
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

    def facts(self) -> dict[str, JSON]:
        """As in `Pick`."""
        return {"widths": list(self.widths), "psnr_db": self.psnr_db, "latency_ms": self.latency_ms}

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
    picked = read_pick(path, Picked)
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
    return pick_of(found, path, Picked)
