"""What a folder of images is good for, said before training starts: layout, counts, sizes, what is missing."""

from dataclasses import dataclass
from pathlib import Path

from mfagan.data.image_sets import ImageSet, PairFiles
from mfagan.data.layouts import find_sets
from mfagan.data.many import Size, read_sizes
from mfagan.data.pairs import require_match
from mfagan.data.splits import Source, describe_small, find_split
from mfagan.errors import InputError
from mfagan.progress import ProgressFactory, no_progress

__all__ = [
    "SetSurvey",
    "Survey",
    "survey",
]


@dataclass(frozen=True)
class SetSurvey:
    """One set: `n_lr` files of LR images, HR sizes as (height, width); `smallest` is by the shorter side."""

    name: str
    layout: str
    part: str
    hr_folder: str
    lr_folder: str | None
    n_hr: int
    n_lr: int
    n_pairs: int
    smallest: Size | None
    largest: Size | None
    hr_pixels: int
    problems: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Survey:
    """Every set of a folder, the names of the images trained and validated on, and what stands against it.

    `problems` make it unusable; `notes` are worth knowing.
    """

    source: str
    scale: int
    sets: tuple[SetSurvey, ...]
    training: tuple[str, ...]
    validation: tuple[str, ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...]


def survey(
    source: Source,
    scale: int = 4,
    crop_px: int = 32,
    decode: bool = False,
    bars: ProgressFactory = no_progress,
) -> Survey:
    """Look at every image of a folder before anything is done with it.

    Args:
        source: a folder of images or of benchmarks, or `embedded`.
        scale: enlargement, 2, 3 or 4.
        crop_px: side of a training crop in LR px; pictures that are smaller are noted, since training skips them.
        decode: decode every pixel instead of reading the headers only.
        bars: makes the progress bars.

    Returns:
        What is there, what makes it unusable, and what is worth knowing.

    Raises:
        InputError: as `find_sets`; a scale that is not 2, 3 or 4; a crop under 1 px.
    """
    if scale not in (2, 3, 4):
        raise InputError(f"scale is {scale}: give 2, 3 or 4")
    if crop_px < 1:
        raise InputError(f"crop is {crop_px} px: give at least 1")
    found = find_sets(source, scale)
    paths = [path for one in found for path in (*one.hr.values(), *one.lr.values())]
    sizes = read_sizes(paths, decode, bars)
    training, validation, training_problem = _split(source, scale)
    sets = [_survey_set(one, scale, crop_px * scale, set(training), sizes) for one in found]
    problems = [problem for one in sets for problem in one.problems]
    notes = [note for one in sets for note in one.notes]
    if training_problem is not None and not problems:
        notes.append(f"cannot be trained on as it is: {training_problem}")
    return Survey(
        str(source),
        scale,
        tuple(sets),
        tuple(training.values()),
        validation,
        tuple(problems),
        tuple(notes),
    )


def _split(source: Source, scale: int) -> tuple[dict[Path, str], tuple[str, ...], str | None]:
    """HR images to train on with their names, names to validate on; or why there are none."""
    try:
        training, validation = find_split(source, scale=scale)
    except InputError as error:
        return {}, (), str(error)
    return {pair.hr: pair.name for pair in training}, tuple(pair.name for pair in validation), None


def _survey_set(
    one: ImageSet, scale: int, crop_px: int, trained: set[Path], looked: dict[Path, Size | InputError]
) -> SetSurvey:
    problems = [
        f"HR without LR: {one.hr[name]} (looked for {name} and {name}x{scale} in {one.lr_folder})"
        for name in one.without_lr
    ]
    problems += [
        f"unreadable: {looked[path]}"
        for path in (*one.hr.values(), *one.lr.values())
        if isinstance(looked[path], InputError)
    ]
    sizes: list[Size] = []
    small: list[Path] = []
    n_pairs = 0
    for name, path in one.hr.items():
        size = looked[path]
        if isinstance(size, InputError):
            continue
        sizes.append(size)
        if reason := describe_small(size, scale):
            problems.append(f"too small: {path} is {size[1]}x{size[0]} px, {reason}")
        elif path in trained and min(side - side % scale for side in size) < crop_px:
            small.append(path)
        if name in one.without_lr:
            continue
        mismatch = _mismatch(PairFiles(name, path, one.lr.get(name)), size, looked, scale)
        if mismatch is None:
            n_pairs += 1
        elif mismatch:
            problems.append(f"size mismatch: {mismatch}")
    notes = [f"LR without HR: {path}" for path in one.unused_lr]
    if small:
        notes.append(
            f"smaller than a crop of {crop_px}x{crop_px} px, so training skips {len(small)} of {len(one.hr)}: "
            + ", ".join(path.name for path in small)
        )
    if one.lr_folder is None:
        notes.append(f"{one.name} has no LR images for scale {scale}: they are made by MATLAB's bicubic")
    return SetSurvey(
        one.name,
        one.layout,
        one.part,
        str(one.hr_folder),
        None if one.lr_folder is None else str(one.lr_folder),
        len(one.hr),
        len(one.lr) + len(one.unused_lr),
        n_pairs,
        min(sizes, key=min, default=None),
        max(sizes, key=lambda size: size[0] * size[1], default=None),
        sum(height * width for height, width in sizes),
        tuple(problems),
        tuple(notes),
    )


def _mismatch(
    files: PairFiles, hr_size: Size, looked: dict[Path, Size | InputError], scale: int
) -> str | None:
    """Why the LR image does not fit; empty where it cannot be read, which is said already."""
    lr_size = None if files.lr is None else looked[files.lr]
    if isinstance(lr_size, InputError):
        return ""
    if lr_size is not None:
        height, width = (side - side % scale for side in hr_size)
        try:
            require_match(files, lr_size, (height, width), scale)
        except InputError as error:
            return str(error)
    return None
