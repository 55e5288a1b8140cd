"""Fronts and comparisons as plotly figures, HTML pages and dashboard entries.

    from search.report import plot_front, plot_hypervolume

Each name is imported when it is first used, so that `import search.report` loads no plotly.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from search.report.plots import (
        plot_effects,
        plot_front,
        plot_fronts,
        plot_hypervolume,
        plot_importances,
        plot_parallel_coordinates,
        plot_shares,
    )

__all__ = [
    "plot_effects",
    "plot_front",
    "plot_fronts",
    "plot_hypervolume",
    "plot_importances",
    "plot_parallel_coordinates",
    "plot_shares",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.plots"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
