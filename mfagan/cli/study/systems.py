"""The systems whose studies the commands browse, pick from and record.

Each has the same functions in its `study/opened.py`.
"""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from mfagan.checkpoint import Checkpoint
from mfagan.errors import InputError
from mfagan.shipped import SYSTEMS
from mfagan.study.opened import Given, OpenedStudy
from mfagan.study.picked import Pick
from search.problem import Choice, Objective, Point
from search.study import StudyRecord

__all__ = ["System", "find_system", "pick_of", "require_system"]


class System(NamedTuple):
    """One of the systems.

    group: the words of its commands after `mfagan`.
    package: where it is; its studies are opened by its `study/opened.py`.
    """

    group: tuple[str, ...]
    package: str

    @property
    def _opened(self) -> Any:
        return import_module(f"{self.package}.study.opened")

    @property
    def objectives(self) -> Sequence[Objective]:
        """Every objective that a study may have, with its title."""
        return self._opened.OBJECTIVES

    def has(self, record: StudyRecord) -> bool:
        """Whether a study is one of this system.

        Args:
            record: the study.
        """
        return self._opened.is_mine(record.choices)

    def known_choices(self, record: StudyRecord) -> Sequence[Choice]:
        """The choices that a search evaluates first.

        Args:
            record: a study of this system.
        """
        return self._opened.known_choices(record.choices)

    def open(self, record: StudyRecord, given: Given, n_scenes: int) -> OpenedStudy:
        """Open a study's sources, as far as they are there.

        Args:
            record: a study of this system.
            given: where they are by the user's word.
            n_scenes: how many scenes are shown; 0 to run no network at all.
        """
        return self._opened.open_study(
            record.choices, record.points, record.sources, record.identity, given, n_scenes
        )

    def as_picked(self, study: str, point: Point) -> Pick:
        """A study's point as a pick.

        Args:
            study: the study's name.
            point: one of its points.

        Raises:
            InputError: the study is not one of this system.
        """
        return self._opened.as_picked(study, point)

    def picked_of(self, found: Checkpoint, path: Path) -> Pick | None:
        """The pick that a checkpoint was fine-tuned from, or None if it was not fine-tuned from one.

        Args:
            found: a checkpoint of this system.
            path: its file, for errors.

        Raises:
            InputError: a field of the pick is missing or wrong.
        """
        return self._opened.picked_of(found, path)

    def command(self, *words: object) -> list[str]:
        """A command of this system.

        Args:
            *words: those after the group.
        """
        return ["mfagan", *self.group, *map(str, words)]


_SYSTEMS = (
    System((), "mfagan.sr"),
    System(("mobilestylegan",), "mfagan.mobilestylegan"),
    System(("coronetgan",), "mfagan.coronetgan"),
)


def find_system(record: StudyRecord) -> System | None:
    """The system of a study, or None if it is one of another program.

    Args:
        record: the study.
    """
    return next((one for one in _SYSTEMS if one.has(record)), None)


def require_system(record: StudyRecord) -> System:
    """The system of a study.

    Args:
        record: the study.

    Raises:
        InputError: it is a study of another program.
    """
    found = find_system(record)
    if found is None:
        raise InputError(
            f"study {record.name!r}: its choices are {', '.join(record.choices)}, of no network of this package; pick "
            "from a study of `mfagan search`"
        )
    return found


def pick_of(found: Checkpoint, path: Path) -> Pick | None:
    """The pick that a checkpoint of any system was fine-tuned from, or None if it was not fine-tuned from one.

    Args:
        found: the checkpoint.
        path: its file, for errors.

    Raises:
        InputError: a field of the pick is missing or wrong.
    """
    system = next((one for one in _SYSTEMS if found.network in SYSTEMS[one.package]), None)
    return None if system is None else system.picked_of(found, path)
