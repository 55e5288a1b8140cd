"""A picked slice of a weight-shared student: what `mfagan pick` writes, `mfagan mobilestylegan finetune` reads."""

from pathlib import Path
from typing import ClassVar

from pydantic.dataclasses import dataclass

from mfagan.checkpoint import Checkpoint
from mfagan.errors import InputError
from mfagan.mobilestylegan.network.generator import MobileStyleGAN
from mfagan.training.picked import STRICT_PICK, BasePicked, read_pick
from search.problem import Point

__all__ = ["PickedStudent", "as_picked_student", "read_picked_student"]


@dataclass(frozen=True, kw_only=True, config=STRICT_PICK)
class PickedStudent(BasePicked):
    """One finished trial of a study of students."""

    SUPERNET: ClassVar[str] = "weight-shared student"

    channels: tuple[int, ...]
    """Those of the slice at 4, 8, ..., size / 2 px."""
    distance: float
    """Mean absolute difference from the teacher's images in [0, 1] RGB, with inherited weights."""

    def load_supernet(self, supernet: str | Path | None = None) -> tuple[Path, Checkpoint]:
        """The weight-shared student that it was picked from.

        Args:
            supernet: The checkpoint's file if it has moved; None for the recorded path.

        Returns:
            Its file and what it holds.

        Raises:
            InputError: The file is missing, not a student, or not the one that the trial was scored on.
        """
        return self.read_supernet(MobileStyleGAN.KIND, supernet=supernet)


def read_picked_student(path: str | Path) -> PickedStudent:
    """The pick of a file.

    Args:
        path: A file that `mfagan pick` wrote.

    Raises:
        InputError: No such file, not JSON, or a field that is missing or wrong.
    """
    return read_pick(PickedStudent, path)


def as_picked_student(study: str, point: Point) -> PickedStudent:
    """A study's point as a pick.

    Args:
        study: The study's name.
        point: One of its points, whose choice gives the channels `c4`, `c8`, ... and whose values begin with distance
            and latency in ms.

    Returns:
        The pick.

    Raises:
        InputError: The study is not one of students.
    """
    try:
        channels = [(int(name.removeprefix("c")), point.choice[name]) for name in point.choice]
        distance, latency_ms = point.values[:2]
        carried = {
            name: point.attributes[name]
            for name in ("params", "flops", "memory_bytes", "lut_sha256", "supernet", "supernet_sha256")
        }
    except (KeyError, ValueError):
        raise InputError(
            f"study {study!r}: its trials are not students; pick from a study of `mfagan mobilestylegan search`"
        ) from None
    return PickedStudent(
        study=study,
        trial=point.number,
        channels=tuple(width for _, width in sorted(channels)),  # pyright: ignore[reportArgumentType]
        distance=distance,
        latency_ms=latency_ms,
        lut_machine=str(point.attributes.get("lut_machine", "")),
        **carried,  # pyright: ignore[reportArgumentType] - checked by PickedStudent
    )
