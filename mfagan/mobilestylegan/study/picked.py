"""A picked slice of a weight-shared student: what `mfagan mobilestylegan finetune` reads."""

from pathlib import Path
from typing import Annotated

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from mfagan.checkpoint import Checkpoint
from mfagan.errors import InputError
from mfagan.study.picked import Pick, pick_of, read_pick
from search.problem import JSON, Point

__all__ = ["PickedStudent", "as_picked", "picked_of", "read_picked"]


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class PickedStudent(Pick):
    """One finished trial of a study."""

    study: str
    """The study's name."""
    trial: Annotated[int, Field(ge=0)]
    """The trial's number."""
    choice: dict[str, int]
    """The width in channels at each resolution: c4, c8, ..."""
    distance: float
    """Mean absolute difference of the slice with inherited weights from the teacher's images, RGB in [0, 1]."""
    latency_ms: Annotated[float, Field(gt=0)]
    """Price by the look-up table, in ms."""
    params: int
    """Learned parameters, the mapping network's included."""
    flops: int
    """FLOPs of one image, the mapping network's included."""
    memory_bytes: int
    """Memory traffic of one image in bytes."""
    lut_sha256: str
    """Hash of the look-up table that priced it."""
    student: str
    """The weight-shared student's checkpoint file."""
    student_sha256: str
    """Hash of that file."""
    teacher: str
    """The teacher's checkpoint file."""
    teacher_sha256: str
    """Hash of that file."""
    lut_machine: str = ""
    """Where that table was measured (`TableMachine.to_text`)."""
    storage: str = ""
    """Where the study is kept, without a password."""
    reason: str = ""
    """Why it was picked, in one line."""

    def facts(self) -> dict[str, JSON]:
        """As in `Pick`."""
        return {"choice": self.choice, "distance": self.distance, "latency_ms": self.latency_ms}

    @property
    def channels(self) -> tuple[int, ...]:
        """The slice's at 4, 8, ... px."""
        return tuple(self.choice[name] for name in sorted(self.choice, key=lambda one: int(one[1:])))

    def find_student(self, student: str | Path | None = None) -> Path:
        """The weight-shared student's file.

        Args:
            student: Where it is if it has moved; None for the recorded path.

        Raises:
            InputError: The file is missing, or not the one that the trial was scored on.
        """
        return self.find_scored("student", self.student if student is None else student, self.student_sha256)

    def find_teacher(self, teacher: str | Path | None = None) -> Path:
        """The teacher's file.

        Args:
            teacher: Where it is if it has moved; None for the recorded path.

        Raises:
            InputError: The file is missing or another.
        """
        return self.find_scored("teacher", self.teacher if teacher is None else teacher, self.teacher_sha256)


_CARRIED = (
    *("params", "flops", "memory_bytes", "lut_sha256"),
    *("student", "student_sha256", "teacher", "teacher_sha256"),
)
"""Attributes of a trial that a pick has under the same names."""


def as_picked(study: str, point: Point) -> PickedStudent:
    """A study's point as a pick.

    Args:
        study: The study's name.
        point: One of its points.

    Raises:
        InputError: The study is not one of students.
    """
    carried = {name: point.attributes.get(name) for name in _CARRIED}
    if None in carried.values():
        raise InputError(
            f"study {study!r}: its trials are not students; pick from a study of `mfagan mobilestylegan search`"
        )
    distance, latency_ms = point.values[:2]
    return PickedStudent(
        study=study,
        trial=point.number,
        choice={name: int(width) for name, width in point.choice.items()},
        distance=distance,
        latency_ms=latency_ms,
        lut_machine=str(point.attributes.get("lut_machine", "")),
        **carried,  # pyright: ignore[reportArgumentType] - checked by PickedStudent
    )


def read_picked(path: str | Path) -> PickedStudent:
    """The pick of a file.

    Args:
        path: A file that `mfagan mobilestylegan pick` wrote.

    Raises:
        InputError: No such file, not JSON, or a field that is missing or wrong.
    """
    return read_pick(path, PickedStudent, "mfagan mobilestylegan pick")


def picked_of(found: Checkpoint, path: str | Path) -> PickedStudent | None:
    """The pick that a checkpoint was fine-tuned from, or None if it was not fine-tuned from one.

    Args:
        found: The checkpoint.
        path: Its file, for errors.

    Raises:
        InputError: A field of the pick is missing or wrong.
    """
    return pick_of(found, path, PickedStudent)
