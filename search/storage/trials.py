"""Trials of a study as plain data: finished points, claims of workers, enqueued choices."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from optuna.trial import FrozenTrial

from search.problem import Choice, Known, Point
from search.samplers.base import Key, Space
from search.storage.optuna_adapter import fixed_params, trial_id

__all__ = ["BEAT", "CASES", "EXPIRED", "FAULT", "RIVAL", "SCORES", "WORKER"]
__all__ += ["Claim", "Enqueued", "RunningTrial", "StudyView", "as_enqueued", "as_point", "is_ours"]

WORKER = "search:worker"
"""The trial attribute that names the worker of a claim."""
BEAT = "search:beat"
"""The trial attribute that a worker counts up to renew its lease."""
EXPIRED = "search:expired"
"""The trial attribute of a claim whose worker was silent for too long."""
FAULT = "search:fault"
"""The trial attribute that says why a choice has no result and is not drawn again."""

SCORES = "search:scores"
"""The trial attribute that holds the score on each case, by the objective's name."""
CASES = "search:cases"
"""The trial attribute that holds the indices of the cases that a dropped choice was scored on."""
RIVAL = "search:rival"
"""The trial attribute that holds the number of the trial for which a choice was dropped."""


@dataclass(frozen=True)
class Claim:
    """A choice that this worker holds.

    Attributes:
        trial_id: the trial's number in its storage.
        key: the choice.
        foreseen: what is known of the choice before its evaluation.
    """

    trial_id: int
    key: Key
    foreseen: Known = field(repr=False)


@dataclass(frozen=True)
class RunningTrial:
    """A choice that another worker holds.

    Attributes:
        number: the trial's number in the study.
        key: the choice.
        worker: the worker's name.
    """

    number: int
    key: Key
    worker: str


@dataclass(frozen=True)
class Enqueued:
    """A trial that somebody enqueued (`study.enqueue_trial`) and that waits to be run.

    Attributes:
        trial_id: the trial's number in its storage.
        number: the trial's number in the study.
        fixed: the values that it fixes, of some or all names of the choice; None if one of them is no option.
    """

    trial_id: int
    number: int
    fixed: Choice | None


@dataclass(frozen=True)
class StudyView:
    """What a look at a study finds.

    Attributes:
        new: points that have finished since the last look.
        running: choices that other workers hold.
        lost: choices whose workers died, and which nobody has claimed again.
        enqueued: trials that wait to be run, the oldest first.
    """

    new: list[Point]
    running: list[RunningTrial]
    lost: list[Key]
    enqueued: list[Enqueued]


def is_ours(trial: FrozenTrial, space: Space) -> bool:
    """Whether a trial is a claim of one of this package's workers on a choice of the space.

    Other scripts may leave trials of their own in a study, with `study.ask` and `study.tell` for example.

    Args:
        trial: a trial in any state.
        space: the choices of the problem.

    Returns:
        True for a worker's claim.
    """
    if WORKER not in trial.system_attrs:
        return False
    return all(
        name in trial.params and trial.params[name] in options
        for name, options in zip(space.names, space.options, strict=True)
    )


def as_point(trial: FrozenTrial, space: Space) -> Point:
    """Read a finished trial.

    Args:
        trial: a complete or pruned trial for which `is_ours` is true.
        space: the choices of the problem.

    Returns:
        The trial as plain data.
    """
    violations = [value for value in trial.constraints.values() if value > 0]
    return Point(
        number=trial.number,
        choice={name: trial.params[name] for name in space.names},
        values=tuple(trial.values),
        attributes=dict(trial.user_attrs),
        feasible=not violations,
        violation=math.fsum(violations),
        scores={name: tuple(column) for name, column in trial.system_attrs.get(SCORES, {}).items()},
        cases=tuple(trial.system_attrs.get(CASES, ())),
    )


def as_enqueued(trial: FrozenTrial, space: Space) -> Enqueued:
    """Read a waiting trial.

    Args:
        trial: a waiting trial.
        space: the choices of the problem.

    Returns:
        The trial as plain data; each fixed value is the option that equals it.
    """
    options = dict(zip(space.names, space.options, strict=True))
    fixed: Choice | None = {}
    for name, value in fixed_params(trial).items():
        equal = [option for option in options.get(name, ()) if option == value]
        if not equal:
            fixed = None
            break
        fixed[name] = equal[0]
    return Enqueued(trial_id(trial), trial.number, fixed)
