"""Tabular benchmarks with the score of every choice on every case, so that races can be compared at no cost."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from search.benchmarks.tabular import TabularProblem
from search.errors import SearchError
from search.files import read_bytes
from search.problem import Case, Choice, Evaluation, Objective
from search.samplers.base import Space

if TYPE_CHECKING:
    from search.study import StudyRecord

__all__ = ["STEP", "ScoredProblem"]

STEP = 1e-4
"""Scores are rounded to multiples of this, in the objective's unit."""
_FORMAT = "scored-benchmark/1"


class ScoredProblem(TabularProblem):
    """A problem whose scores are all in a table; the value of a scored objective is the mean of its scores.

    Attributes:
        scores: for each scored objective a row for each choice: (choices, cases).
    """

    def __init__(
        self,
        choices: Mapping[str, Sequence[int | float | str]],
        objectives: Sequence[Objective],
        scores: Mapping[str, NDArray[np.float64]],
        values: Mapping[str, Sequence[float]],
        cases: Sequence[Case],
        command: str,
        *,
        identity: Mapping[str, str] | None = None,
        known_choices: Sequence[Choice] = (),
    ) -> None:
        """Make a table.

        Args:
            choices: the options of each choice by its name.
            objectives: the objectives.
            scores: for each scored objective, by its name, a row for each choice: (choices, cases).
            values: for each other objective a number for each choice, known before an evaluation.
            cases: what the choices were scored on.
            command: the command that rebuilds the table.
            identity: what the values depend on.
            known_choices: choices that are evaluated first.

        Raises:
            SearchError: values are missing, or the choices or objectives cannot make a problem.
        """
        means = {name: rows.mean(axis=1).tolist() for name, rows in scores.items()}
        super().__init__(
            choices,
            objectives,
            {**values, **means},
            command,
            foreseen=list(values),
            identity=identity,
            known_choices=known_choices,
        )
        self.scores = dict(scores)
        self.cases = tuple(cases)
        self.raced = tuple(scores)

    @classmethod
    def read(cls, path: str | PathLike[str]) -> Self:
        """Read a table.

        Args:
            path: a file that `to_bytes` made.

        Returns:
            The table.

        Raises:
            SearchError: the file cannot be read.
        """
        content = io.BytesIO(read_bytes(path, "scored benchmark"))
        try:
            with np.load(content, allow_pickle=False) as file:
                facts: dict[str, Any] = json.loads(str(file["facts"]))
                if facts.pop("format") != _FORMAT:
                    raise SearchError("it has another format")
                objectives = [Objective(**one) for one in facts.pop("objectives")]
                cases = [Case(*one) for one in facts.pop("cases")]
                names = facts.pop("scored")
                scores = {
                    name: file[f"{name}:lowest"] + STEP * file[f"{name}:steps"].astype(np.float64)
                    for name in names
                }
                values = {one.name: file[one.name].tolist() for one in objectives if one.name not in names}
            return cls(objectives=objectives, cases=cases, scores=scores, values=values, **facts)
        except (KeyError, TypeError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise SearchError(f"scored benchmark {path}: {error}; build the table again") from None

    @classmethod
    def from_record(
        cls,
        record: StudyRecord,
        command: str,
        foreseen: Sequence[str] = (),
        known_choices: Sequence[Choice] = (),
    ) -> Self:
        """Make the table of a study that evaluated every choice and kept its scores.

        Args:
            record: the study.
            command: the command that rebuilds the table.
            foreseen: names of the objectives that are known before an evaluation: all that have no scores.
            known_choices: choices that are evaluated first.

        Returns:
            The table, with scores rounded to `STEP`.

        Raises:
            SearchError: choices are missing, dropped by a race or infeasible, or have no scores.
        """
        table = TabularProblem.from_record(record, command, foreseen, known_choices)
        scored = [one.name for one in record.objectives if one.name not in foreseen]
        space = Space(record.choices)
        points = sorted(record.points, key=lambda point: table.row(point.choice))
        found = {space.key(point.choice): point for point in points}
        for point in found.values():
            for name in scored:
                if not record.cases or len(point.scores.get(name, ())) != len(record.cases):
                    raise SearchError(
                        f"trial {point.number} of study {record.name!r} has no scores of {name!r} on"
                        f" {len(record.cases)} cases: search again with this version, in fp32"
                    )
        scores = {name: np.array([point.scores[name] for point in found.values()]) for name in scored}
        return cls(
            table.choices,
            table.objectives,
            {name: STEP * np.round(rows / STEP) for name, rows in scores.items()},
            {
                one.name: table.values[:, i].tolist()
                for i, one in enumerate(table.objectives)
                if one.name not in scored
            },
            record.cases,
            command,
            identity=record.identity,
            known_choices=known_choices,
        )

    def evaluate(self, batch: Sequence[Choice]) -> list[Evaluation]:
        """Look choices up.

        Args:
            batch: the choices.

        Returns:
            Their values and scores in the table.
        """
        return list(self.conclude(batch, self.score_cases(batch, range(len(self.cases)))))

    def score_cases(self, batch: Sequence[Choice], cases: Sequence[int]) -> list[dict[str, list[float]]]:
        """Look up scores on some of the cases.

        Args:
            batch: the choices.
            cases: indices of the cases.

        Returns:
            For each choice its scores by objective, in the order of `cases`.
        """
        rows = [self.row(choice) for choice in batch]
        return [{name: some[row, list(cases)].tolist() for name, some in self.scores.items()} for row in rows]

    def to_bytes(self) -> bytes:
        """Return the content of the table's file (NumPy's .npz); reading it gives an equal table."""
        facts = {
            "format": _FORMAT,
            "command": self.command,
            "identity": self.identity(),
            "choices": {name: list(options) for name, options in self.choices.items()},
            "objectives": [
                {"name": o.name, "direction": o.direction, "unit": o.unit, "title": o.title}
                for o in self.objectives
            ],
            "known_choices": [dict(choice) for choice in self.known_choices],
            "cases": [[case.name, case.group] for case in self.cases],
            "scored": list(self.scores),
        }
        arrays: dict[str, Any] = {"facts": np.array(json.dumps(facts))}
        for name, rows in self.scores.items():
            lowest = rows.min(axis=0)
            steps = np.round((rows - lowest) / STEP).astype(np.int64)
            arrays[f"{name}:lowest"] = lowest
            arrays[f"{name}:steps"] = steps.astype(np.min_scalar_type(int(steps.max())))
        for i, objective in enumerate(self.objectives):
            if objective.name not in self.scores:
                arrays[objective.name] = self.values[:, i]
        file = io.BytesIO()
        np.savez_compressed(file, **arrays)
        return file.getvalue()
