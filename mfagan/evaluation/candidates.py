"""What is evaluated: networks from checkpoints and sets of images, each under a name of its own."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from torch import nn

from mfagan.data.embedded import EMBEDDED, trained_photographs
from mfagan.data.pairs import Pair
from mfagan.data.splits import read_sets
from mfagan.errors import InputError
from mfagan.progress import ProgressFactory, no_progress

__all__ = [
    "BICUBIC",
    "HELD_OUT",
    "Candidate",
    "EvaluationSet",
    "Loader",
    "common_scale",
    "distinct_names",
    "leave_out_trained",
    "load_candidates",
    "read_image_sets",
    "split_name",
]

BICUBIC = "bicubic"
HELD_OUT = "held-out photos"
"""What the embedded photographs are called, those left out on which a network was trained."""
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Candidate:
    """A network to evaluate.

    Args:
        name: its name in tables.
        network: LR images (N, 3, H, W) -> HR images (N, 3, scale H, scale W), RGB in [0, 1].
        scale: its enlargement.
        about: what its checkpoint is, as plain data; `file` is its path.
        record: how its checkpoint was made.
    """

    name: str
    network: nn.Module
    scale: int
    about: Mapping[str, object] = field(default_factory=dict)
    record: Mapping[str, object] = field(default_factory=dict)


Loader = Callable[[Path, Sequence[str]], Sequence[Candidate]]
"""Loads a checkpoint: its path and the widths of slices -> the whole network under the name "", or, if widths are
given and the network has slices, each slice under a name of its own."""


@dataclass(frozen=True)
class EvaluationSet:
    """Image pairs under one name.

    Args:
        name: the set's name in tables.
        source: what the user gave, a folder or `embedded`.
        pairs: LR and HR images.
    """

    name: str
    source: str
    pairs: Sequence[Pair]


def split_name(given: str) -> tuple[str, str]:
    """Split NAME=PATH, by which the user names a set of images or a network.

    Args:
        given: what the user typed. A path may hold an equals sign if it exists or has a folder before it.

    Returns:
        The name, "" if none is given, and the path.
    """
    name, _, path = given.partition("=")
    if not name.strip() or not path or Path(name).name != name or Path(given).exists():
        return "", given
    return name.strip(), path


def load_candidates(paths: Sequence[str], load: Loader, widths: Sequence[str] = ()) -> list[Candidate]:
    """Load the networks of checkpoints and name them by their files.

    Args:
        paths: checkpoints, or NAME=CHECKPOINT; two files of one name get the name of their folder in front.
        load: loads one checkpoint.
        widths: slices to evaluate of every network that has slices, as text; others are evaluated whole.

    Returns:
        The networks; a slice is named `FILE@WIDTHS`.

    Raises:
        InputError: as `load`; one file given twice; widths but no network with slices.
    """
    given = [(name, Path(path)) for name, path in map(split_name, paths)]
    names = distinct_names([(path, name or path.stem) for name, path in given], [BICUBIC])
    candidates = [
        replace(one, name=f"{name}@{one.name}" if one.name else name)
        for (_, path), name in zip(given, names, strict=True)
        for one in load(path, widths)
    ]
    if widths and not any("@" in one.name for one in candidates):
        raise InputError(
            f"widths {widths[0]}: no checkpoint given has slices; name a SuperGenerator, or leave the widths out"
        )
    return candidates


def common_scale(candidates: Sequence[Candidate], scale: int | None = None) -> int:
    """Find the one scale of all networks.

    Args:
        candidates: the networks.
        scale: the scale they must have, or None for that of the first.

    Returns:
        The scale, 2, 3 or 4.

    Raises:
        InputError: another scale, networks of several scales, or neither a network nor a scale.
    """
    if scale not in (None, 2, 3, 4):
        raise InputError(f"scale {scale}: choose 2, 3 or 4")
    if scale is None:
        if not candidates:
            raise InputError(
                "no checkpoint given: name a file that ends in .safetensors, or give --scale for bicubic alone"
            )
        scale = candidates[0].scale
    for one in candidates:
        if one.scale != scale:
            raise InputError(
                f"checkpoint {one.about.get('file', one.name)} enlarges by {one.scale}, not by "
                f"{scale}: evaluate networks of one scale together"
            )
    return scale


def read_image_sets(
    sources: Sequence[str],
    scale: int,
    candidates: Sequence[Candidate] = (),
    bars: ProgressFactory = no_progress,
) -> list[EvaluationSet]:
    """Read image sets and name them by their folders.

    Args:
        sources: folders, or `embedded`, or NAME=FOLDER for another name; a folder of benchmarks gives several sets,
            whose names the given one stands before.
        scale: enlargement of the networks.
        candidates: the networks; embedded photographs on which one of them was trained are left out.
        bars: shows the progress.

    Returns:
        The sets; those of one name get the name of the folder above in front.

    Raises:
        InputError: as `data.splits.read_sets`; two sets that cannot be told apart by their names.
    """
    found = [
        EvaluationSet(
            HELD_OUT if source == EMBEDDED and not given else name,
            source,
            leave_out_trained(pairs, candidates) if source == EMBEDDED else pairs,
        )
        for given, source in map(split_name, sources)
        for name, pairs in _name_sets(given, read_sets(source, scale, bars=bars)).items()
    ]
    names = distinct_names([(Path(one.source), one.name) for one in found])
    return [replace(one, name=name) for one, name in zip(found, names, strict=True)]


def _name_sets(given: str, sets: Mapping[str, Sequence[Pair]]) -> dict[str, Sequence[Pair]]:
    """The sets of one folder under the name that the user gives it."""
    if given and len(sets) == 1:
        return dict(zip([given], sets.values(), strict=True))
    return {f"{given} {name}".strip(): pairs for name, pairs in sets.items()}


def leave_out_trained(pairs: Sequence[Pair], candidates: Sequence[Candidate]) -> list[Pair]:
    """Leave out the embedded photographs on which a network was trained, with a line in the log.

    Args:
        pairs: embedded photographs.
        candidates: the networks.

    Returns:
        The others.
    """
    trained = {name: one.name for one in candidates for name in trained_photographs(one.record)}
    left_out = [pair.name for pair in pairs if pair.name in trained]
    if left_out:
        learners = " and ".join(sorted({trained[name] for name in left_out}))
        logger.info("photographs left out, since %s learned from them: %s", learners, ", ".join(left_out))
    return [pair for pair in pairs if pair.name not in trained]


def distinct_names(given: Sequence[tuple[Path, str]], taken: Sequence[str] = ()) -> list[str]:
    """Give every path a name of its own.

    Args:
        given: paths and the names they have.
        taken: names that none may have.

    Returns:
        The names; one that two paths share, or that is taken, gets the name of the folder above its path in front.

    Raises:
        InputError: two names are still equal.
    """
    counts = Counter([*taken, *(name for _, name in given)])
    names = [f"{path.resolve().parent.name}-{name}" if counts[name] > 1 else name for path, name in given]
    for (path, _), name in zip(given, names, strict=True):
        if names.count(name) > 1:
            raise InputError(f"{path} is given twice, or another is of the same name; rename one")
    return names
