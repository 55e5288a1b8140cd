"""The only file that uses names which Optuna does not document.

Optuna's storages are addressed by numbers that its public classes keep to themselves; so are a database's engine, and
what the preferential sampler of its dashboard has fitted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optuna.samplers import BaseSampler
from optuna.storages import BaseStorage, RDBStorage
from optuna.study import Study
from optuna.trial import FrozenTrial

__all__ = ["close_database", "fitted_preferences", "fixed_params", "study_id", "study_ids", "trial_id"]


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


def fitted_preferences(sampler: BaseSampler) -> tuple[list[float], float]:
    """Read the hyperparameters that optuna-dashboard's `PreferentialGPSampler` has fitted to a study's preferences.

    Args:
        sampler: a sampler of that class that has proposed a trial.

    Returns:
        The length scales of its Matern 3/2 kernel, one for each parameter scaled to [0, 1] in the order of their names,
        and the variance of the noise on the difference of two utilities.
    """
    process: Any = getattr(sampler, "_gp")  # noqa: B009 - a name of optuna-dashboard's own
    return process.kernel.lengthscale.detach().reshape(-1).tolist(), float(process.log_noise.detach().exp())
