"""The width choices that are searched: the only file that knows their names and their options."""

import itertools
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mfagan.errors import InputError

__all__ = ["NAMES", "OPTIONS", "Widths", "every_choice", "random_choice", "require_choice"]

NAMES = ("trunk", "cfab_1", "cfab_2", "cfab_3", "cfab_4", "cfab_5", "cfab_6", "fusion")
"""The names of the eight widths, in order."""
OPTIONS = (48, 32, 24)
"""The widths that are searched, in channels."""


@dataclass(frozen=True)
class Widths:
    """The channel widths of one MFANet, in channels.

    `trunk` is the residual stream's width (head, every MFAM's output), `cfabs` the inner width of each
    CFAB in order, `fusion` the width between the two fusion convolutions. Any positive widths describe a
    network; `require_choice` checks that they are among the searched ones.
    """

    trunk: int
    cfabs: tuple[int, ...]
    fusion: int

    def __post_init__(self) -> None:
        if len(tuple(self)) != len(NAMES) or not all(isinstance(w, int) and w > 0 for w in self):
            raise InputError(f"widths {self}: give {len(NAMES)} positive whole numbers ({', '.join(NAMES)})")

    def __iter__(self) -> Iterator[int]:
        yield from (self.trunk, *self.cfabs, self.fusion)

    def __str__(self) -> str:
        return ",".join(str(width) for width in self)

    @classmethod
    def of(cls, values: tuple[int, ...] | list[int]) -> "Widths":
        """Widths from their values.

        Args:
            values: In the order of `NAMES`, in channels.

        Raises:
            InputError: Another number of values, or one that is not positive.
        """
        if len(values) != len(NAMES):
            raise InputError(
                f"widths {','.join(map(str, values))}: {len(values)} numbers given, "
                f"{len(NAMES)} needed ({', '.join(NAMES)})"
            )
        return cls(values[0], tuple(values[1:-1]), values[-1])

    @classmethod
    def uniform(cls, width: int) -> "Widths":
        """The same width everywhere.

        Args:
            width: In channels; positive.

        Raises:
            InputError: It is not positive.
        """
        return cls.of((width,) * len(NAMES))

    @classmethod
    def parse(cls, text: str) -> "Widths":
        """Widths from text.

        Args:
            text: Such as `48,24,24,24,32,48,48,24`; one number alone means that width everywhere.

        Raises:
            InputError: The text is anything else.
        """
        try:
            values = [int(part) for part in text.split(",")]
        except ValueError:
            raise InputError(
                f"widths {text!r}: give {len(NAMES)} whole numbers with commas between them, in the order "
                f"{', '.join(NAMES)}"
            ) from None
        return cls.uniform(values[0]) if len(values) == 1 else cls.of(values)

    @classmethod
    def from_choice(cls, choice: Mapping[str, object]) -> "Widths":
        """Widths from a search choice.

        Args:
            choice: Each of `NAMES` -> its option.
        """
        return cls.of([int(str(choice[name])) for name in NAMES])

    def as_choice(self) -> dict[str, int | float | str]:
        """The search choice: each of `NAMES` -> its option."""
        return dict(zip(NAMES, self, strict=True))

    def fits_in(self, full: "Widths") -> bool:
        """Whether a network of these widths is a slice of a wider one.

        Args:
            full: The other network's widths.
        """
        return all(small <= large for small, large in zip(self, full, strict=True))


def require_choice(widths: Widths) -> Widths:
    """The same widths, if all of them are searched options.

    Args:
        widths: Any widths.

    Raises:
        InputError: One of them is not among `OPTIONS`.
    """
    for name, width in widths.as_choice().items():
        if width not in OPTIONS:
            raise InputError(f"widths {widths}: {name} is {width}, which is not one of {OPTIONS}")
    return widths


def every_choice() -> Iterator[Widths]:
    """All choices of the search space, full width first."""
    return (Widths.of(values) for values in itertools.product(OPTIONS, repeat=len(NAMES)))


def random_choice(rng: random.Random) -> Widths:
    """One choice, each width drawn uniformly and independently.

    Args:
        rng: The source of randomness; it is advanced.
    """
    return Widths.of([rng.choice(OPTIONS) for _ in NAMES])
