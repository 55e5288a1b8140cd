"""What a study remembers of its problem, and the study of a problem: created, or found and compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import optuna
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from search.checking.problems import check_choice
from search.errors import SearchError
from search.problem import Case, Objective, Problem, Value
from search.racing.settings import Race
from search.storage.connection import Connection
from search.storage.optuna_adapter import study_id

__all__ = [
    "StudyFacts",
    "find_cases",
    "find_facts",
    "find_sources",
    "finished_trials",
    "note_problem",
    "open_study",
    "pruned_trials",
]

_KEY = "search:problem"  # the study's user attribute
_CASES, _SOURCES = "search:cases", "search:sources"  # likewise


@dataclass(frozen=True)
class StudyFacts:
    """The part of a problem that a study is tied to.

    Attributes:
        objectives: the problem's objectives.
        choices: the options of each choice by its name.
        identity: what the values depend on.
        race: how choices are dropped early, or None if all are evaluated as a whole.
    """

    objectives: tuple[Objective, ...]
    choices: Mapping[str, tuple[Value, ...]]
    identity: Mapping[str, str]
    race: Race | None = None

    @classmethod
    def of(cls, problem: Problem, race: Race | None = None) -> StudyFacts:
        """Take the facts of a problem.

        Args:
            problem: a problem that `check_problem` accepts.
            race: how its choices are dropped early.

        Returns:
            Its facts.
        """
        choices = {name: tuple(values) for name, values in problem.choices.items()}
        return cls(tuple(problem.objectives), choices, dict(problem.identity()), race)

    @classmethod
    def read(cls, attribute: Any) -> StudyFacts:
        """Read the facts from a study's attribute.

        Args:
            attribute: what `to_attribute` returned, after it was written to JSON and read back.

        Returns:
            The facts.

        Raises:
            SearchError: it is something else.
        """
        try:
            objectives = tuple(Objective(**objective) for objective in attribute["objectives"])
            choices = {str(name): tuple(values) for name, values in attribute["choices"].items()}
            identity = {str(name): str(text) for name, text in attribute["identity"].items()}
            for name, values in choices.items():
                check_choice(name, values)
            race = None if attribute.get("race") is None else Race(**attribute["race"])
        except (AttributeError, KeyError, TypeError, SearchError) as error:
            raise SearchError(
                f"its record of the problem cannot be read ({type(error).__name__}: {error})"
            ) from None
        if not (objectives and choices):
            raise SearchError("its record of the problem has no objectives or no choices")
        return cls(objectives, choices, identity, race)

    def to_attribute(self) -> dict[str, Any]:
        """Return the facts as plain JSON."""
        attribute = {
            "objectives": [asdict(objective) for objective in self.objectives],
            "choices": {name: list(values) for name, values in self.choices.items()},
            "identity": dict(self.identity),
        }
        return attribute if self.race is None else {**attribute, "race": asdict(self.race)}

    def difference(self, wanted: StudyFacts) -> str | None:
        """Describe the first fact that another problem does not share.

        Args:
            wanted: the facts of that problem.

        Returns:
            A part of a sentence, or None if all facts are equal.
        """
        if self.objectives != wanted.objectives:
            old, new = (
                ", ".join(f"{o.name} {o.direction} {o.unit}".strip() for o in facts.objectives)
                for facts in (self, wanted)
            )
            return f"has the objectives {old}, this problem {new}"
        for part in ("choices", "identity"):
            seen, asked = self.to_attribute()[part], wanted.to_attribute()[part]
            for name in {**seen, **asked}:
                if seen.get(name) != asked.get(name):
                    return f"has {part} {name!r} = {seen.get(name)!r}, this problem {asked.get(name)!r}"
        if self.race != wanted.race:
            return f"{_describe_race(self.race)}, this search {_describe_race(wanted.race)}"
        return None


def open_study(connection: Connection, study_name: str, facts: StudyFacts) -> int:
    """Create the study of a problem, or find it.

    Args:
        connection: the opened storage.
        study_name: the study's name.
        facts: those of the problem.

    Returns:
        The study's number in the storage.

    Raises:
        SearchError: a study of this name has other facts, or was not written by this package.
    """
    opened = connection.storage
    directions: list[Literal["maximize", "minimize"]] = [one.direction for one in facts.objectives]
    sampler = optuna.samplers.RandomSampler()  # never used: this package has samplers of its own
    if study_name in optuna.get_all_study_names(opened):  # so that a complete study needs no right to write
        study = optuna.load_study(study_name=study_name, storage=opened, sampler=sampler)
    else:
        study = optuna.create_study(
            study_name=study_name,
            storage=opened,
            directions=directions,
            sampler=sampler,
            load_if_exists=True,
        )
    if _KEY not in study.user_attrs:
        same = [direction.name.lower() for direction in study.directions] == directions
        if same and all(trial.state == TrialState.WAITING for trial in study.get_trials(deepcopy=False)):
            # new, or stopped before this line; trials may be enqueued already
            study.set_metric_names([objective.name for objective in facts.objectives])
            study.set_user_attr(_KEY, facts.to_attribute())
            return study_id(study)
    # Another worker may just have written the facts, so they are read again.
    difference = _read(study, connection).difference(facts)
    if difference is not None:
        label = connection.address.label
        raise SearchError(f"study {study_name!r} in {label} {difference}: use another study name")
    return study_id(study)


def note_problem(connection: Connection, study_id: int, problem: Problem) -> None:
    """Keep with a study what helps to understand it but does not tie it: the problem's cases and sources.

    Args:
        connection: the opened storage.
        study_id: the study's number in the storage.
        problem: the problem that the study is of.
    """
    noted = connection.call(connection.storage.get_study_user_attrs, study_id)
    wanted = {_CASES: [[case.name, case.group] for case in problem.cases], _SOURCES: dict(problem.sources())}
    for key, value in wanted.items():
        if value and noted.get(key) != value:
            connection.call(connection.storage.set_study_user_attr, study_id, key, value)


def find_cases(study: Study) -> tuple[Case, ...]:
    """Read the cases that a study's choices were scored on.

    Args:
        study: an opened study.

    Returns:
        The cases, empty if none were kept.
    """
    found: Any = study.user_attrs.get(_CASES, [])
    return tuple(Case(str(name), str(group)) for name, group in found)


def find_sources(study: Study) -> dict[str, str]:
    """Read where the inputs of a study's values were kept.

    Args:
        study: an opened study.

    Returns:
        Texts by name, as `Problem.sources` returned them last; empty if none were kept.
    """
    found: Any = study.user_attrs.get(_SOURCES, {})
    return {str(name): str(text) for name, text in found.items()}


def find_facts(connection: Connection, study_name: str) -> tuple[Study, StudyFacts]:
    """Find a study; nothing is created or written.

    Args:
        connection: the opened storage.
        study_name: the study's name.

    Returns:
        The study and its facts.

    Raises:
        SearchError: there is no such study, or it was not written by this package.
    """
    connection.find_study(study_name)
    sampler = optuna.samplers.RandomSampler()
    study = optuna.load_study(study_name=study_name, storage=connection.storage, sampler=sampler)
    return study, _read(study, connection)


def finished_trials(study: Study) -> list[FrozenTrial]:
    """Read the complete trials of a study.

    Args:
        study: an opened study.

    Returns:
        The trials by number, also those of other scripts.
    """
    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))


def pruned_trials(study: Study) -> list[FrozenTrial]:
    """Read the trials of a study that a race dropped.

    Args:
        study: an opened study.

    Returns:
        The trials by number, also those of other scripts.
    """
    return study.get_trials(deepcopy=False, states=(TrialState.PRUNED,))


def _describe_race(race: Race | None) -> str:
    if race is None:
        return "is not raced"
    return f"is raced with error probability {race.error_probability:g} from {race.first_look} cases on"


def _read(study: Study, connection: Connection) -> StudyFacts:
    where = f"study {study.study_name!r} in {connection.address.label}"
    attribute = study.user_attrs.get(_KEY)
    if attribute is None:
        raise SearchError(f"{where} was not written by this search: use another study name")
    try:
        return StudyFacts.read(attribute)
    except SearchError as error:
        raise SearchError(f"{where}: {error}; use another study name") from None
