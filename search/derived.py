"""A study whose results another problem tells of choices that were tried, such as their prices on another device."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search import pareto
from search.problem import Problem
from search.storage.derivation import derive_study
from search.study import StudyRecord, load

if TYPE_CHECKING:
    from optuna.storages import BaseStorage

__all__ = ["derive"]


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
