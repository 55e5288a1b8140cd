"""Runs a search as an Optuna study, continues it, and loads what it found."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.exceptions import DuplicatedStudyError, ExperimentalWarning, StorageInternalError
from optuna.storages import RDBStorage
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from search.samplers import nsga2 as samplers
from search.errors import SearchError
from search.problem import Choice, Evaluation, Objective, Point, Problem, Value, check_problem, count_choices
from search.storage import Address, check_file, read_address, storage_error

_PROBLEM_KEY = "search:problem"  # the study's user attribute: objectives, choices and identity
_SQLITE_TIMEOUT_S = 60
_COMPLETE = (TrialState.COMPLETE,)


@dataclass(frozen=True)
class Progress:
    """How far a study is.

    `best` is the best first objective of a feasible finished trial, if there is one; `exhausted` tells that
    every choice there is has been evaluated.
    """

    n_finished: int
    n_trials: int
    best: float | None
    exhausted: bool = False


@dataclass(frozen=True)
class StudyRecord:
    """A study as plain data; `points` are its finished trials by number."""

    name: str
    objectives: tuple[Objective, ...]
    choices: Mapping[str, tuple[Value, ...]]
    identity: Mapping[str, str]
    points: tuple[Point, ...]

    @property
    def n_trials(self) -> int:
        """Number of finished trials."""
        return len(self.points)

    @property
    def n_unique_trials(self) -> int:
        """Number of distinct choices among them."""
        return len({tuple(point.choice.values()) for point in self.points})


def run(
    problem: Problem,
    storage: str,
    study_name: str,
    n_trials: int,
    *,
    population: int = 50,
    seed: int | None = 0,
    batch: int = 10,
    report: Callable[[Progress], None] | None = None,
) -> None:
    """Search with NSGA-II until the study has `n_trials` finished trials in all; the same call continues it.

    `storage` is a URL or the path of an SQLite file. Up to `batch` choices of one generation (of `population`
    trials) are evaluated together and then stored. No choice is drawn twice; once all are evaluated, the study
    ends, whatever `n_trials`.
    With a `seed` the trials are the same however often the study was stopped; None seeds from the system.
    `report` is called at the start and after every batch.

    Raises SearchError for bad input. What `evaluate` raises goes on, once its trials are marked failed.
    """
    check_problem(problem)
    for name, number, least in (
        ("n_trials", n_trials, 1),
        ("population", population, 2),
        ("batch", batch, 1),
    ):
        if number < least:
            raise SearchError(f"{name} is {number}: it must be at least {least}")
    if seed is not None and seed < 0:
        raise SearchError(f"seed is {seed}: it must be at least 0")
    entropy = int(np.random.SeedSequence().generate_state(1)[0]) if seed is None else seed
    space = {name: CategoricalDistribution(tuple(values)) for name, values in problem.choices.items()}
    address = read_address(storage)
    with _quiet_optuna(), _open_storage(address, create=True) as opened:
        with _storage_errors(address):
            study = _create_study(problem, opened, study_name, address)
        history = _History(problem)
        n_choices = count_choices(problem)
        distributions: dict[str, BaseDistribution] = dict(space)
        while True:
            with _storage_errors(address):
                finished = study.get_trials(deepcopy=False, states=_COMPLETE)
            history.add(finished)
            if report is not None:
                report(Progress(len(finished), n_trials, history.best, len(history.taken) >= n_choices))
            size = min(
                batch,
                n_trials - len(finished),
                samplers.left_in_generation(finished, population),
                n_choices - len(history.taken),
            )
            if size <= 0:
                return
            trials: list[Trial] = []
            taken = set(history.taken)
            try:
                with _storage_errors(address):
                    for draw in range(len(finished), len(finished) + size):
                        known = problem.known_choices
                        study.sampler = samplers.NSGA2(population, space, entropy, draw, taken, known)
                        trials.append(study.ask(distributions))
                        taken.add(history.key(trials[-1].params))
                evaluations = _evaluate(problem, [trial.params for trial in trials])
                with _storage_errors(address):
                    for trial, evaluation in zip(trials, evaluations, strict=True):
                        _tell(study, trial, evaluation)
            except BaseException:
                for trial in trials:
                    with suppress(SQLAlchemyError, StorageInternalError):
                        study.tell(trial, state=TrialState.FAIL, skip_if_finished=True)
                raise


def load(storage: str, study_name: str) -> StudyRecord:
    """The study's finished trials; nothing is created or written.

    Raises SearchError where the storage or the study does not exist, or was not written by `run`.
    """
    address = read_address(storage)
    with _quiet_optuna(), _open_storage(address, create=False) as opened, _storage_errors(address):
        names = optuna.get_all_study_names(opened)
        if study_name not in names:
            known = f"it holds {', '.join(map(repr, names[:10]))}" if names else "it holds none"
            more = f" and {len(names) - 10} more" if len(names) > 10 else ""
            raise SearchError(f"{address.label} has no study {study_name!r}: {known}{more}; check the name")
        study = optuna.load_study(
            study_name=study_name, storage=opened, sampler=optuna.samplers.RandomSampler()
        )
        facts = study.user_attrs.get(_PROBLEM_KEY)
        if facts is None:
            raise SearchError(
                f"study {study_name!r} in {address.label} was not written by this search: choose one that was"
            )
        choices = {name: tuple(values) for name, values in facts["choices"].items()}
        trials = study.get_trials(deepcopy=False, states=_COMPLETE)
        return StudyRecord(
            name=study_name,
            objectives=tuple(Objective(**objective) for objective in facts["objectives"]),
            choices=choices,
            identity=facts["identity"],
            points=tuple(_point(trial, choices) for trial in trials),
        )


@dataclass
class _History:
    """What a study has evaluated so far."""

    problem: Problem
    best: float | None = None
    taken: set[samplers.Key] = field(default_factory=set)
    numbers: set[int] = field(default_factory=set)

    def add(self, finished: Sequence[FrozenTrial]) -> None:
        better = max if self.problem.objectives[0].direction == "maximize" else min
        for trial in finished:
            if trial.number in self.numbers:
                continue
            self.numbers.add(trial.number)
            self.taken.add(self.key(trial.params))
            if _feasible(trial):
                first = trial.values[0]
                self.best = first if self.best is None else better(self.best, first)

    def key(self, params: Mapping[str, Value]) -> samplers.Key:
        return tuple(params[name] for name in self.problem.choices)


def _evaluate(problem: Problem, batch: Sequence[Mapping[str, Value]]) -> list[Evaluation]:
    """The problem's results for a batch, checked: one Evaluation each, of the right number of values."""
    choices: list[Choice] = [{name: params[name] for name in problem.choices} for params in batch]
    results = list(problem.evaluate(choices))
    kind = type(problem).__name__
    if len(results) != len(batch):
        raise SearchError(
            f"{kind}.evaluate returned {len(results)} results for {len(batch)} choices: return one each"
        )
    n_objectives = len(problem.objectives)
    for result in results:
        if not isinstance(result, Evaluation) or len(result.values) != n_objectives:
            raise SearchError(
                f"{kind}.evaluate returned {result!r:.80}: return Evaluations of {n_objectives} values"
            )
    return results


def _create_study(problem: Problem, opened: RDBStorage, study_name: str, address: Address) -> Study:
    objectives = list(problem.objectives)
    facts = {
        "objectives": [asdict(objective) for objective in objectives],
        "choices": {name: list(values) for name, values in problem.choices.items()},
        "identity": problem.identity(),
    }
    sampler = optuna.samplers.RandomSampler()  # replaced before each trial
    if study_name in optuna.get_all_study_names(opened):  # so that a complete study needs no right to write
        study = optuna.load_study(study_name=study_name, storage=opened, sampler=sampler)
    else:
        study = optuna.create_study(
            study_name=study_name,
            storage=opened,
            directions=[objective.direction for objective in objectives],
            sampler=sampler,
            load_if_exists=True,
        )
    seen = study.user_attrs.get(_PROBLEM_KEY)
    if seen is None:
        same = [d.name.lower() for d in study.directions] == [o.direction for o in objectives]
        if same and not study.get_trials(deepcopy=False):  # new, or killed before this line
            study.set_metric_names([objective.name for objective in objectives])
            study.set_user_attr(_PROBLEM_KEY, facts)
            return study
        raise SearchError(
            f"study {study_name!r} in {address.label} was not written by this search: use another study name"
        )
    for part in ("objectives", "choices", "identity"):
        if seen[part] != facts[part]:
            difference = _difference(part, seen[part], facts[part])
            raise SearchError(f"study {study_name!r} in {address.label} {difference}: use another study name")
    return study


def _difference(part: str, seen: Any, wanted: Any) -> str:
    if part == "objectives":
        old, new = (
            ", ".join(" ".join(objective.values()).strip() for objective in o) for o in (seen, wanted)
        )
        return f"has the objectives {old}, this problem {new}"
    name = next(name for name in {**seen, **wanted} if seen.get(name) != wanted.get(name))
    return f"has {part} {name!r} = {seen.get(name)!r}, this problem {wanted.get(name)!r}"


def _tell(study: Study, trial: Trial, evaluation: Evaluation) -> None:
    for name, value in evaluation.constraints.items():
        trial.set_constraint(name, value)
    for name, value in evaluation.attributes.items():
        trial.set_user_attr(name, value)
    study.tell(trial, evaluation.values)


def _feasible(trial: FrozenTrial) -> bool:
    return all(value <= 0 for value in trial.constraints.values())


def _point(trial: FrozenTrial, choices: Mapping[str, tuple[Value, ...]]) -> Point:
    return Point(
        number=trial.number,
        choice={name: trial.params[name] for name in choices},
        values=tuple(trial.values),
        attributes=dict(trial.user_attrs),
        feasible=_feasible(trial),
    )


@contextmanager
def _quiet_optuna() -> Iterator[None]:
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(verbosity)


@contextmanager
def _open_storage(address: Address, *, create: bool) -> Iterator[RDBStorage]:
    check_file(address, create=create)
    options = {"connect_args": {"timeout": _SQLITE_TIMEOUT_S}} if address.sqlite_file else {}
    with _storage_errors(address):
        try:
            opened = RDBStorage(address.url, engine_kwargs=options, skip_table_creation=not create)
        except ImportError as error:
            raise SearchError(
                f"the storage {address.label} needs a driver: {error.__cause__}; install it"
            ) from None
        except (ValueError, TypeError, RuntimeError) as error:
            raise storage_error(address, error) from None
    try:
        yield opened
    finally:
        opened.remove_session()
        opened.engine.dispose()


@contextmanager
def _storage_errors(address: Address) -> Iterator[None]:
    try:
        yield
    except (SQLAlchemyError, StorageInternalError, DuplicatedStudyError) as error:
        raise storage_error(address, error) from None
