"""A picked slice of a weight-shared translator: what `mfagan coronetgan finetune` reads."""

from pathlib import Path
from typing import Annotated

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from mfagan.checkpoint import Checkpoint
from mfagan.coronetgan.network.slices import read_widths
from mfagan.coronetgan.network.translator import Translator
from mfagan.errors import InputError
from mfagan.study.picked import Pick, pick_of, read_pick
from search.problem import JSON, Point

__all__ = ["PickedTranslator", "as_picked", "picked_of", "read_picked"]


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class PickedTranslator(Pick):
    """One finished trial of a study."""

    study: str
    """The study's name."""
    trial: Annotated[int, Field(ge=0)]
    """The trial's number."""
    choice: dict[str, int]
    """The width in channels of each choice, as in `tied_latents`."""
    quality: str
    """What the trial was scored by: `psnr_db` to the targets, or `distance` to the unpruned pictures."""
    value: float
    """That quality of the slice with inherited weights, in dB, or RGB in [0, 1]."""
    latency_ms: Annotated[float, Field(gt=0)]
    """Price by the look-up table, in ms."""
    params: int
    """Learned parameters."""
    flops: int
    """FLOPs of one picture."""
    memory_bytes: int
    """Memory traffic of one picture in bytes."""
    lut_sha256: str
    """Hash of the look-up table that priced it."""
    supernet: str
    """The weight-shared translator's checkpoint file."""
    supernet_sha256: str
    """Hash of that file."""
    role: str
    """The network's role there: CycleGAN's two end in _a and _b."""
    lut_machine: str = ""
    """Where that table was measured (`TableMachine.to_text`)."""
    storage: str = ""
    """Where the study is kept, without a password."""
    reason: str = ""
    """Why it was picked, in one line."""

    def facts(self) -> dict[str, JSON]:
        """As in `Pick`."""
        return {"choice": self.choice, self.quality: self.value, "latency_ms": self.latency_ms}

    def widths(self, translator: Translator) -> dict[str, int]:
        """The channels of every latent of the slice.

        Args:
            translator: The weight-shared network.
        """
        return read_widths(translator, self.choice)

    def find_supernet(self, supernet: str | Path | None = None) -> Path:
        """The weight-shared translator's file.

        Args:
            supernet: Where it is if it has moved; None for the recorded path.

        Raises:
            InputError: The file is missing, or not the one that the trial was scored on.
        """
        return self.find_scored(
            "supernet", self.supernet if supernet is None else supernet, self.supernet_sha256
        )


_CARRIED = ("params", "flops", "memory_bytes", "lut_sha256", "supernet", "supernet_sha256", "role", "quality")
"""Attributes of a trial that a pick has under the same names."""


def as_picked(study: str, point: Point) -> PickedTranslator:
    """A study's point as a pick.

    Args:
        study: The study's name.
        point: One of its points.

    Raises:
        InputError: The study is not one of translators.
    """
    carried = {name: point.attributes.get(name) for name in _CARRIED}
    if None in carried.values():
        raise InputError(
            f"study {study!r}: its trials are not translators; pick from a study of `mfagan coronetgan search`"
        )
    value, latency_ms = point.values[:2]
    return PickedTranslator(
        study=study,
        trial=point.number,
        choice={name: int(width) for name, width in point.choice.items()},
        value=value,
        latency_ms=latency_ms,
        lut_machine=str(point.attributes.get("lut_machine", "")),
        **carried,  # pyright: ignore[reportArgumentType] - checked by PickedTranslator
    )


def read_picked(path: str | Path) -> PickedTranslator:
    """The pick of a file.

    Args:
        path: A file that `mfagan coronetgan pick` wrote.

    Raises:
        InputError: No such file, not JSON, or a field that is missing or wrong.
    """
    return read_pick(path, PickedTranslator, "mfagan coronetgan pick")


def picked_of(found: Checkpoint, path: str | Path) -> PickedTranslator | None:
    """The pick that a checkpoint was fine-tuned from, or None if it was not fine-tuned from one.

    Args:
        found: The checkpoint; CycleGAN's other translator, which was trained beside it, is of no pick.
        path: Its file, for errors.

    Raises:
        InputError: A field of the pick is missing or wrong.
    """
    picked = pick_of(found, path, PickedTranslator)
    if picked is None or any(picked.role.endswith(end) != found.role.endswith(end) for end in ("_a", "_b")):
        return None
    return picked
