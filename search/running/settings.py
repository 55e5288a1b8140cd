"""How a study is searched: the number of trials, the sampler, and how workers share the study."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from search.errors import SearchError
from search.racing.settings import Race
from search.samplers import NAMES

__all__ = ["SearchSettings"]

_MAX_LEASE_S = 604_800  # Python's timers have an end, inf is beyond it


@dataclass(frozen=True)
class SearchSettings:
    """The settings of a search.

    Attributes:
        n_trials: number of finished trials at which the study is complete, at least 1; None evaluates every choice.
        sampler: how choices are drawn, one of `search.samplers.NAMES`.
        population: trials of one generation of the sampler `nsga2`, at least 2.
        batch: choices of one generation that are evaluated together, at least 1; None for the whole generation.
        seed: at least 0; with the same seed a single worker makes the same trials, however often it is stopped. None
            takes a seed from the system.
        lease_s: seconds, from 1 to 604,800 (a week), after which a silent worker's choices go to others.
        race: how choices that cannot be on the front are dropped early; None evaluates every choice as a whole.

    Raises:
        SearchError: a setting is out of its range.
    """

    n_trials: int | None = None
    sampler: str = "nsga2"
    population: int = 10
    batch: int | None = 10
    seed: int | None = 0
    lease_s: float = 30
    race: Race | None = None

    def __post_init__(self) -> None:
        for name, least, is_optional in (
            ("n_trials", 1, True),
            ("population", 2, False),
            ("batch", 1, True),
            ("seed", 0, True),
        ):
            if not (is_optional and getattr(self, name) is None):
                _check_whole(name, getattr(self, name), least)
        if self.sampler not in NAMES:
            raise SearchError(f"sampler {self.sampler!r} is not known: choose from {', '.join(NAMES)}")
        if not isinstance(self.lease_s, (int, float)) or self.lease_s < 1:
            raise SearchError(f"lease_s is {self.lease_s!r}: it must be at least 1")
        if math.isnan(self.lease_s) or self.lease_s > _MAX_LEASE_S:
            raise SearchError(f"lease_s is {self.lease_s}: it must be at most {_MAX_LEASE_S}, a week")
        if self.race is not None and not isinstance(self.race, Race):
            raise SearchError(f"race is {self.race!r}: give a search.Race, or None")


def _check_whole(name: str, number: Any, least: int) -> None:
    try:
        is_whole = not isinstance(number, bool) and int(number) == number
    except (TypeError, ValueError, OverflowError):
        is_whole = False
    if not is_whole:
        raise SearchError(f"{name} is {number!r}: it must be a whole number")
    if number < least:
        raise SearchError(f"{name} is {number}: it must be at least {least}")
