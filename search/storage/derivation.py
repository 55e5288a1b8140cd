"""Writes a study whose results follow from those of another, without evaluating anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from optuna.distributions import CategoricalDistribution
from optuna.storages import BaseStorage
from optuna.study import Study
from optuna.trial import TrialState, create_trial

from search.checking.problems import check_problem
from search.errors import SearchError
from search.optuna_logging import quiet_optuna
from search.problem import Choice, Evaluation, Problem
from search.samplers.base import Space
from search.storage.connection import connect
from search.storage.facts import StudyFacts, find_facts, finished_trials, note_problem, open_study
from search.storage.trials import SCORES, WORKER, is_ours

__all__ = ["derive_study", "find_origin"]

_ORIGIN = "search:origin"  # the study's user attribute
_WORKER = "derived"


def derive_study(
    problem: Problem,
    evaluations: Sequence[tuple[Choice, Evaluation]],
    origin: Mapping[str, str],
    storage: str | BaseStorage,
    study_name: str,
    report: Callable[[int], None] | None = None,
) -> int:
    """Store evaluations as the finished trials of a study, which `search.run` can continue with the same problem.

    The same call again adds what is missing, as after an interruption.

    Args:
        problem: the problem whose evaluations these are.
        evaluations: distinct choices and their results.
        origin: what they follow from, such as the other study's name, by name.
        storage: where the study is kept.
        study_name: its name; it is created if absent.
        report: called with the number of choices that are stored, after each.

    Returns:
        How many trials were added.

    Raises:
        SearchError: the study is one of another problem, a result is not valid, or the storage does not work.
    """
    check_problem(problem)
    space = Space(problem.choices)
    distributions = {
        name: CategoricalDistribution(options)
        for name, options in zip(space.names, space.options, strict=True)
    }
    for choice, evaluation in evaluations:
        if evaluation.fault is not None:
            raise SearchError(f"{choice}: {evaluation.fault}")
    with quiet_optuna(), connect(storage, create=True) as connection:
        study_id = connection.call(open_study, connection, study_name, StudyFacts.of(problem))
        note_problem(connection, study_id, problem)
        study, _ = find_facts(connection, study_name)
        connection.call(connection.storage.set_study_user_attr, study_id, _ORIGIN, dict(origin))
        found = {
            space.key({name: trial.params[name] for name in space.names})
            for trial in finished_trials(study)
            if is_ours(trial, space)
        }
        missing = [(choice, one) for choice, one in evaluations if space.key(choice) not in found]
        for done, (choice, evaluation) in enumerate(missing, start=1):
            trial = create_trial(
                state=TrialState.COMPLETE,
                values=list(evaluation.values),
                params=dict(choice),
                distributions=dict(distributions),
                user_attrs=dict(evaluation.attributes),
                system_attrs={WORKER: _WORKER}
                | ({SCORES: dict(evaluation.scores)} if evaluation.scores else {}),
                constraints=dict(evaluation.constraints),
            )
            connection.call(connection.storage.create_new_trial, study_id, trial)
            if report is not None:
                report(len(found) + done)
    return len(missing)


def find_origin(study: Study) -> dict[str, str]:
    """Tell what a study was derived from.

    Args:
        study: an opened study.

    Returns:
        Texts by name, empty for a study that was searched.
    """
    origin: Any = study.user_attrs.get(_ORIGIN, {})
    return {str(name): str(text) for name, text in origin.items()} if isinstance(origin, Mapping) else {}
