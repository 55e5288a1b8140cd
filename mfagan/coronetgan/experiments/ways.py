"""The ways to a smaller translator that are compared, each trained for as many steps."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mfagan.coronetgan.training.run import TranslationRun
from mfagan.coronetgan.training.stages import (
    train_dense,
    train_distilled,
    train_magnitude,
    train_pruned,
    train_uniform,
)
from mfagan.errors import InputError

__all__ = ["DENSE", "WAYS", "Way", "choose_ways"]


@dataclass(frozen=True)
class Way:
    """A way to a translator of a ratio.

    name: what people type.
    title: what tables call it.
    train: called with a run that has the ratio, gives the files of its translators.
    search: settings of the recipe by which it seeks the ratio while it trains; None if it does not.
    """

    name: str
    title: str
    train: Callable[[TranslationRun], list[Path]]
    search: Mapping[str, Any] | None = None

    @classmethod
    def searching(cls, name: str, title: str, **settings: Any) -> "Way":
        """A way that seeks the ratio while it trains, in a folder of its own.

        Args:
            name: what people type.
            title: what tables call it.
            **settings: fields of the recipe and their values.
        """
        return cls(name, title, lambda run: train_pruned(run.varied(name, **settings), run.ratio), settings)


DENSE = Way("dense", "dense", train_dense)
"""What all others are compared with."""

WAYS = {
    way.name: way
    for way in (
        DENSE,
        Way("uniform", "uniform widths from scratch", lambda run: train_uniform(run, run.ratio)),
        Way.searching(
            "rescaled",
            "CoroNetGAN, masked while it searches, then rescaled (ours)",
            mask="search",
            rescale=True,
        ),
        Way.searching("masked", "CoroNetGAN, masked while it searches", mask="search", rescale=False),
        Way.searching(
            "published", "CoroNetGAN, masked at the bake (as published)", mask="bake", rescale=False
        ),
        Way(
            "magnitude",
            "dense, small filters dropped, trained further",
            lambda run: train_magnitude(run, run.ratio),
        ),
        Way(
            "distilled",
            "uniform widths, distilled from dense",
            lambda run: train_distilled(run, run.ratio),
        ),
    )
}
"""By name, in the order of tables; the last two start or learn from what the first leaves."""


def choose_ways(names: list[str] | None) -> list[Way]:
    """Find ways by their names; the dense translator is always among them.

    Args:
        names: those asked for; None or nothing asks for all.

    Returns:
        Them, in the order of tables.

    Raises:
        InputError: a name that is no way.
    """
    for name in names or ():
        if name not in WAYS:
            raise InputError(f"way {name!r}: choose from {', '.join(WAYS)}")
    return [way for way in WAYS.values() if not names or way is DENSE or way.name in names]
