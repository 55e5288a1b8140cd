"""A picked SubGenerator as a file: what `mfagan pick` writes and `mfagan finetune` reads."""

from pathlib import Path
from typing import ClassVar

from pydantic.dataclasses import dataclass

from mfagan.checkpoint import Checkpoint
from mfagan.sr.network.supergenerator import SuperGenerator
from mfagan.sr.network.widths import Widths, require_choice
from mfagan.training.picked import STRICT_PICK, BasePicked, parse_recorded_pick, read_pick

__all__ = ["Picked", "picked_of", "read_picked"]


@dataclass(frozen=True, kw_only=True, config=STRICT_PICK)
class Picked(BasePicked):
    """One finished trial of a study of SubGenerators."""

    SUPERNET: ClassVar[str] = "SuperGenerator"

    widths: tuple[int, ...]
    """The eight widths in channels, in the order of `widths.NAMES`."""
    psnr_db: float
    """PSNR-Y of the slice with inherited weights, in dB."""

    def as_widths(self) -> Widths:
        """The SubGenerator's widths."""
        return Widths.of(list(self.widths))

    def load_supernet(self, supernet: str | Path | None = None) -> tuple[SuperGenerator, Checkpoint]:
        """The SuperGenerator that it was picked from, and that one's checkpoint.

        Args:
            supernet: The checkpoint's file if it has moved; None for the recorded path.

        Raises:
            InputError: The file is missing, not a SuperGenerator, or not the one that the trial was scored on.
        """
        path, found = self.read_supernet("mfanet", "supergenerator", supernet)
        return SuperGenerator.from_checkpoint(found, path), found


def read_picked(path: str | Path) -> Picked:
    """The pick of a file.

    Args:
        path: A file that `mfagan pick` wrote.

    Raises:
        InputError: No such file, not JSON, or a field that is missing or wrong.
    """
    picked = read_pick(Picked, path)
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
    return parse_recorded_pick(Picked, found, path)
