"""The width choices that are searched: the only place that knows their names and their options."""

import itertools
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mfagan.errors import InputError

NAMES = ("trunk", "cfab_1", "cfab_2", "cfab_3", "cfab_4", "cfab_5", "cfab_6", "fusion")
OPTIONS = (48, 32, 24)


@dataclass(frozen=True)
class Widths:
    """The channel widths of one MFANet, in channels.

    `trunk` is the residual stream's width (head, every MFAM's output), `cfabs` the inner width of each
    CFAB in order, `fusion` the width between the two fusion convolutions. Any positive widths describe a
    network; `require_choice` tells whether they are among the searched ones.
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
        """Widths from their values in the order of `NAMES`."""
        if len(values) != len(NAMES):
            raise InputError(
                f"widths {','.join(map(str, values))}: {len(values)} numbers given, "
                f"{len(NAMES)} needed ({', '.join(NAMES)})"
            )
        return cls(values[0], tuple(values[1:-1]), values[-1])

    @classmethod
    def uniform(cls, width: int) -> "Widths":
        """The same width everywhere."""
        return cls.of((width,) * len(NAMES))

    @classmethod
    def parse(cls, text: str) -> "Widths":
        """Widths from text such as `48,24,24,24,32,48,48,24`; one number alone means that width everywhere."""
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
        """Widths from a search choice, name -> option."""
        return cls.of([int(str(choice[name])) for name in NAMES])

    def as_choice(self) -> dict[str, int | float | str]:
        """The search choice, name -> option."""
        return dict(zip(NAMES, self, strict=True))

    def fits_in(self, full: "Widths") -> bool:
        """Whether a network of these widths is a slice of one of `full` widths."""
        return all(small <= large for small, large in zip(self, full, strict=True))


def require_choice(widths: Widths) -> Widths:
    """The same widths, or an InputError where one of them is not a searched option."""
    for name, width in widths.as_choice().items():
        if width not in OPTIONS:
            raise InputError(f"widths {widths}: {name} is {width}, which is not one of {OPTIONS}")
    return widths


def every_choice() -> Iterator[Widths]:
    """All choices of the search space, full width first."""
    return (Widths.of(values) for values in itertools.product(OPTIONS, repeat=len(NAMES)))


def random_choice(generator: random.Random) -> Widths:
    """One choice, each width drawn uniformly and independently."""
    return Widths.of([generator.choice(OPTIONS) for _ in NAMES])
