"""Stores how a claim ended: with an evaluation, or dropped from a race."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import TrialState, create_trial

from search.problem import JSON, Evaluation
from search.racing.batch import Dropped
from search.storage.connection import Connection
from search.storage.trials import CASES, RIVAL, SCORES, Claim

__all__ = ["store_dropped", "store_evaluation"]


def store_evaluation(connection: Connection, claim: Claim, evaluation: Evaluation) -> None:
    """Complete a claim's trial, unless another worker has taken the claim over.

    Args:
        connection: the opened storage.
        claim: the claim.
        evaluation: its result, of finite numbers.
    """
    constraints = _but(evaluation.constraints, claim.foreseen.constraints)
    marks = create_trial(state=TrialState.RUNNING, constraints=constraints).system_attrs
    if evaluation.scores:
        marks = {**marks, SCORES: dict(evaluation.scores)}
    attributes = _but(evaluation.attributes, claim.foreseen.attributes)
    _close(connection, claim, TrialState.COMPLETE, evaluation.values, marks, attributes)


def store_dropped(connection: Connection, claim: Claim, dropped: Dropped) -> None:
    """Prune a claim's trial, with its estimated values, unless another worker has taken the claim over.

    Args:
        connection: the opened storage.
        claim: the claim.
        dropped: what is known of it.
    """
    marks = {SCORES: dict(dropped.scores), CASES: list(dropped.cases), RIVAL: dropped.rival}
    _close(connection, claim, TrialState.PRUNED, dropped.values, marks, {})


def _close(
    connection: Connection,
    claim: Claim,
    state: TrialState,
    values: Sequence[float],
    marks: Mapping[str, Any],
    attributes: Mapping[str, JSON],
) -> None:
    call, storage = connection.call, connection.storage
    try:
        for name, value in attributes.items():
            call(storage.set_trial_user_attr, claim.trial_id, name, value)
        for name, value in marks.items():
            call(storage.set_trial_system_attr, claim.trial_id, name, value)
        call(storage.set_trial_state_values, claim.trial_id, state, list(values))
    except UpdateFinishedTrialError:
        pass  # taken over; or finished, by a call whose answer was lost


def _but(given: Mapping, known: Mapping) -> dict:
    return {name: value for name, value in given.items() if known.get(name) != value}
