"""How a race is run: the error that it may make, and when it looks."""

from __future__ import annotations

from dataclasses import dataclass

from search.errors import SearchError

__all__ = ["Race"]

_LEAST_LOOK = 3  # an interval of two differences is too wide to drop anything


@dataclass(frozen=True)
class Race:
    """The settings of a race.

    Attributes:
        error_probability: between 0 and 1: of a choice that is better than the finished point which it is compared
            with, the largest probability to be dropped all the same. It is over the random order of the cases, and for
            each choice, not for the whole study.
        first_look: cases that every choice is scored on, at least 3.

    Raises:
        SearchError: a setting is out of its range.
    """

    error_probability: float = 0.05
    first_look: int = 4

    def __post_init__(self) -> None:
        error = self.error_probability
        if isinstance(error, bool) or not isinstance(error, (int, float)) or not 0 < error < 1:
            raise SearchError(f"the error probability of a race is {error!r}: give one between 0 and 1")
        if type(self.first_look) is not int or self.first_look < _LEAST_LOOK:
            raise SearchError(
                f"first_look of a race is {self.first_look!r}: it must be a whole number of at least {_LEAST_LOOK}"
            )

    def looks(self, n_cases: int) -> tuple[int, ...]:
        """Tell after how many cases choices may be dropped: each time half as many again.

        Args:
            n_cases: the cases in total.

        Returns:
            Numbers of cases in rising order, below `n_cases`.
        """
        looks: list[int] = []
        look = self.first_look
        while look < n_cases:
            looks.append(look)
            look = -(-3 * look // 2)
        return tuple(looks)
