"""Tabular benchmarks: the exact values of every choice of a problem, in one JSON file."""

from __future__ import annotations

import codecs
import json
from collections.abc import Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Annotated, Literal, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, Strict, StringConstraints, ValidationError

from search.checking.problems import check_problem
from search.errors import SearchError, first_fault
from search.files import read_bytes
from search.problem import Choice, Evaluation, Known, Objective, Problem
from search.samplers.base import Space

if TYPE_CHECKING:
    from search.study import StudyRecord

__all__ = ["TabularProblem"]

_Text = Annotated[str, StringConstraints(min_length=1)]
_Finite = Annotated[float, Field(allow_inf_nan=False)]
_Options: TypeAlias = Annotated[tuple[int | _Finite | str, ...], Strict(False), Field(min_length=1)]
_STRICT = ConfigDict(frozen=True, extra="forbid", strict=True)


class _Objective(BaseModel):
    model_config = _STRICT

    name: _Text
    direction: Literal["maximize", "minimize"]
    unit: str = ""


class _File(BaseModel):
    model_config = _STRICT

    format: Literal["tabular-benchmark/1"]
    command: _Text
    identity: dict[str, str]
    choices: Annotated[dict[str, _Options], Field(min_length=1)]
    objectives: Annotated[tuple[_Objective, ...], Strict(False), Field(min_length=1)]
    foreseen: Annotated[tuple[str, ...], Strict(False)] = ()
    known_choices: Annotated[tuple[dict[str, int | _Finite | str], ...], Strict(False)] = ()
    values: dict[str, list[_Finite]]


class TabularProblem(Problem):
    """A problem whose values are all in a table, so that samplers can be compared at no cost.

    Attributes:
        command: the command that rebuilds the table.
        names_foreseen: the objectives that are known before an evaluation.
        values: a row (k,) for each choice, the last of the problem's choices changing fastest: (n, k).
        space: the choices in this order.
    """

    def __init__(
        self,
        choices: Mapping[str, Sequence[int | float | str]],
        objectives: Sequence[Objective],
        values: Mapping[str, Sequence[float]],
        command: str,
        *,
        foreseen: Sequence[str] = (),
        identity: Mapping[str, str] | None = None,
        known_choices: Sequence[Choice] = (),
    ) -> None:
        """Make a table.

        Args:
            choices: the options of each choice by its name.
            objectives: the objectives.
            values: for each objective, by its name, a number for each choice.
            command: the command that rebuilds the table.
            foreseen: names of the objectives that are known before an evaluation.
            identity: what the values depend on.
            known_choices: choices that are evaluated first.

        Raises:
            SearchError: values are missing, or the choices or objectives cannot make a problem.
        """
        self.choices = {name: tuple(options) for name, options in choices.items()}
        self.objectives = tuple(objectives)
        self.known_choices = tuple(known_choices)
        self.command = command
        self.names_foreseen = tuple(foreseen)
        self._identity = dict(identity or {})
        check_problem(self)
        names = [objective.name for objective in self.objectives]
        self.space = Space(self.choices)
        if set(values) != set(names):
            raise SearchError(f"the values are of {', '.join(values)}, the objectives are {', '.join(names)}")
        for name, column in values.items():
            if len(column) != self.space.size:
                raise SearchError(
                    f"{name} has {len(column)} values for {self.space.size} choices: give one each"
                )
        for name in self.names_foreseen:
            if name not in names:
                raise SearchError(f"foreseen holds {name!r}: it must be one of {', '.join(names)}")
        self.values: NDArray[np.float64] = np.array([values[name] for name in names], dtype=np.float64).T
        self._indices = {key: index for index, key in enumerate(self.space.grid())}

    @classmethod
    def read(cls, path: str | PathLike[str]) -> Self:
        """Read a table.

        Args:
            path: a JSON file in UTF-8, with or without a byte order mark.

        Returns:
            The table.

        Raises:
            SearchError: the file cannot be read; names the file, and the field and value that is wrong.
        """
        remedy = "build the table again"
        content = read_bytes(path, "tabular benchmark").removeprefix(codecs.BOM_UTF8)
        try:
            file = _File.model_validate_json(content)
            return cls(
                file.choices,
                [Objective(o.name, o.direction, o.unit) for o in file.objectives],
                file.values,
                file.command,
                foreseen=file.foreseen,
                identity=file.identity,
                known_choices=file.known_choices,
            )
        except ValidationError as error:
            raise SearchError(f"tabular benchmark {path}: {first_fault(error, remedy)}") from None
        except SearchError as error:
            raise SearchError(f"tabular benchmark {path}: {error}; {remedy}") from None

    @classmethod
    def from_record(
        cls,
        record: StudyRecord,
        command: str,
        foreseen: Sequence[str] = (),
        known_choices: Sequence[Choice] = (),
    ) -> Self:
        """Make the table of a study that evaluated every choice.

        Args:
            record: the study.
            command: the command that rebuilds the table.
            foreseen: names of the objectives that are known before an evaluation.
            known_choices: choices that are evaluated first.

        Returns:
            The table.

        Raises:
            SearchError: choices are missing or were dropped by a race, or some are infeasible, which a table cannot
                express.
        """
        space = Space(record.choices)
        if record.pruned:
            raise SearchError(
                f"study {record.name!r} was raced and dropped {len(record.pruned)} of its choices, whose values are"
                " estimates: search all of them without a race"
            )
        found = {space.key(point.choice): point for point in record.points}
        if len(found) < space.size:
            first = next(key for key in space.grid() if key not in found)
            raise SearchError(
                f"study {record.name!r} has {len(found)} of {space.size} choices, not {space.choice(first)}:"
                " search on until it is exhausted"
            )
        for point in found.values():
            if not point.feasible:
                raise SearchError(
                    f"trial {point.number} of study {record.name!r} is infeasible: search without constraints"
                )
        rows = [found[key].values for key in space.grid()]
        columns = zip(*rows, strict=True)
        values = {o.name: list(column) for o, column in zip(record.objectives, columns, strict=True)}
        return cls(
            record.choices,
            record.objectives,
            values,
            command,
            foreseen=foreseen,
            identity=record.identity,
            known_choices=known_choices,
        )

    def row(self, choice: Mapping[str, int | float | str]) -> int:
        """Find the row of a choice.

        Args:
            choice: the choice.

        Returns:
            Its index in `values`.
        """
        return self._indices[self.space.key(choice)]

    def evaluate(self, batch: Sequence[Choice]) -> list[Evaluation]:
        """Look choices up.

        Args:
            batch: the choices.

        Returns:
            Their values in the table.
        """
        return [Evaluation(tuple(self.values[self.row(choice)].tolist())) for choice in batch]

    def foresee(self, batch: Sequence[Choice]) -> list[Known]:
        """Look up the objectives that are known before an evaluation.

        Args:
            batch: the choices.

        Returns:
            The values of `names_foreseen` in the table.
        """
        known = [(i, o.name) for i, o in enumerate(self.objectives) if o.name in self.names_foreseen]
        rows = [self.values[self.row(choice)].tolist() for choice in batch]
        return [Known({name: row[i] for i, name in known}) for row in rows]

    def identity(self) -> dict[str, str]:
        """Tell what the values depend on."""
        return dict(self._identity)

    def to_json(self) -> str:
        """Return the text of the table's file; reading it gives an equal table."""
        columns = self.values.T.tolist()
        names = [objective.name for objective in self.objectives]
        file = _File(
            format="tabular-benchmark/1",
            command=self.command,
            identity=self._identity,
            choices={name: tuple(options) for name, options in self.choices.items()},
            objectives=tuple(
                _Objective(name=o.name, direction=o.direction, unit=o.unit) for o in self.objectives
            ),
            foreseen=self.names_foreseen,
            known_choices=tuple(dict(choice) for choice in self.known_choices),
            values=dict(zip(names, columns, strict=True)),
        )
        fields = (f"{json.dumps(k)}: {json.dumps(v)}" for k, v in file.model_dump(mode="json").items())
        return "{\n" + ",\n".join(fields) + "\n}\n"
