"""Claims: which worker evaluates which choice, so that many can share a study on any of Optuna's storages.

A claim is a running trial that carries its choice and its worker's name. Optuna numbers trials in one order that
all workers see, so of two claims on one choice the lower number holds, and a claim holds only while fewer than the
asked number of trials come before it; the others are withdrawn before anything is evaluated.

A worker renews a lease, a count on one of its claims. Others who have seen no renewal for `lease_s` by their own
clock (clocks of different machines are not compared), or know that its process is gone, fail its claims and claim
the choices themselves. A worker that was only slow finds its trial failed and drops its result.

Trials without a worker's name come from other scripts: they are neither counted nor touched. One that is waiting
(`study.enqueue_trial`) and holds a choice of the problem is claimed as it stands.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
import uuid
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from operator import attrgetter

from optuna.distributions import BaseDistribution
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import FrozenTrial, TrialState, create_trial

from search.problem import Evaluation, Known, Point, Value
from search.samplers.base import Key, Space
from search.storage.connection import Connection, is_storage_failure

_LOG = logging.getLogger("search")

WORKER = "search:worker"
"""The trial attribute that names the worker of a claim."""

_BEAT = "search:beat"
_EXPIRED = "search:expired"
_FAULT = "search:fault"
_FIXED = "fixed_params"  # Optuna's, on an enqueued trial
_BEATS_PER_LEASE = 6
_PARTING_S = 10


@dataclass(frozen=True)
class Claim:
    """A choice that this worker holds, as the trial of this id."""

    trial_id: int
    key: Key
    foreseen: Known = field(repr=False)


@dataclass(frozen=True)
class StudyView:
    """What a look at a study finds.

    new: trials that have finished since the last look. running: those of other workers. lost: choices whose workers
    died, which nobody has claimed again. enqueued: trials that wait to be run, the oldest first.
    """

    new: list[FrozenTrial]
    running: list[FrozenTrial]
    lost: list[Key]
    enqueued: list[FrozenTrial]


class Claims:
    """The claims of one worker on one study; a context that renews its lease until it is left.

    `finished` are the choices of the study's finished trials, `faulty` those whose values were no finite numbers.
    """

    def __init__(
        self,
        connection: Connection,
        study_id: int,
        space: Space,
        distributions: Mapping[str, BaseDistribution],
        lease_s: float,
    ) -> None:
        self.worker = f"{_machine()}|{os.getpid()}|{uuid.uuid4().hex[:8]}"
        self.finished: set[Key] = set()
        self.faulty: set[Key] = set()
        self._connection = connection
        self._study_id = study_id
        self._space = space
        self._distributions = dict(distributions)
        self._lease_s = lease_s
        self._held: dict[int, Claim] = {}
        self._new: list[FrozenTrial] = []
        self._enqueued: list[FrozenTrial] = []
        self._n_closed = 0
        self._closed: set[int] = set()  # numbers of finished and failed trials from `_n_closed` on
        self._dropped: dict[Key, None] = {}
        self._seen: dict[str, tuple[object, float]] = {}
        self._losses_seen = 0
        self._stop = threading.Event()
        self._beats = threading.Thread(target=self._renew, name="lease", daemon=True)

    def __enter__(self) -> Claims:
        self._beats.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        self._beats.join(_PARTING_S)
        if self._beats.is_alive():  # the storage does not answer: the lease runs out
            return
        for trial_id in list(self._held):
            try:
                self._fail(trial_id)
            except Exception as error:
                if not is_storage_failure(error):  # else its lease runs out
                    raise

    def look(self) -> StudyView:
        """The study as it is now; claims of dead workers, and this worker's strays, are failed first."""
        open_trials = self._read()
        expired = self._expired(open_trials)
        strays = [trial for trial in open_trials if self._is_stray(trial)]
        for trial in expired:
            self._connection.call(self._expire, trial)
        for trial in strays:
            self._connection.call(self._fail, trial._trial_id)
        if expired or strays:
            open_trials = self._read()
        running = [trial for trial in open_trials if trial._trial_id not in self._held]
        taken = {self._key(trial) for trial in running}
        lost = [key for key in self._dropped if key not in taken | self.finished | self.faulty]
        new, self._new = self._new, []
        return StudyView(new, running, lost, list(self._enqueued))

    def take(
        self,
        keys: Sequence[Key],
        foreseen: Sequence[Known],
        n_trials: int,
        enqueued: Mapping[Key, FrozenTrial] | None = None,
    ) -> list[Claim]:
        """Claim choices; those that others were first to claim, or that exceed `n_trials`, are left out.

        A choice of `enqueued` is claimed as the waiting trial that holds it.
        """
        claims = []
        for key, known in zip(keys, foreseen, strict=True):
            template = create_trial(
                state=TrialState.RUNNING,
                params=self._space.choice(key),
                distributions=self._distributions,
                user_attrs=dict(known.attributes),
                system_attrs={WORKER: self.worker},
                constraints=dict(known.constraints),
            )
            waiting = (enqueued or {}).get(key)
            if waiting is None:
                create = self._connection.storage.create_new_trial
                claim = Claim(self._connection.call(create, self._study_id, template), key, known)
            elif self._connection.call(self._start, waiting, template):
                claim = Claim(waiting._trial_id, key, known)
            else:  # another worker has it
                continue
            self._held[claim.trial_id] = claim
            claims.append(claim)
        self._confirm(n_trials)
        return [claim for claim in claims if claim.trial_id in self._held]

    def choice_of(self, waiting: FrozenTrial) -> dict[str, Value] | None:
        """What an enqueued trial fixes of a choice, None if it is not part of one of the problem's choices."""
        fixed = waiting.system_attrs.get(_FIXED)
        options = dict(zip(self._space.names, self._space.options, strict=True))
        if not isinstance(fixed, Mapping) or any(
            value not in options.get(n, ()) for n, value in fixed.items()
        ):
            return None
        return dict(fixed)

    def refuse(self, waiting: FrozenTrial, reason: str) -> None:
        """Fail an enqueued trial and report why on the log `search`."""
        _LOG.warning("the enqueued trial %d is not run: %s", waiting.number, reason)
        self._connection.call(self._fail, waiting._trial_id)

    def reject(self, claim: Claim, fault: str) -> None:
        """Fail a claim for good: its choice is not drawn again."""
        set_attribute = self._connection.storage.set_trial_system_attr
        with suppress(UpdateFinishedTrialError):  # taken over by another worker
            self._connection.call(set_attribute, claim.trial_id, _FAULT, fault)
        self._connection.call(self._fail, claim.trial_id)
        self._held.pop(claim.trial_id, None)
        self.faulty.add(claim.key)

    def finish(self, claim: Claim, evaluation: Evaluation) -> None:
        """Store a claim's result; nothing is stored where another worker has taken it over."""
        call, storage = self._connection.call, self._connection.storage
        constraints = _but(evaluation.constraints, claim.foreseen.constraints)
        marks = create_trial(state=TrialState.RUNNING, constraints=constraints).system_attrs
        try:
            for name, value in _but(evaluation.attributes, claim.foreseen.attributes).items():
                call(storage.set_trial_user_attr, claim.trial_id, name, value)
            for name, value in marks.items():
                call(storage.set_trial_system_attr, claim.trial_id, name, value)
            call(storage.set_trial_state_values, claim.trial_id, TrialState.COMPLETE, list(evaluation.values))
        except UpdateFinishedTrialError:
            pass  # taken over; or finished, by a call whose answer was lost
        self._held.pop(claim.trial_id, None)

    def _confirm(self, n_trials: int) -> None:
        """Withdraw what does not hold among this worker's claims."""
        open_trials = self._read()
        # Whoever sees a trial of its own sees all with lower numbers.
        before: set[Key] = set()
        n_before = len(self.finished)
        for trial in open_trials:
            mine = trial.system_attrs.get(WORKER) == self.worker
            key = self._key(trial)
            late = key in before | self.finished | self.faulty or n_before >= n_trials
            if self._is_stray(trial) or (mine and late):
                self._connection.call(self._fail, trial._trial_id)
                self._held.pop(trial._trial_id, None)
                continue
            before.add(key)
            n_before += 1
        alive = {trial._trial_id for trial in open_trials}
        for trial_id in [held for held in self._held if held not in alive]:
            del self._held[trial_id]  # expired meanwhile

    def _read(self) -> list[FrozenTrial]:
        """The running trials by number; what has finished is noted, and looked at once only."""
        trials = self._connection.call(
            self._connection.storage.get_all_trials, self._study_id, deepcopy=False
        )
        running: list[FrozenTrial] = []
        self._enqueued = []
        # In the order of their numbers; a proxy's answer may lack a trial and hold later ones.
        for trial in trials[bisect_left(trials, self._n_closed, key=attrgetter("number")) :]:
            if trial.state == TrialState.WAITING:
                self._enqueued.append(trial)
            elif trial.state == TrialState.RUNNING:
                if is_ours(trial, self._space):
                    running.append(trial)
            elif trial.number not in self._closed:
                self._closed.add(trial.number)
                if is_ours(trial, self._space):
                    self._note(trial)
        while self._n_closed in self._closed:
            self._closed.remove(self._n_closed)
            self._n_closed += 1
        return running

    def _note(self, trial: FrozenTrial) -> None:
        """Remember how a claim ended."""
        key = self._key(trial)
        if trial.state == TrialState.COMPLETE:
            self._new.append(trial)
            self.finished.add(key)
        elif _FAULT in trial.system_attrs:
            self.faulty.add(key)
        elif _EXPIRED in trial.system_attrs:
            self._dropped[key] = None

    def _start(self, waiting: FrozenTrial, template: FrozenTrial) -> bool:
        """Make a waiting trial this worker's claim; False where another worker was first."""
        storage, trial_id = self._connection.storage, waiting._trial_id
        try:
            if not storage.set_trial_state_values(trial_id, TrialState.RUNNING):
                return False
            for name, value in template.system_attrs.items():
                storage.set_trial_system_attr(trial_id, name, value)
            for name, distribution in template.distributions.items():
                internal = distribution.to_internal_repr(template.params[name])
                storage.set_trial_param(trial_id, name, internal, distribution)
            for name, value in template.user_attrs.items():
                storage.set_trial_user_attr(trial_id, name, value)
        except UpdateFinishedTrialError:
            return False
        return True

    def _is_stray(self, trial: FrozenTrial) -> bool:
        """Whether it is a claim of this worker that it does not know: made by a call whose answer was lost."""
        return trial.system_attrs.get(WORKER) == self.worker and trial._trial_id not in self._held

    def _key(self, trial: FrozenTrial) -> Key:
        return self._space.key(trial.params)

    def _fail(self, trial_id: int) -> None:
        with suppress(UpdateFinishedTrialError):  # somebody else was first
            self._connection.storage.set_trial_state_values(trial_id, TrialState.FAIL)

    def _expire(self, trial: FrozenTrial) -> None:
        with suppress(UpdateFinishedTrialError):
            self._connection.storage.set_trial_system_attr(trial._trial_id, _EXPIRED, True)
        self._fail(trial._trial_id)

    def _expired(self, running: Sequence[FrozenTrial]) -> list[FrozenTrial]:
        """Running trials of workers that are gone, or have not renewed their lease while this one watched."""
        now = time.monotonic()
        claimed: dict[str, list[FrozenTrial]] = {}
        for trial in running:
            worker = trial.system_attrs.get(WORKER, "")
            if worker != self.worker:
                claimed.setdefault(worker, []).append(trial)
        if self._connection.n_losses != self._losses_seen:  # nobody could renew while the storage was away
            self._losses_seen, self._seen = self._connection.n_losses, {}
        expired = []
        for worker, held in claimed.items():
            signs = [(trial.number, trial.system_attrs.get(_BEAT)) for trial in held]
            before, since = self._seen.get(worker, (None, now))
            if signs != before:
                self._seen[worker] = (signs, now)
                since = now
            if now - since > self._lease_s or _is_gone(worker):
                expired += held
        return expired

    def _renew(self) -> None:
        count = 0
        while not self._stop.wait(self._lease_s / _BEATS_PER_LEASE):
            for trial_id in list(self._held):
                try:
                    self._connection.storage.set_trial_system_attr(trial_id, _BEAT, count)
                    count += 1
                    break
                except UpdateFinishedTrialError:
                    continue  # just finished: the next claim carries the lease
                except Exception as error:
                    if not is_storage_failure(error):
                        raise
                    break  # the next beat tries again, and the main thread says what is wrong
        self._connection.storage.remove_session()


def is_ours(trial: FrozenTrial, space: Space) -> bool:
    """Whether a trial is a claim of one of this package's workers on a choice of the space.

    Other scripts may leave trials of their own in a study, with `study.ask` and `study.tell` for example.
    """
    if WORKER not in trial.system_attrs:
        return False
    return all(
        name in trial.params and trial.params[name] in options
        for name, options in zip(space.names, space.options, strict=True)
    )


def as_point(trial: FrozenTrial, space: Space) -> Point:
    """A finished trial as plain data."""
    violations = [value for value in trial.constraints.values() if value > 0]
    return Point(
        number=trial.number,
        choice={name: trial.params[name] for name in space.names},
        values=tuple(trial.values),
        attributes=dict(trial.user_attrs),
        feasible=not violations,
        violation=sum(violations),
    )


def _but(given: Mapping, known: Mapping) -> dict:
    return {name: value for name, value in given.items() if known.get(name) != value}


def _machine() -> str:
    """This machine as far as process numbers mean the same."""
    try:
        namespace = os.readlink("/proc/self/ns/pid")
    except OSError:
        namespace = ""
    return f"{socket.gethostname()}|{namespace}"


def _is_gone(worker: str) -> bool:
    """Whether a worker was a process of this machine that no longer exists."""
    machine, _, rest = worker.rpartition("|")[0].rpartition("|")
    if os.name != "posix" or machine != _machine() or not rest.isdecimal():
        return False
    try:
        os.kill(int(rest), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
