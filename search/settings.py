"""How a study is searched: the number of trials, the sampler, and how workers share the study."""

from __future__ import annotations

import math
from dataclasses import dataclass

from search.errors import SearchError
from search.samplers import NAMES

__all__ = ["SearchSettings"]

_MAX_LEASE_S = 604_800  # Python's timers have an end, inf is beyond it


@dataclass(frozen=True)
class SearchSettings:
    """The settings of a search.

    Attributes:
        n_trials: finished trials that the study shall have in total, at least 1; None for every choice.
        sampler: how choices are drawn, one of `search.samplers.NAMES`.
        population: trials of one generation of the sampler `nsga2`, at least 2.
        batch: choices of one generation that are evaluated together, at least 1; None for the whole generation.
        seed: at least 0; with the same seed a single worker makes the same trials, however often it is stopped. None
            takes a seed from the system.
        lease_s: seconds, from 1 to 604,800 (a week), after which a silent worker's choices go to others.

    Raises:
        SearchError: a setting is out of its range.
    """

    n_trials: int | None = None
    sampler: str = "nsga2"
    population: int = 10
    batch: int | None = 10
    seed: int | None = 0
    lease_s: float = 30

    def __post_init__(self) -> None:
        least = {"n_trials": 1, "population": 2, "batch": 1, "seed": 0}
        for name, lowest in least.items():
            number: int | None = getattr(self, name)
            if number is None and name != "population":
                continue
            if number is None or not _is_whole(number):
                raise SearchError(f"{name} is {number!r}: it must be a whole number")
            if number < lowest:
                raise SearchError(f"{name} is {number}: it must be at least {lowest}")
        if self.sampler not in NAMES:
            raise SearchError(f"sampler {self.sampler!r} is not known: choose from {', '.join(NAMES)}")
        if not isinstance(self.lease_s, (int, float)) or self.lease_s < 1:
            raise SearchError(f"lease_s is {self.lease_s!r}: it must be at least 1")
        if math.isnan(self.lease_s) or self.lease_s > _MAX_LEASE_S:
            raise SearchError(f"lease_s is {self.lease_s}: it must be at most {_MAX_LEASE_S}, a week")


def _is_whole(number: object) -> bool:
    try:
        return not isinstance(number, bool) and int(number) == number  # type: ignore[call-overload]
    except (TypeError, ValueError, OverflowError):
        return False
