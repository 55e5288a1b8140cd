"""Multi-objective search over any space of discrete choices, a plug-in on Optuna.

    from search import Evaluation, Objective, Problem, front, load, run

Each name is imported when it is first used, so that `import search` takes a moment and needs no Optuna.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from search.errors import SearchError
    from search.latency import LatencyTable
    from search.pareto import front
    from search.picking import Pick, choose, pick
    from search.picking.limits import Limit
    from search.problem import Evaluation, Known, Objective, Point, Problem
    from search.racing.settings import Race
    from search.running.settings import SearchSettings
    from search.study import StudyRecord, derive, load, run

__all__ = [
    "Evaluation",
    "Known",
    "LatencyTable",
    "Limit",
    "Objective",
    "Pick",
    "Point",
    "Problem",
    "Race",
    "SearchError",
    "SearchSettings",
    "StudyRecord",
    "choose",
    "derive",
    "front",
    "load",
    "pick",
    "run",
]

_MODULES = {
    "Evaluation": "problem",
    "Known": "problem",
    "LatencyTable": "latency",
    "Limit": "picking.limits",
    "Objective": "problem",
    "Pick": "picking",
    "Point": "problem",
    "Problem": "problem",
    "Race": "racing.settings",
    "SearchError": "errors",
    "SearchSettings": "running.settings",
    "StudyRecord": "study",
    "choose": "picking",
    "derive": "study",
    "front": "pareto",
    "load": "study",
    "pick": "picking",
    "run": "study",
}
"""Public name -> the module that defines it; no module has the name of one of these."""


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
