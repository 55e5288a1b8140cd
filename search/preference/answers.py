"""What a person answered, as the page saves it, and whether it is about a given study."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, Strict, ValidationError

from search.errors import SearchError, first_fault
from search.files import read_bytes
from search.problem import Point

if TYPE_CHECKING:
    from search.study import StudyRecord

__all__ = ["Answer", "Answers", "hash_points", "read_answers"]

_REMEDY = "save it again at the end of the page of comparisons"
_Trial = Annotated[int, Field(ge=0)]


class Answer(BaseModel):
    """One comparison and what was answered."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    left: _Trial
    """The trial on the left."""
    right: _Trial
    """The trial on the right."""
    scene: str
    """The name of the scene."""
    better: Literal["left", "right", "neither"]
    """The side that looked better; neither if they could not be told apart."""

    @property
    def winner(self) -> int | None:
        """The trial that looked better, or None if neither did."""
        return {"left": self.left, "right": self.right, "neither": None}[self.better]


class Answers(BaseModel):
    """All answers of one person."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    format: Literal["answers-by-eye/1"]
    study: str
    """The study's name."""
    points_sha256: str
    """`hash_points` of the trials that were compared."""
    answers: Annotated[tuple[Answer, ...], Strict(False), Field(min_length=1)]

    @property
    def trials(self) -> list[int]:
        """The numbers of the trials that were compared, in ascending order."""
        return sorted({trial for one in self.answers for trial in (one.left, one.right)})

    def count_consistent(self) -> tuple[int, int]:
        """Count how often a comparison that came again was answered alike.

        Returns:
            The number of repetitions that were answered as before, and the number of repetitions.
        """
        seen: dict[tuple[frozenset[int], str], int | None] = {}
        alike: Counter[bool] = Counter()
        for one in self.answers:
            key = (frozenset((one.left, one.right)), one.scene)
            if key in seen:
                alike[seen[key] == one.winner] += 1
            seen[key] = one.winner
        return alike[True], alike.total()


def read_answers(path: str | PathLike[str], record: StudyRecord) -> Answers:
    """Read the answers about a study's points.

    Args:
        path: the file that the page saved.
        record: the study.

    Returns:
        The answers.

    Raises:
        SearchError: the file cannot be read, is not what a page saves, or is about other points than the study's.
    """
    content = read_bytes(path, "answers", "name the file that the page saved")
    try:
        answers = Answers.model_validate_json(content)
    except ValidationError as error:
        raise SearchError(f"answers {path}: {first_fault(error, _REMEDY)}") from None
    points = [point for point in record.points if point.number in answers.trials]
    if len(points) < len(answers.trials) or hash_points(record.identity, points) != answers.points_sha256:
        raise SearchError(
            f"answers {path}: they are about other points than those of study {record.name!r}, on a page of study "
            f"{answers.study!r}: name the study and the storage that the page was made of"
        )
    return answers


def hash_points(identity: Mapping[str, str], points: Sequence[Point]) -> str:
    """Hash what points are, so that answers are not taken for answers about others.

    Args:
        identity: what the study's values depend on.
        points: the points that are compared.

    Returns:
        A sha256 of the identity and of each point's number, choice and values, in any order of the points.
    """
    facts = [[p.number, p.choice, p.values] for p in sorted(points, key=lambda point: point.number)]
    text = json.dumps([dict(identity), facts], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
