"""Runs a search as an Optuna study, continues it, and loads what it found."""

from __future__ import annotations

import logging
import time
import zlib
from bisect import insort
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import asdict, dataclass
from operator import attrgetter
from typing import Any

import numpy as np
import optuna
from optuna.distributions import CategoricalDistribution
from optuna.storages import BaseStorage
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from search import samplers
from search.errors import SearchError
from search.optuna_logging import quiet_optuna
from search.problem import (
    Choice,
    Evaluation,
    Known,
    Objective,
    Point,
    Problem,
    Value,
    ask,
    check_facts,
    check_problem,
    count_choices,
)
from search.samplers.base import Key, Sampler, Space
from search.storage.claims import WORKER, Claim, Claims, StudyView, as_point, is_ours
from search.storage.connection import Connection, connect

_PROBLEM_KEY = "search:problem"  # the study's user attribute: objectives, choices and identity
_WAIT_S = 1.0
_MAX_COMPLETIONS = 200
_LOG = logging.getLogger("search")
_MAX_LEASE_S = 604_800  # Python's timers have an end, inf is beyond it


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
    storage: str | BaseStorage,
    study_name: str,
    n_trials: int | None,
    *,
    sampler: str = "nsga2",
    population: int = 10,
    seed: int | None = 0,
    batch: int | None = 10,
    lease_s: float = 30,
    report: Callable[[Progress], None] | None = None,
) -> None:
    """Search until the study has `n_trials` finished trials in all (None: every choice); the same call continues it.

    `storage` is a URL, the path of an SQLite file, or a storage of Optuna's. `sampler` is one of `samplers.NAMES`;
    `population` is the size of NSGA-II's generations. Up to `batch` choices of one generation (None: all that are
    left of it) are evaluated together and then stored. No choice is evaluated twice; once all are, the study ends,
    whatever `n_trials`. With a `seed` the trials of a single worker are the same however often the study was
    stopped; None seeds from the system.

    Any number of workers, each a call of this function, can share a study: together they make `n_trials` trials.
    A worker that has not been heard of for `lease_s` seconds loses its choices to the others.
    `report` is called at the start, after every batch, and while the worker waits for others.

    Raises SearchError for bad input. What `evaluate` raises goes on, once its trials are marked failed.
    """
    check_problem(problem)
    n_trials = count_choices(problem) if n_trials is None else n_trials
    for name, number in (("n_trials", n_trials), ("batch", batch), ("lease_s", lease_s)):
        if number is not None and number < 1:
            raise SearchError(f"{name} is {number}: it must be at least 1")
    if not lease_s <= _MAX_LEASE_S:
        raise SearchError(f"lease_s is {lease_s}: it must be at most {_MAX_LEASE_S}, a week")
    if seed is not None and seed < 0:
        raise SearchError(f"seed is {seed}: it must be at least 0")
    entropy = int(np.random.SeedSequence().generate_state(1)[0]) if seed is None else seed
    drawer = samplers.make_sampler(sampler, problem, population)
    space = {name: CategoricalDistribution(tuple(values)) for name, values in problem.choices.items()}
    facts = _facts_of(problem)
    with quiet_optuna(), connect(storage, create=True) as connection:
        study_id = connection.call(_create_study, facts, connection, study_name)._study_id
        with Claims(connection, study_id, drawer.space, space, lease_s) as claims:
            worker = _Worker(problem, drawer, claims, n_trials, batch or drawer.generation, entropy)
            while True:
                progress = worker.look()
                if report is not None:
                    report(progress)
                if progress.n_finished >= n_trials or progress.exhausted:
                    return
                if not worker.work():
                    time.sleep(min(_WAIT_S, lease_s / 10))


class _Worker:
    """One of a study's workers: looks at it, draws and claims choices, evaluates them and stores the results."""

    def __init__(
        self, problem: Problem, sampler: Sampler, claims: Claims, n_trials: int, batch: int, entropy: int
    ) -> None:
        self._problem = problem
        self._sampler = sampler
        self._claims = claims
        self._n_trials = n_trials
        self._batch = batch
        self._entropy = entropy
        self._points: list[Point] = []  # by number
        self._best: float | None = None
        self._board = StudyView([], [], [], [])
        self._history: tuple[Point, ...] = ()

    def look(self) -> Progress:
        """How far the study is now."""
        self._board = self._claims.look()
        better = max if self._problem.objectives[0].direction == "maximize" else min
        for trial in self._board.new:
            point = as_point(trial, self._sampler.space)
            insort(self._points, point, key=attrgetter("number"))
            if point.feasible:
                first = point.values[0]
                self._best = first if self._best is None else better(self._best, first)
        exhausted = len(self._claims.finished | self._claims.faulty) >= self._sampler.space.size
        return Progress(len(self._points), self._n_trials, self._best, exhausted)

    def work(self) -> bool:
        """Evaluate the next choices and store them; False where others hold all that is left."""
        claims = self._claim()
        if claims:
            choices = [self._sampler.space.choice(claim.key) for claim in claims]
            evaluations = _evaluate(self._problem, choices)
            faults = [evaluation.fault for evaluation in evaluations]
            if all(faults) and not self._points:  # not one choice's fault: nothing is finished yet
                raise SearchError(
                    f"{_show(choices[0])}: {faults[0]}, and so it is for all {len(choices)} choices evaluated so "
                    f"far: correct {type(self._problem).__name__}.evaluate"
                )
            for claim, choice, evaluation in zip(claims, choices, evaluations, strict=True):
                if evaluation.fault is None:
                    self._claims.finish(claim, evaluation)
                else:
                    _LOG.warning(
                        "%s: %s; its trial fails and the search goes on", _show(choice), evaluation.fault
                    )
                    self._claims.reject(claim, evaluation.fault)
        return bool(claims)

    def _claim(self) -> list[Claim]:
        running = {self._sampler.space.key(trial.params) for trial in self._board.running}
        workers = {trial.system_attrs.get(WORKER) for trial in self._board.running}
        taken = self._claims.finished | self._claims.faulty | running
        place = len(self._points) + len(running)
        generation = self._sampler.generation
        start = generation * (place // generation)
        size = min(
            self._batch,
            -(-generation // (1 + len(workers))),  # a share of the generation
            start + generation - place,
            self._n_trials - place,
            self._sampler.space.size - len(taken),
        )
        if size <= 0:
            return []
        if len(self._history) != min(start, len(self._points)):
            self._history = tuple(self._points[:start])
        enqueued = self._enqueued(taken, size)
        keys = list(enqueued)
        taken.update(keys)
        keys += [key for key in self._board.lost if key not in taken][: size - len(keys)]
        taken.update(keys)
        # With other workers the same place is drawn for by several, each in its own way.
        salt = (zlib.crc32(self._claims.worker.encode()),) if workers else ()
        for draw in range(place + len(keys), place + size):
            keys.append(self._draw(draw, taken, salt))
            taken.add(keys[-1])
        choices = [self._sampler.space.choice(key) for key in keys]
        foreseen = ask(self._problem, "foresee", choices, Known)
        for known in foreseen:
            check_facts(known.attributes, known.constraints)
        return self._claims.take(keys, foreseen, self._n_trials, enqueued)

    def _enqueued(self, taken: Container[Key], size: int) -> dict[Key, FrozenTrial]:
        """The choices of up to `size` waiting trials; what a trial leaves open is drawn for it."""
        found: dict[Key, FrozenTrial] = {}
        for waiting in self._board.enqueued:
            if len(found) >= size:
                break
            fixed = self._claims.choice_of(waiting)
            if fixed is None:
                self._claims.refuse(waiting, "its parameters are no choice of this problem")
                continue
            rng = np.random.default_rng((self._entropy, waiting.number))
            for _ in range(_MAX_COMPLETIONS):
                key = self._sampler.space.key(
                    self._sampler.space.choice(self._sampler.space.draw(rng)) | fixed
                )
                if key not in taken and key not in found:
                    found[key] = waiting
                    break
            else:
                self._claims.refuse(waiting, "its choice is evaluated, or being evaluated, already")
        return found

    def _draw(self, draw: int, taken: set[Key], salt: tuple[int, ...]) -> Key:
        known = self._problem.known_choices if self._sampler.starts_known else ()
        if draw < len(known) and (key := self._sampler.space.key(known[draw])) not in taken:
            return key
        rng = np.random.default_rng((self._entropy, draw, *salt))
        return self._sampler.draw(self._history, taken, rng)


def load(storage: str | BaseStorage, study_name: str) -> StudyRecord:
    """The study's finished trials; nothing is created or written.

    Raises SearchError where the storage or the study does not exist, or was not written by `run`.
    """
    with quiet_optuna(), connect(storage, create=False) as connection:
        return connection.call(_load, connection, study_name)


def _load(connection: Connection, study_name: str) -> StudyRecord:
    label = connection.address.label
    connection.find_study(study_name)
    sampler = optuna.samplers.RandomSampler()
    study = optuna.load_study(study_name=study_name, storage=connection.storage, sampler=sampler)
    facts = study.user_attrs.get(_PROBLEM_KEY)
    if facts is None:
        raise SearchError(
            f"study {study_name!r} in {label} was not written by this search: choose one that was"
        )
    choices = {name: tuple(values) for name, values in facts["choices"].items()}
    space = Space(choices)
    finished = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    return StudyRecord(
        name=study_name,
        objectives=tuple(Objective(**objective) for objective in facts["objectives"]),
        choices=choices,
        identity=facts["identity"],
        points=tuple(as_point(trial, space) for trial in finished if is_ours(trial, space)),
    )


def _evaluate(problem: Problem, batch: Sequence[Choice]) -> list[Evaluation]:
    """The problem's results for a batch, checked: one Evaluation each, of the right number of values."""
    results = ask(problem, "evaluate", batch, Evaluation)
    n_objectives = len(problem.objectives)
    for result in results:
        if len(result.values) != n_objectives:
            raise SearchError(
                f"{type(problem).__name__}.evaluate returned {result!r:.80}: return Evaluations of"
                f" {n_objectives} values"
            )
    return results


def _show(choice: Choice) -> str:
    return f"choice {choice!r}"


def _facts_of(problem: Problem) -> dict[str, Any]:
    """What a study remembers of its problem."""
    return {
        "objectives": [asdict(objective) for objective in problem.objectives],
        "choices": {name: list(values) for name, values in problem.choices.items()},
        "identity": problem.identity(),
    }


def _create_study(facts: Mapping[str, Any], connection: Connection, study_name: str) -> Study:
    """The study of this name and these facts, new or as it stands; SearchError where it has others."""
    opened, label = connection.storage, connection.address.label
    names = [objective["name"] for objective in facts["objectives"]]
    directions = [objective["direction"] for objective in facts["objectives"]]
    sampler = optuna.samplers.RandomSampler()  # never asked: this package draws by samplers of its own
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
    if _PROBLEM_KEY not in study.user_attrs:
        same = [direction.name.lower() for direction in study.directions] == directions
        if same and not study.get_trials(deepcopy=False):  # new, or killed before this line
            study.set_metric_names(names)
            study.set_user_attr(_PROBLEM_KEY, dict(facts))
            return study
    seen = study.user_attrs.get(
        _PROBLEM_KEY
    )  # read again: another worker may have made it, and its first trials
    if seen is None:
        raise SearchError(
            f"study {study_name!r} in {label} was not written by this search: use another study name"
        )
    for part in ("objectives", "choices", "identity"):
        if seen[part] != facts[part]:
            difference = _difference(part, seen[part], facts[part])
            raise SearchError(f"study {study_name!r} in {label} {difference}: use another study name")
    return study


def _difference(part: str, seen: Any, wanted: Any) -> str:
    if part == "objectives":
        old, new = (
            ", ".join(" ".join(objective.values()).strip() for objective in o) for o in (seen, wanted)
        )
        return f"has the objectives {old}, this problem {new}"
    name = next(name for name in {**seen, **wanted} if seen.get(name) != wanted.get(name))
    return f"has {part} {name!r} = {seen.get(name)!r}, this problem {wanted.get(name)!r}"
