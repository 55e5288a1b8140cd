"""Latency: measured on this machine, read from look-up tables, and the prices of search problems.

The names below are imported when they are first used, so that `import mfagan.latency` needs neither torch nor a
runtime.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mfagan.latency.building import build_table, measure_blocks
    from mfagan.latency.measuring.networks import measure_model, measure_networks
    from mfagan.latency.priced_problem import LATENCY, MEMORY, Measured, PricedProblem, Target
    from mfagan.latency.tables import describe_build, find_table, read_table, warn_noise, warn_size

__all__ = [
    "LATENCY",
    "MEMORY",
    "Measured",
    "PricedProblem",
    "Target",
    "build_table",
    "describe_build",
    "find_table",
    "measure_blocks",
    "measure_model",
    "measure_networks",
    "read_table",
    "warn_noise",
    "warn_size",
]

_FILES = {
    "building": ("build_table", "measure_blocks"),
    "measuring.networks": ("measure_model", "measure_networks"),
    "priced_problem": ("LATENCY", "MEMORY", "Measured", "PricedProblem", "Target"),
    "tables": ("describe_build", "find_table", "read_table", "warn_noise", "warn_size"),
}


def __getattr__(name: str) -> object:
    for file, names in _FILES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{file}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
