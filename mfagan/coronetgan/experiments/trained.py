"""A trained translator as its checkpoint and its operators tell of it: a row of every table."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mfagan import checkpoint
from mfagan.coronetgan.network import Translator
from mfagan.coronetgan.network.costs import count_costs
from mfagan.coronetgan.training.recipe import Model
from mfagan.coronetgan.training.work import ends_of, open_translator
from mfagan.training.stage import Source

__all__ = ["BACKWARDS", "Trained", "read_trained"]

BACKWARDS = "B to A"
"""The direction of CycleGAN's second translator."""
_DIRECTIONS = {"": "", "_a": "A to B", "_b": BACKWARDS}


@dataclass(frozen=True)
class Trained:
    """A trained translator.

    path: its checkpoint.
    direction: "A to B" or "B to A" of CycleGAN's two, else "".
    network: it, in evaluation mode on the CPU.
    psnr_db: on held-out pairs or, of CycleGAN without pairs, of what comes back of pictures there and back.
    ratio: its share of the dense translator's MACs.
    params: learned parameters.
    macs: multiply-accumulates of one picture of the recipe's size, transposed convolutions at their inputs' resolution.
    macs_at_output: the same, these at their outputs' resolution.
    steps: of the stages that trained it, without the dense translator that it may start or learn from.
    minutes: of its training; of both translators together in CycleGAN.
    minutes_in_all: that and the dense translator's, if it starts or learns from it.
    record: how it was made.
    """

    path: Path
    direction: str
    network: Translator
    psnr_db: float
    ratio: float
    params: int
    macs: int
    macs_at_output: int
    steps: int
    minutes: float
    minutes_in_all: float
    record: Mapping[str, Any] = field(repr=False)

    def as_dict(self) -> dict[str, object]:
        """The figures as plain data."""
        return {
            "file": str(self.path),
            "direction": self.direction or None,
            "psnr_db": self.psnr_db,
            "ratio": self.ratio,
            "params": self.params,
            "macs": self.macs,
            "macs_at_output": self.macs_at_output,
            "widths": dict(self.network.widths),
            "steps": self.steps,
            "minutes": self.minutes,
            "minutes_in_all": self.minutes_in_all,
        }


def read_trained(paths: list[Path], model: Model, crop_px: int) -> list[Trained]:
    """Read what a stage has left.

    Args:
        paths: the files of its translators: one, or CycleGAN's two.
        model: what was trained.
        crop_px: side of the pictures that costs are counted for.

    Returns:
        The translators in the order of the files.

    Raises:
        InputError: a file is missing or no translator's.
    """
    return [_read(path, end, crop_px) for path, end in zip(paths, ends_of(model), strict=True)]


def _read(path: Path, end: str, crop_px: int) -> Trained:
    found = checkpoint.read(path)
    record: dict[str, Any] = dict(found.record)
    network = open_translator(Source(path, found))
    costs = count_costs(network, crop_px, crop_px)
    own = f"psnr{end}_db"
    minutes = float(record["training_minutes"])
    return Trained(
        path,
        _DIRECTIONS[end],
        network,
        float(record[own] if own in record else record["cycle_psnr_db"]),
        float(record.get(f"ratio_reached{end}", 1.0)),
        costs["input"].params,
        costs["input"].macs,
        costs["output"].macs,
        int(record["steps"]),
        minutes,
        minutes + float(record.get(f"dense_minutes{end}") or 0.0),
        record,
    )
