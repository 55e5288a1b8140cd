"""The names that Optuna does not document and studies need: identifiers of studies and trials, a database's engine.

Optuna's storages are addressed by numbers that its public classes keep to themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optuna.storages import BaseStorage, RDBStorage
from optuna.study import Study
from optuna.trial import FrozenTrial

__all__ = ["close_database", "fixed_params", "study_id", "study_ids", "trial_id"]


def study_id(study: Study) -> int:
    """Return the number of a study in its storage.

    Args:
        study: an opened study.

    Returns:
        Its number, as Optuna's storages expect it.
    """
    return study._study_id


def study_ids(storage: BaseStorage) -> dict[str, int]:
    """List the studies of a storage.

    Args:
        storage: an opened storage.

    Returns:
        The number of each study by its name.
    """
    return {study.study_name: study._study_id for study in storage.get_all_studies()}


def trial_id(trial: FrozenTrial) -> int:
    """Return the number of a trial in its storage, which is not its number in the study.

    Args:
        trial: a trial that was read from a storage.

    Returns:
        Its number, as Optuna's storages expect it.
    """
    return trial._trial_id


def fixed_params(trial: FrozenTrial) -> Mapping[str, Any]:
    """Return the parameters that `study.enqueue_trial` fixed.

    Args:
        trial: a waiting trial.

    Returns:
        Values by the parameters' names; empty if nothing is fixed.
    """
    fixed = trial.system_attrs.get("fixed_params")
    return fixed if isinstance(fixed, Mapping) else {}


def close_database(storage: BaseStorage) -> None:
    """Close the connections of a storage's database, if it has one.

    Args:
        storage: a storage that is not used afterwards.
    """
    backend = getattr(storage, "_backend", storage)  # of Optuna's cache in front of a database
    if isinstance(backend, RDBStorage):
        backend.engine.dispose()
