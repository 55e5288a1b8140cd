"""One worker of a study: it draws and claims choices, evaluates them and stores the results."""

from __future__ import annotations

import logging
import zlib
from bisect import insort
from collections.abc import Container, Sequence
from dataclasses import dataclass
from operator import attrgetter

import numpy as np

from search.checking.answers import ask, describe_choice, evaluate_batch
from search.checking.problems import check_facts
from search.errors import SearchError
from search.problem import Choice, Evaluation, Known, Point, Problem
from search.racing.batch import Dropped, race_batch
from search.running.settings import SearchSettings
from search.samplers.base import Key, Sampler
from search.storage.claims import Claims
from search.storage.trials import Claim, Enqueued, StudyView

__all__ = ["Progress", "Worker"]

_LOG = logging.getLogger("search")
_MAX_COMPLETIONS = 200
_ORDER = 1  # tells the draw of the cases' order from those of choices
_MAX_FAULTS = 10  # as many evaluations without any valid result end the search: it is not one choice's fault


@dataclass(frozen=True)
class Progress:
    """The progress of a study.

    Attributes:
        n_finished: finished trials, including those that a race dropped.
        n_trials: finished trials that were asked for in total.
        best: the best value of the first objective among feasible finished trials, or None if there is no such trial.
        exhausted: whether every choice has been evaluated.
        n_dropped: finished trials that a race dropped.
        saved: the share of the scores that were left out by that, in [0, 1].
    """

    n_finished: int
    n_trials: int
    best: float | None
    exhausted: bool = False
    n_dropped: int = 0
    saved: float = 0.0


class Worker:
    """Looks at a study and works on it, in turns."""

    def __init__(
        self,
        problem: Problem,
        sampler: Sampler,
        claims: Claims,
        settings: SearchSettings,
        n_trials: int,
        entropy: int,
    ) -> None:
        """Begin with nothing known of the study.

        Args:
            problem: the problem to evaluate.
            sampler: draws the choices.
            claims: this worker's claims on the study.
            settings: how many choices are evaluated together, and how they are raced.
            n_trials: number of finished trials at which the study is complete.
            entropy: the seed of all draws.
        """
        self._problem = problem
        self._sampler = sampler
        self._claims = claims
        self._n_trials = n_trials
        self._batch = settings.batch or sampler.generation
        self._race = settings.race
        self._entropy = entropy
        self._points: list[Point] = []  # by number
        self._best: float | None = None
        self._n_dropped = 0
        self._saved = 0.0  # scores left out, in choices
        self._view = StudyView([], [], [], [])
        self._history: tuple[Point, ...] = ()
        self._suspects: dict[Key, str] = {}  # faulty while nothing has finished

    def look(self) -> Progress:
        """Read the progress of the study.

        Returns:
            Its progress.
        """
        self._view = self._claims.look()
        better = max if self._problem.objectives[0].direction == "maximize" else min
        for point in self._view.new:
            insort(self._points, point, key=attrgetter("number"))
            if point.cases:
                self._n_dropped += 1
                self._saved += 1 - len(point.cases) / len(self._problem.cases)
            elif point.feasible:
                first = point.values[0]
                self._best = first if self._best is None else better(self._best, first)
        exhausted = len(self._claims.finished | self._claims.faulty) >= self._sampler.space.size
        n_finished = len(self._points)
        saved = self._saved / max(1, n_finished)
        return Progress(n_finished, self._n_trials, self._best, exhausted, self._n_dropped, saved)

    def work(self) -> bool:
        """Evaluate the next choices and store the results.

        Returns:
            False if other workers hold all that is left.

        Raises:
            SearchError: the problem returned something that cannot be stored, or no valid result at all.
        """
        claims = self._claim()
        if not claims:
            return False
        choices = [self._sampler.space.choice(claim.key) for claim in claims]
        results = self._evaluate(claims, choices)
        any_valid = bool(self._points) or any(not isinstance(result, str) for result in results)
        for claim, choice, result in zip(claims, choices, results, strict=True):
            if isinstance(result, Evaluation):
                self._claims.finish(claim, result)
                continue
            if isinstance(result, Dropped):
                self._claims.drop(claim, result)
                continue
            _LOG.warning("%s: %s; its trial fails and the search goes on", describe_choice(choice), result)
            self._claims.reject(claim, result if any_valid else None)
            if not any_valid:
                self._suspects[claim.key] = result
        if any_valid:
            for key, fault in self._suspects.items():
                self._claims.mark_faulty(key, fault)
            self._suspects.clear()
        elif len(self._suspects) >= min(_MAX_FAULTS, self._sampler.space.size):
            key, fault = next(iter(self._suspects.items()))
            raise SearchError(
                f"{describe_choice(self._sampler.space.choice(key))}: {fault}, and so it is for all"
                f" {len(self._suspects)} choices evaluated so far: correct {type(self._problem).__name__}.evaluate"
            )
        return True

    def _evaluate(
        self, claims: Sequence[Claim], choices: Sequence[Choice]
    ) -> list[Evaluation | Dropped | str]:
        """Evaluate claimed choices; in a race they are compared with what had finished before their generation."""
        if self._race is None:
            return [*evaluate_batch(self._problem, choices)]
        foreseen = [claim.foreseen for claim in claims]
        rng = np.random.default_rng((self._entropy, len(self._history), _ORDER))
        return race_batch(self._problem, choices, foreseen, self._history, self._race, rng)

    def _claim(self) -> list[Claim]:
        running = {trial.key for trial in self._view.running}
        workers = {trial.worker for trial in self._view.running}
        taken = self._claims.finished | self._claims.faulty | running
        index = len(self._points) + len(running)  # of the next trial
        generation = self._sampler.generation
        start = generation * (index // generation)
        size = min(
            self._batch,
            -(-generation // (1 + len(workers))),  # a share of the generation
            start + generation - index,
            self._n_trials - index,
            self._sampler.space.size - len(taken),
        )
        if size <= 0:
            return []
        if len(self._history) != min(start, len(self._points)):
            self._history = tuple(self._points[:start])
        enqueued = self._enqueued(taken, size)
        keys = list(enqueued)
        taken.update(keys)
        keys += [key for key in self._view.lost if key not in taken][: size - len(keys)]
        taken.update(keys)
        # Several workers may draw for the same index, so each draws in its own way.
        salt = (zlib.crc32(self._claims.worker.encode()),) if workers else ()
        for draw in range(index + len(keys), index + size):
            keys.append(self._draw(draw, taken, salt))
            taken.add(keys[-1])
        choices = [self._sampler.space.choice(key) for key in keys]
        foreseen = ask(self._problem, "foresee", choices, Known)
        for choice, known in zip(choices, foreseen, strict=True):
            try:
                check_facts(known.attributes, known.constraints)
            except SearchError as error:
                raise SearchError(
                    f"{describe_choice(choice)}: {type(self._problem).__name__}.foresee: {error}"
                ) from None
        return self._claims.take(keys, foreseen, self._n_trials, enqueued)

    def _enqueued(self, taken: Container[Key], size: int) -> dict[Key, Enqueued]:
        """The choices of up to `size` waiting trials; values that a trial leaves open are drawn for it."""
        found: dict[Key, Enqueued] = {}
        space = self._sampler.space
        for waiting in self._view.enqueued:
            if len(found) >= size:
                break
            if waiting.fixed is None:
                self._claims.refuse(waiting, "its parameters are no choice of this problem")
                continue
            rng = np.random.default_rng((self._entropy, waiting.number))
            for _ in range(_MAX_COMPLETIONS):
                key = space.key(space.choice(space.draw(rng)) | waiting.fixed)
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
