"""Claims: which worker evaluates which choice, so that many can share a study on any of Optuna's storages.

A claim is a running trial that carries its choice and its worker's name. Optuna numbers trials in one order that
all workers see, so of two claims on one choice the lower number holds, and a claim holds only while fewer than the
requested number of trials come before it; the others are withdrawn before anything is evaluated.

A worker renews a lease, a count on one of its claims. Others who have seen no renewal for `lease_s` by their own
clock (clocks of different machines are not compared), or know that its process is gone, fail its claims and claim
the choices themselves. A worker that was only slow finds its trial failed and drops its result.

Trials without a worker's name come from other scripts: they are neither counted nor touched. One that is waiting
(`study.enqueue_trial`) and holds a choice of the problem is claimed as it stands.
"""

from __future__ import annotations

import logging
import threading
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from contextlib import suppress
from operator import attrgetter

from optuna.distributions import CategoricalDistribution
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import FrozenTrial, TrialState, create_trial

from search.problem import Evaluation, Known, Point
from search.racing.batch import Dropped
from search.samplers.base import Key, Space
from search.storage.connection import Connection, is_storage_failure
from search.storage.lease import LeaseWatch, name_worker
from search.storage.optuna_adapter import trial_id
from search.storage.results import store_dropped, store_evaluation
from search.storage.trials import (
    BEAT,
    EXPIRED,
    FAULT,
    WORKER,
    Claim,
    Enqueued,
    RunningTrial,
    StudyView,
    as_enqueued,
    as_point,
    is_ours,
)

__all__ = ["Claims"]

_LOG = logging.getLogger("search")
_BEATS_PER_LEASE = 6
_PARTING_S = 10


class Claims:
    """The claims of one worker on one study; a context manager that renews its lease until it is left.

    Attributes:
        worker: the worker's name.
        finished: the choices of the study's finished trials, including those that a race dropped.
        faulty: the choices that were evaluated and have no valid result.
    """

    def __init__(self, connection: Connection, study_id: int, space: Space, lease_s: float) -> None:
        """Begin without a claim.

        Args:
            connection: the opened storage.
            study_id: the study's number in the storage.
            space: the choices of the problem.
            lease_s: seconds without a renewal after which another worker's claims expire.
        """
        self.worker = name_worker()
        self.finished: set[Key] = set()
        self.faulty: set[Key] = set()
        self._connection = connection
        self._study_id = study_id
        self._space = space
        self._distributions = {
            name: CategoricalDistribution(options)
            for name, options in zip(space.names, space.options, strict=True)
        }
        self._lease_s = lease_s
        self._watch = LeaseWatch(lease_s)
        self._held: dict[int, Claim] = {}
        self._new: list[Point] = []
        self._enqueued: list[Enqueued] = []
        self._n_closed = 0
        self._closed: set[int] = set()  # numbers of finished and failed trials from `_n_closed` on
        self._lost: dict[Key, None] = {}
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
        for held in list(self._held):
            try:
                self._fail(held)
            except Exception as error:
                if not is_storage_failure(error):  # else its lease runs out
                    raise

    def look(self) -> StudyView:
        """Read the study as it is now.

        Claims of workers that are gone are failed first, and so are claims of this worker that it does not know.

        Returns:
            What has changed, and what others hold.
        """
        open_trials = self._read()
        expired = self._watch.expired(open_trials, self.worker, self._connection.n_losses)
        strays = [trial for trial in open_trials if self._is_stray(trial)]
        for trial in expired:
            self._connection.call(self._expire, trial)
        for trial in strays:
            self._connection.call(self._fail, trial_id(trial))
        if expired or strays:
            open_trials = self._read()
        running = [
            RunningTrial(trial.number, self._key(trial), str(trial.system_attrs[WORKER]))
            for trial in open_trials
            if trial_id(trial) not in self._held
        ]
        taken = {trial.key for trial in running} | self.finished | self.faulty
        lost = [key for key in self._lost if key not in taken]
        new, self._new = self._new, []
        return StudyView(new, running, lost, list(self._enqueued))

    def take(
        self,
        keys: Sequence[Key],
        foreseen: Sequence[Known],
        n_trials: int,
        enqueued: Mapping[Key, Enqueued] | None = None,
    ) -> list[Claim]:
        """Claim choices.

        Args:
            keys: the choices.
            foreseen: what is known of each of them.
            n_trials: finished and claimed trials that the study may have in total.
            enqueued: the waiting trials of some of the choices, which are claimed as they stand.

        Returns:
            The claims that hold: without choices that another worker was first to claim, or that exceed `n_trials`.
        """
        claims = []
        for key, known in zip(keys, foreseen, strict=True):
            template = create_trial(
                state=TrialState.RUNNING,
                params=self._space.choice(key),
                distributions=dict(self._distributions),
                user_attrs=dict(known.attributes),
                system_attrs={WORKER: self.worker},
                constraints=dict(known.constraints),
            )
            waiting = (enqueued or {}).get(key)
            if waiting is None:
                create = self._connection.storage.create_new_trial
                claim = Claim(self._connection.call(create, self._study_id, template), key, known)
            elif self._connection.call(self._start, waiting, template):
                claim = Claim(waiting.trial_id, key, known)
            else:  # another worker has it
                continue
            self._held[claim.trial_id] = claim
            claims.append(claim)
        self._confirm(n_trials)
        return [claim for claim in claims if claim.trial_id in self._held]

    def refuse(self, waiting: Enqueued, reason: str) -> None:
        """Fail an enqueued trial and report it on the log `search`.

        Args:
            waiting: the trial.
            reason: why it is not run.
        """
        _LOG.warning("the enqueued trial %d is not run: %s", waiting.number, reason)
        self._connection.call(self._fail, waiting.trial_id)

    def reject(self, claim: Claim, fault: str | None) -> None:
        """Fail a claim whose evaluation has no valid result; this worker does not draw its choice again.

        Args:
            claim: a claim of this worker.
            fault: why; it is stored, so that no other worker draws the choice either. None stores nothing.
        """
        if fault is not None:
            set_attribute = self._connection.storage.set_trial_system_attr
            with suppress(UpdateFinishedTrialError):  # taken over by another worker
                self._connection.call(set_attribute, claim.trial_id, FAULT, fault)
        self._connection.call(self._fail, claim.trial_id)
        self._held.pop(claim.trial_id, None)
        self.faulty.add(claim.key)

    def mark_faulty(self, key: Key, fault: str) -> None:
        """Record that a choice has no valid result, after its claim was rejected without a reason.

        Args:
            key: the choice.
            fault: why; no worker draws the choice again.
        """
        failed = create_trial(
            state=TrialState.FAIL,
            params=self._space.choice(key),
            distributions=dict(self._distributions),
            system_attrs={WORKER: self.worker, FAULT: fault},
        )
        self._connection.call(self._connection.storage.create_new_trial, self._study_id, failed)

    def finish(self, claim: Claim, evaluation: Evaluation) -> None:
        """Store a claim's result, unless another worker has taken the claim over.

        Args:
            claim: a claim of this worker.
            evaluation: the result, of finite numbers.
        """
        store_evaluation(self._connection, claim, evaluation)
        self._held.pop(claim.trial_id, None)

    def drop(self, claim: Claim, dropped: Dropped) -> None:
        """Store that a race dropped a claim's choice, unless another worker has taken the claim over.

        Args:
            claim: a claim of this worker.
            dropped: what is known of the choice.
        """
        store_dropped(self._connection, claim, dropped)
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
                self._connection.call(self._fail, trial_id(trial))
                self._held.pop(trial_id(trial), None)
                continue
            before.add(key)
            n_before += 1
        alive = {trial_id(trial) for trial in open_trials}
        for held in [held for held in self._held if held not in alive]:
            del self._held[held]  # expired meanwhile

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
                self._enqueued.append(as_enqueued(trial, self._space))
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
        if trial.state in (TrialState.COMPLETE, TrialState.PRUNED):
            self._new.append(as_point(trial, self._space))
            self.finished.add(key)
        elif FAULT in trial.system_attrs:
            self.faulty.add(key)
        elif EXPIRED in trial.system_attrs:
            self._lost[key] = None

    def _start(self, waiting: Enqueued, template: FrozenTrial) -> bool:
        """Make a waiting trial this worker's claim; False if another worker was first."""
        storage, started = self._connection.storage, waiting.trial_id
        try:
            if not storage.set_trial_state_values(started, TrialState.RUNNING):
                return False
            for name, value in template.system_attrs.items():
                storage.set_trial_system_attr(started, name, value)
            for name, distribution in template.distributions.items():
                internal = distribution.to_internal_repr(template.params[name])
                storage.set_trial_param(started, name, internal, distribution)
            for name, value in template.user_attrs.items():
                storage.set_trial_user_attr(started, name, value)
        except UpdateFinishedTrialError:
            return False
        return True

    def _is_stray(self, trial: FrozenTrial) -> bool:
        """Whether it is a claim of this worker that it does not know: made by a call whose answer was lost."""
        return trial.system_attrs.get(WORKER) == self.worker and trial_id(trial) not in self._held

    def _key(self, trial: FrozenTrial) -> Key:
        return self._space.key(trial.params)

    def _fail(self, failed: int) -> None:
        with suppress(UpdateFinishedTrialError):  # another worker was first
            self._connection.storage.set_trial_state_values(failed, TrialState.FAIL)

    def _expire(self, trial: FrozenTrial) -> None:
        with suppress(UpdateFinishedTrialError):
            self._connection.storage.set_trial_system_attr(trial_id(trial), EXPIRED, True)
        self._fail(trial_id(trial))

    def _renew(self) -> None:
        count = 0
        while not self._stop.wait(self._lease_s / _BEATS_PER_LEASE):
            for held in list(self._held):
                try:
                    self._connection.storage.set_trial_system_attr(held, BEAT, count)
                    count += 1
                    break
                except UpdateFinishedTrialError:
                    continue  # just finished: the next claim carries the lease
                except Exception as error:
                    if not is_storage_failure(error):
                        raise
                    break  # the next beat tries again, and the main thread reports what is wrong
        self._connection.storage.remove_session()
