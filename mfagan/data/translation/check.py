"""What a folder of two domains is good for, said before training starts: counts, pairs, sizes, what is missing."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from mfagan.data.embedded import EMBEDDED
from mfagan.data.image_sets import find_folder, list_images
from mfagan.data.images import MIN_SIDE_PX
from mfagan.data.layouts import LAYOUTS
from mfagan.data.many import Size, read_sizes
from mfagan.data.translation.folders import (
    TranslationFolders,
    TranslationLayout,
    find_folders,
    partner_of,
    require_folders,
)
from mfagan.data.translation.reading import require_even, require_same_size
from mfagan.errors import InputError
from mfagan.progress import ProgressFactory, no_progress

__all__ = ["PartSurvey", "TranslationSurvey", "holds_translation", "survey_translation"]

_ALIGNED_RATIO = 1.9
"""Pictures at least this much wider than high are taken for two side by side; a cinema's are 1.85."""
_SAMPLED = 16
"""Pictures of a folder by which its layout is recognised."""


@dataclass(frozen=True)
class PartSurvey:
    """One part: `n_a`, `n_b` pictures of the domains, `n_pairs` that share a name, `n_alone` whose name is in one only.

    Where A and B are side by side, `n_pairs` counts the files that have two halves, `n_odd` those of an odd width, and
    sizes are those of both halves together. `smallest` is by the shorter side.
    """

    name: str
    folders: tuple[str, ...]
    n_a: int
    n_b: int
    n_pairs: int
    n_alone: int
    n_odd: int
    smallest: Size | None
    largest: Size | None
    problems: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class TranslationSurvey:
    """Every part of a folder; `problems` make it unusable, `notes` are worth knowing."""

    source: str
    layout: TranslationLayout
    parts: tuple[PartSurvey, ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...]


def holds_translation(folder: str | Path) -> bool:
    """Recognise a folder of pictures to translate among folders of pictures to enlarge.

    One with trainA, trainB, testA or testB is recognised by these names. Folders train, val and test are kept for
    many purposes: most of their pictures must be about twice as wide as high, or wider.

    Args:
        folder: a folder, or what is none.

    Returns:
        Whether it is one.

    Raises:
        InputError: as `find_folders` and `list_images`.
    """
    root = Path(folder)
    if str(folder) == EMBEDDED or not root.is_dir():
        return False
    found = find_folders(root)
    if found is None or not found.aligned:
        return found is not None
    if list_images(root) or any(find_folder(root, layout.hr) for layout in LAYOUTS):
        return False
    some = [path for one in found.folders.values() for path in _spread(list(list_images(one).values()))]
    sizes = [
        size for size in read_sizes(some, False, no_progress).values() if not isinstance(size, InputError)
    ]
    wide = sum(width >= _ALIGNED_RATIO * height for height, width in sizes)
    return wide > len(sizes) / 2


def survey_translation(
    folder: str | Path, paired: bool = False, decode: bool = False, bars: ProgressFactory = no_progress
) -> TranslationSurvey:
    """Look at every picture of a folder before anything is learnt from it.

    Args:
        folder: a folder of one of the layouts of `find_translation`.
        paired: whether files of equal names in trainA and trainB are to be pairs.
        decode: decode every pixel instead of reading the headers only.
        bars: makes the progress bars.

    Returns:
        What is there, what makes it unusable, and what is worth knowing.

    Raises:
        InputError: as `require_folders`; two images of one name.
    """
    found = require_folders(folder)
    images = {name: list_images(path) for name, path in found.folders.items()}
    sizes = read_sizes([path for some in images.values() for path in some.values()], decode, bars)
    parts = [_survey_part(found, part, paired, images, sizes) for part in found.parts]
    problems = [
        f"missing {name}: {found.root} has {partner_of(name)} and no {name}" for name in found.missing
    ] + [problem for one in parts for problem in one.problems]
    notes = [note for one in parts for note in one.notes]
    notes += [
        f"no pictures to {purpose}: {found.root} has no {part if found.aligned else f'{part}A and {part}B'}"
        for part, purpose in (("train", "train on"), ("test", "evaluate with"))
        if part not in found.parts
    ]
    layout = "aligned" if found.aligned else "paired" if paired else "unpaired"
    return TranslationSurvey(str(folder), layout, tuple(parts), tuple(problems), tuple(notes))


def _survey_part(
    found: TranslationFolders,
    part: str,
    paired: bool,
    images: Mapping[str, Mapping[str, Path]],
    sizes: Mapping[Path, Size | InputError],
) -> PartSurvey:
    sides = [name for name in (part, f"{part}A", f"{part}B") if name in found.folders]
    own = {name: images[name] for name in sides}
    paths = [path for some in own.values() for path in some.values()]
    known = {path: size for path in paths if not isinstance(size := sizes[path], InputError)}
    problems = [f"no images in {found.folders[name]}" for name in sides if not own[name]]
    problems += [f"unreadable: {size}" for path in paths if isinstance(size := sizes[path], InputError)]
    problems += [
        f"too small: {path} is {width}x{height} px, under {MIN_SIDE_PX} px a side"
        for path, (height, width) in known.items()
        if min(height, width) < MIN_SIDE_PX
    ]
    notes: list[str] = []
    odd: list[str] = []
    if found.aligned:
        odd = _refused(
            "odd width", (partial(require_even, path, width) for path, (_, width) in known.items())
        )
        problems += odd
        n_a = n_b = len(paths)
        n_pairs, n_alone = len(known) - len(odd), 0
    else:
        a, b = (images.get(part + side, {}) for side in "AB")
        shared = [name for name in a if name in b]
        n_a, n_b, n_pairs = len(a), len(b), len(shared)
        n_alone = n_a + n_b - 2 * n_pairs
        if paired:
            both = [(a[name], b[name]) for name in shared if a[name] in known and b[name] in known]
            problems += _lonely(found, part, a, b)
            problems += _refused(
                "size mismatch", (partial(require_same_size, x, known[x], y, known[y]) for x, y in both)
            )
        elif part == "train" and n_pairs and not n_alone:
            notes.append("trainA and trainB share all names: give --paired to train on pairs")
    stretched = sum(width != height * (2 if found.aligned else 1) for height, width in known.values())
    if stretched:
        notes.append(f"{stretched} of {len(paths)} pictures of {part} are not square: they are stretched")
    return PartSurvey(
        part,
        tuple(str(found.folders[name]) for name in sides),
        n_a,
        n_b,
        n_pairs,
        n_alone,
        len(odd),
        min(known.values(), key=min, default=None),
        max(known.values(), key=lambda size: size[0] * size[1], default=None),
        tuple(problems),
        tuple(notes),
    )


def _lonely(found: TranslationFolders, part: str, a: Mapping[str, Path], b: Mapping[str, Path]) -> list[str]:
    """Pictures without a partner; where a whole folder is missing, that is said already."""
    if f"{part}A" not in found.folders or f"{part}B" not in found.folders:
        return []
    return [
        f"no partner: {path} (looked for {name} in {found.folders[part + side]})"
        for here, there, side in ((a, b, "B"), (b, a, "A"))
        for name, path in here.items()
        if name not in there
    ]


def _refused(fault: str, checks: Iterable[Callable[[], None]]) -> list[str]:
    """What the checks say that fail."""
    problems = []
    for check in checks:
        try:
            check()
        except InputError as error:
            problems.append(f"{fault}: {error}")
    return problems


def _spread(paths: Sequence[Path]) -> list[Path]:
    """At most `_SAMPLED` of the paths, evenly spread."""
    return (
        [paths[i * len(paths) // _SAMPLED] for i in range(_SAMPLED)] if len(paths) > _SAMPLED else list(paths)
    )
