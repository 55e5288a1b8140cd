"""Runs a search as an Optuna study, continues it, and loads what it found."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from search import pareto, samplers
from search.checking.problems import check_problem
from search.optuna_logging import quiet_optuna
from search.problem import Case, Objective, Point, Problem, Value, count_choices
from search.racing.batch import check_raced
from search.racing.settings import Race
from search.running.settings import SearchSettings
from search.running.worker import Progress, Worker
from search.samplers.base import Space
from search.storage.claims import Claims
from search.storage.connection import Connection, connect
from search.storage.derivation import derive_study, find_origin
from search.storage.facts import (
    StudyFacts,
    find_cases,
    find_facts,
    find_sources,
    finished_trials,
    note_problem,
    open_study,
    pruned_trials,
)
from search.storage.trials import as_point, is_ours

if TYPE_CHECKING:
    from optuna.storages import BaseStorage

__all__ = ["Progress", "SearchSettings", "StudyRecord", "derive", "load", "run", "run_search"]

_WAIT_S = 1.0


@dataclass(frozen=True)
class StudyRecord:
    """A study as plain data.

    Attributes:
        name: the study's name.
        objectives: the problem's objectives.
        choices: the options of each choice by its name.
        identity: what the values depend on, as the problem's `identity` returned it.
        points: the trials that were evaluated as a whole, by number.
        origin: what the study was derived from, by name; empty for a study that was searched.
        cases: what the choices were scored on, if scores were kept.
        sources: where the inputs of the values were kept, such as files, as the problem's `sources` last returned it.
        pruned: the trials that a race dropped, by number; their values are estimates where they are not foreseen.
        race: how they were dropped, or None if the study is not raced.
    """

    name: str
    objectives: tuple[Objective, ...]
    choices: Mapping[str, tuple[Value, ...]]
    identity: Mapping[str, str]
    points: tuple[Point, ...]
    origin: Mapping[str, str] = field(default_factory=dict)
    cases: tuple[Case, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)
    pruned: tuple[Point, ...] = ()
    race: Race | None = None

    @property
    def n_trials(self) -> int:
        """Number of finished trials, including those that a race dropped."""
        return len(self.points) + len(self.pruned)

    @property
    def n_unique_trials(self) -> int:
        """Number of distinct choices among the finished trials."""
        return len({tuple(point.choice.values()) for point in (*self.points, *self.pruned)})


def run(
    problem: Problem,
    storage: str | BaseStorage,
    study_name: str,
    n_trials: int | None,
    *,
    sampler: str = "nsga2",
    population: int = 10,
    seed: int | None = 0,
    batch: int | None = 10,
    lease_s: float = 30,
    race: Race | None = None,
    report: Callable[[Progress], None] | None = None,
) -> None:
    """Search a problem until its study has `n_trials` finished trials; the same call continues a study.

    No choice is evaluated twice; once all are evaluated, the study ends, whatever `n_trials` is. Any number of
    workers, each a call of this function, can share a study: together they make `n_trials` trials.

    Args:
        problem: the problem.
        storage: a URL, the path of an SQLite file, or a storage object of Optuna.
        study_name: the study's name in the storage; the study is created if absent.
        n_trials: number of finished trials at which the study is complete, at least 1; None evaluates every choice.
        sampler: how choices are drawn, one of `search.samplers.NAMES`.
        population: trials of one generation of the sampler `nsga2`, at least 2.
        seed: at least 0; with the same seed a single worker makes the same trials, however often it is stopped. None
            takes a seed from the system.
        batch: choices of one generation that are evaluated together and then stored, at least 1; None for all that
            are left of the generation.
        lease_s: seconds, from 1 to 604,800 (a week), after which a silent worker's choices go to others.
        race: how choices that cannot be on the front are dropped before they are scored on all cases; None evaluates
            every choice as a whole. A study keeps this setting.
        report: called with the progress at the start, after every batch, and while the worker waits for others.

    Raises:
        SearchError: bad input, or a storage that does not work.
        Exception: what `problem.evaluate` or `report` raises, after the unfinished trials were marked as failed.
    """
    settings = SearchSettings(n_trials, sampler, population, batch, seed, lease_s, race)
    run_search(problem, storage, study_name, settings, report)


def run_search(
    problem: Problem,
    storage: str | BaseStorage,
    study_name: str,
    settings: SearchSettings,
    report: Callable[[Progress], None] | None = None,
) -> None:
    """Search a problem, as `run` does, with settings in one object.

    Args:
        problem: the problem.
        storage: a URL, the path of an SQLite file, or a storage object of Optuna.
        study_name: the study's name in the storage; the study is created if absent.
        settings: the number of trials, the sampler, and how workers share the study.
        report: called with the progress at the start, after every batch, and while the worker waits for others.

    Raises:
        SearchError: bad input, or a storage that does not work.
        Exception: what `problem.evaluate` or `report` raises, after the unfinished trials were marked as failed.
    """
    check_problem(problem)
    if settings.race is not None:
        check_raced(problem, settings.race)
    n_trials = count_choices(problem) if settings.n_trials is None else settings.n_trials
    entropy = settings.seed
    if entropy is None:
        entropy = int(np.random.SeedSequence().generate_state(1)[0])
    sampler = samplers.make_sampler(
        settings.sampler, problem, settings.population, scattered=settings.race is not None
    )
    facts = StudyFacts.of(problem, settings.race)
    with quiet_optuna(), connect(storage, create=True) as connection:
        study_id = connection.call(open_study, connection, study_name, facts)
        note_problem(connection, study_id, problem)
        with Claims(connection, study_id, sampler.space, settings.lease_s) as claims:
            worker = Worker(problem, sampler, claims, settings, n_trials, entropy)
            while True:
                progress = worker.look()
                if report is not None:
                    report(progress)
                if progress.n_finished >= n_trials or progress.exhausted:
                    return
                if not worker.work():
                    time.sleep(min(_WAIT_S, settings.lease_s / 10))


def load(storage: str | BaseStorage, study_name: str) -> StudyRecord:
    """Load a study's finished trials; nothing is created or written.

    Trials that other scripts left in the study are not among them.

    Args:
        storage: a URL, the path of an SQLite file, or a storage object of Optuna.
        study_name: the study's name in the storage.

    Returns:
        The study as plain data.

    Raises:
        SearchError: the storage or the study does not exist, or the study was not written by `run`.
    """
    with quiet_optuna(), connect(storage, create=False) as connection:
        return connection.read(_load, connection, study_name)


def derive(problem: Problem, record: StudyRecord, storage: str | BaseStorage, study_name: str) -> StudyRecord:
    """Evaluate the choices of a study by another problem, and store them as a study of that one.

    The same call again adds what is missing. The new study can be searched on with the other problem.

    Args:
        problem: the other problem, of the same choices.
        record: the study whose choices are taken.
        storage: where the new study is kept: a URL, the path of an SQLite file, or a storage object of Optuna.
        study_name: the new study's name; it is created if absent.

    Returns:
        The new study.

    Raises:
        SearchError: the new study is one of another problem, a result is not valid, or the storage does not work.
    """
    choices = [point.choice for point in pareto.distinct(record.points)]
    evaluations = list(zip(choices, problem.evaluate(choices), strict=True))
    derive_study(problem, evaluations, {"derived_from": record.name}, storage, study_name)
    return load(storage, study_name)


def _load(connection: Connection, study_name: str) -> StudyRecord:
    study, facts = find_facts(connection, study_name)
    space = Space(facts.choices)
    points, pruned = (
        tuple(as_point(trial, space) for trial in trials if is_ours(trial, space))
        for trials in (finished_trials(study), pruned_trials(study))
    )
    return StudyRecord(
        study_name,
        facts.objectives,
        facts.choices,
        facts.identity,
        points,
        find_origin(study),
        find_cases(study),
        find_sources(study),
        pruned,
        facts.race,
    )
