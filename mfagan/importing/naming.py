"""Weights under other authors' names: each of ours has one of theirs, and nothing may be left over."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from mfagan.errors import InputError

__all__ = ["Source", "fill", "first_shape"]

_SHOWN = 3


@dataclass(frozen=True)
class Source:
    """Where a weight of ours comes from.

    name: theirs.
    reorder: what it becomes before it gets our shape, such as other channels' order.
    """

    name: str
    reorder: Callable[[Tensor], Tensor] = lambda weight: weight


def first_shape(state: Mapping[str, Tensor], name: str, axes: int, path: str | Path) -> tuple[int, ...]:
    """The shape of a weight from which a network's size is inferred.

    Args:
        state: their weights.
        name: theirs.
        axes: how many axes it has.
        path: the file, to name it.

    Raises:
        InputError: it is missing or has another number of axes.
    """
    if name not in state:
        raise InputError(f"weights {path}: {name} is missing; give a complete generator of that format")
    shape = tuple(state[name].shape)
    if len(shape) != axes:
        raise InputError(f"weights {path}: {name} has the shape {shape}, {axes} axes are needed")
    return shape


def fill(
    network: nn.Module,
    sources: Mapping[str, Source],
    state: Mapping[str, Tensor],
    ignored: re.Pattern[str],
    path: str | Path,
) -> None:
    """Give a network other authors' weights, all of them and no others.

    Args:
        network: it is changed.
        sources: our name -> where it comes from, for each name of the network's state.
        state: their weights.
        ignored: matches the names of theirs that hold no weights, such as fixed filters.
        path: their file, to name it.

    Raises:
        InputError: weights are missing, unexpected or of another shape.
    """
    ours = network.state_dict()
    theirs = {source.name for source in sources.values()}
    missing = sorted(theirs - set(state))
    unexpected = sorted(name for name in set(state) - theirs if not ignored.fullmatch(name))
    for what, names in (("missing", missing), ("not expected", unexpected)):
        if names:
            more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            raise InputError(
                f"weights {path}: {what}: {', '.join(names[:_SHOWN])}{more}; give a file of that format alone"
            )
    found = dict(ours)
    for name, source in sources.items():
        weight = state[source.name]
        if _plain(weight) != _plain(ours[name]):
            raise InputError(
                f"weights {path}: {source.name} has the shape {tuple(weight.shape)}, {tuple(ours[name].shape)} is "
                "needed by the other weights"
            )
        found[name] = source.reorder(weight.reshape(ours[name].shape))
    network.load_state_dict(found)


def _plain(weight: Tensor) -> tuple[int, ...]:
    """The shape without axes of length 1, which formats have in various places."""
    return tuple(n for n in weight.shape if n != 1)
