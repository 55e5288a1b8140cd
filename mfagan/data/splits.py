"""Pairs of low and high resolution to train on and to validate on, from folders or embedded photographs.

A set too large for memory lies decoded on disk (mfagan/data/array_cache.py) and is memory-mapped.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from mfagan.data.array_cache import ArrayCache, fingerprint
from mfagan.data.embedded import EMBEDDED, trained_photographs
from mfagan.data.image_sets import PairFiles
from mfagan.data.images import MIN_SIDE_PX, read_size, scored_side_px
from mfagan.data.layouts import find_pairs, find_scored_sets, find_training
from mfagan.data.many import read_in_turn
from mfagan.data.pairs import Pair, read_pair, require_factors, shrink_pair, shrunk_name, shrunk_size
from mfagan.errors import InputError
from mfagan.progress import ProgressFactory, no_progress

__all__ = [
    "RAM_LIMIT_BYTES",
    "Source",
    "describe_small",
    "find_split",
    "read_files",
    "read_pairs",
    "read_sets",
    "read_split",
]

RAM_LIMIT_BYTES = 2**30
"""A set of more 8-bit levels than this is kept on disk instead of in memory; DIV2K's 800 images have 6.6 GB."""

Source = str | Path
"""A folder of images, or the word `embedded`."""


def read_pairs(
    source: Source,
    scale: int = 4,
    max_images: int | None = None,
    crop_px: int | None = None,
    cache: str | Path | None = None,
    bars: ProgressFactory = no_progress,
    record: Mapping[str, object] | None = None,
    crops_per_image: int = 1,
) -> list[Pair]:
    """The pairs of a folder, to evaluate with.

    Args:
        source: a folder, of which a validation part is taken if it has one; or `embedded`,
            the photographs `EMBEDDED_SCORED`.
        scale: enlargement, 2, 3 or 4.
        max_images: keep this many in natural order; None keeps all.
        crop_px: keep a part of each HR image, at most this many px a side, and the same part of its LR image.
        cache: folder for decoded images of a large set, None for `mfagan.data.array_cache.default_folder`.
        bars: makes the progress bars.
        record: how the network was made that is evaluated; embedded photographs that it learned from are left out.
        crops_per_image: parts that are kept of each image with `crop_px`: 1 for the centre, more for a grid.

    Returns:
        The pairs in natural order.

    Raises:
        InputError: as `find_pairs` and `read_pair`; a crop that is not a multiple of `scale` or under 16 px;
            `max_images` or `crops_per_image` under 1; several crops without their size.
    """
    if crops_per_image < 1:
        raise InputError(f"crops_per_image is {crops_per_image}: at least 1 is needed")
    if crops_per_image > 1 and crop_px is None:
        raise InputError(f"{crops_per_image} crops of each image, but no size: give their side in px, too")
    if max_images is not None and max_images < 1:
        raise InputError(f"max_images is {max_images}: at least 1 image is needed; leave it out to use all")
    if crop_px is not None and (crop_px % scale or crop_px < MIN_SIDE_PX):
        raise InputError(f"crop of {crop_px} px: give a multiple of {scale} of at least {MIN_SIDE_PX}")
    files = find_pairs(source, scale)
    if str(source) == EMBEDDED:
        seen = trained_photographs(record or {})
        files = [one for one in files if one.name not in seen]
    files = files[:max_images]
    if crop_px is None:
        return read_files(files, scale, cache=cache, bars=bars)
    jobs = [(one.name, partial(_read_crops, one, scale, crop_px, crops_per_image)) for one in files]
    return [pair for crops in read_in_turn("reading images", jobs, bars) for pair in crops]


def read_sets(
    source: Source, scale: int = 4, cache: str | Path | None = None, bars: ProgressFactory = no_progress
) -> dict[str, list[Pair]]:
    """The pairs to evaluate with: of every set in a folder of benchmarks, or of the one set.

    Args:
        source: a folder, or `embedded`.
        scale: enlargement, 2, 3 or 4.
        cache: folder for decoded images, None for the default.
        bars: makes the progress bars.

    Returns:
        Name of the set -> its pairs.

    Raises:
        InputError: as `find_scored_sets` and `read_pair`; a picture that is too small to be scored.
    """
    sets = find_scored_sets(source, scale)
    files = {one.name: one.pairs(scale) for one in sets}
    for pair in (pair for some in files.values() for pair in some):
        height, width = read_size(pair.hr)
        if reason := describe_small((height, width), scale):
            raise InputError(f"image {pair.hr} is {width}x{height} px, {reason}: replace or remove the file")
    return {name: read_files(some, scale, cache=cache, bars=bars) for name, some in files.items()}


def describe_small(size: tuple[int, int], scale: int) -> str | None:
    """Why an HR image is too small to be read or scored.

    Args:
        size: (height, width) in px.
        scale: enlargement.

    Returns:
        The reason, or None if it is large enough.
    """
    if min(size) < MIN_SIDE_PX:
        return f"under {MIN_SIDE_PX} px a side"
    if min(side - side % scale for side in size) < scored_side_px(scale):
        return f"under {scored_side_px(scale)} px a side: too small to be scored at scale {scale}"
    return None


def read_split(
    source: Source | Sequence[Source],
    validation: Source | None = None,
    scale: int = 4,
    shrink: Sequence[float] = (),
    min_side_px: int = MIN_SIDE_PX,
    cache: str | Path | None = None,
    bars: ProgressFactory = no_progress,
) -> tuple[list[Pair], list[Pair]]:
    """The pairs to train on and the pairs to validate on, never one image in both.

    Args:
        source: one or several folders, or `embedded`.
        validation: a folder to validate on, None for a held-out part of the sources.
        scale: enlargement.
        shrink: factors by which copies of what is trained on are shrunk, as in `read_files`.
        min_side_px: smallest HR side of a shrunken copy in px.
        cache: folder for decoded images, None for the default.
        bars: makes the progress bars.

    Returns:
        The pairs to train on, and those to validate on.

    Raises:
        InputError: as `find_split` and `read_files`.
    """
    training, held_out = find_split(source, validation, scale)
    return (
        read_files(training, scale, shrink, min_side_px, cache, bars),
        read_files(held_out, scale, cache=cache, bars=bars),
    )


def find_split(
    source: Source | Sequence[Source], validation: Source | None = None, scale: int = 4
) -> tuple[list[PairFiles], list[PairFiles]]:
    """What to train on and what to validate on; no image is opened.

    Without a `validation` folder the sources' own validation parts are taken: DIV2K's, or two of the
    embedded photographs. If no source has one, the last tenth (rounded up) of each in natural order is held
    out.

    Args:
        source: one or several folders, or `embedded`.
        validation: a folder to validate on, or None.
        scale: enlargement.

    Returns:
        The files to train on, and those to validate on.

    Raises:
        InputError: as `find_training`; too few images to hold one out; an image in both.
    """
    sources = [source] if isinstance(source, str | Path) else list(source)
    if not sources:
        raise InputError("no training images: give at least one folder")
    found = [find_training(one, scale) for one in sources]
    if validation is not None:
        if any(_same_folder(one, validation) for one in sources):
            raise InputError(
                f"training and validation images are the same folder, {validation}: give two folders"
            )
        held_out = find_pairs(validation, scale)
    elif any(sets for _, sets in found):
        held_out = [pair for _, sets in found for one in sets for pair in one.pairs(scale)]
    else:
        tenths = [len(pairs) - math.ceil(len(pairs) / 10) if len(pairs) > 1 else 1 for pairs, _ in found]
        held_out = [pair for (pairs, _), n in zip(found, tenths, strict=True) for pair in pairs[n:]]
        found = [(pairs[:n], []) for (pairs, _), n in zip(found, tenths, strict=True)]
    training = [pair for pairs, _ in found for pair in pairs]
    if not held_out:
        raise InputError(
            f"{' and '.join(map(str, sources))} has {len(training)} image: one to train on and another to "
            "validate on are needed; add images or give a validation folder"
        )
    _require_distinct(training, held_out)
    return training, held_out


def read_files(
    files: Sequence[PairFiles],
    scale: int = 4,
    shrink: Sequence[float] = (),
    min_side_px: int = MIN_SIDE_PX,
    cache: str | Path | None = None,
    bars: ProgressFactory = no_progress,
    ram_limit_bytes: int | None = None,
) -> list[Pair]:
    """Read pairs; a large set goes through the cache on disk.

    After the pairs come the same pictures seen from further away: `shrink_pair` of each by each factor.

    Args:
        files: the pairs' files.
        scale: enlargement.
        shrink: factors between 0 and 1.
        min_side_px: copies whose HR image would have a smaller side in px are left out.
        cache: folder for decoded images, None for the default.
        bars: makes the progress bars.
        ram_limit_bytes: a set of more bytes goes through the cache; None for `RAM_LIMIT_BYTES`.

    Returns:
        The pairs, then the shrunken ones.

    Raises:
        InputError: as `read_pair` and `ArrayCache`; a factor that is not between 0 and 1.
    """
    require_factors(shrink)
    sizes_bytes = [_size_bytes(one, scale) for one in files]
    growth = 1 + sum(factor**2 for factor in shrink)
    store, keys = None, [""] * len(files)
    limit_bytes = RAM_LIMIT_BYTES if ram_limit_bytes is None else ram_limit_bytes
    if sum(sizes_bytes) * growth > limit_bytes:
        store, keys = ArrayCache(cache), [_key(one, scale) for one in files]
        absent = [
            size for size, key in zip(sizes_bytes, keys, strict=True) if store.load(f"{key} hr") is None
        ]
        store.require_room(round(sum(absent) * growth))
    keyed = list(zip(keys, files, strict=True))
    pairs = read_in_turn(
        "reading images",
        [
            (one.name, partial(_recall, store, key, one.name, partial(read_pair, one, scale)))
            for key, one in keyed
        ],
        bars,
    )
    smaller = []
    for factor in shrink:
        for key, pair in zip(keys, pairs, strict=True):
            if min(shrunk_size(pair, factor)) >= min_side_px:
                name, make = shrunk_name(pair, factor), partial(shrink_pair, pair, factor)
                smaller.append((name, partial(_recall, store, f"{key} shrunk {factor}", name, make)))
    return pairs + read_in_turn("shrinking images", smaller, bars)


def _require_distinct(training: Sequence[PairFiles], held_out: Sequence[PairFiles]) -> None:
    seen: set[Path] = set()
    for pair in training:
        if pair.hr.resolve() in seen:
            raise InputError(f"image {pair.hr} is given to train on twice: give each folder once")
        seen.add(pair.hr.resolve())
    for pair in held_out:
        if pair.hr.resolve() in seen:
            raise InputError(
                f"image {pair.hr} is both trained and validated on: give two folders without common images"
            )


def _same_folder(one: Source, other: Source) -> bool:
    return EMBEDDED not in (str(one), str(other)) and Path(one).resolve() == Path(other).resolve()


def _read_crops(files: PairFiles, scale: int, crop_px: int, n: int) -> list[Pair]:
    return read_pair(files, scale).crops(crop_px // scale, n)


def _size_bytes(files: PairFiles, scale: int) -> int:
    """8-bit levels of a pair by its header; 0 where it has none, which reading it tells."""
    try:
        height, width = read_size(files.hr)
    except InputError:
        return 0
    return 3 * height * width * (scale**2 + 1) // scale**2


def _key(files: PairFiles, scale: int) -> str:
    lr = "made" if files.lr is None else fingerprint(files.lr)
    return f"pair 1 x{scale} hr {fingerprint(files.hr)} lr {lr}"


def _recall(store: ArrayCache | None, key: str, name: str, make: Callable[[], Pair]) -> Pair:
    """What `make` gives, through the store where there is one."""
    if store is None:
        return make()
    lr, hr = store.load(f"{key} lr"), store.load(f"{key} hr")
    if lr is None or hr is None:
        pair = make()
        lr, hr = store.save(f"{key} lr", pair.lr_levels), store.save(f"{key} hr", pair.hr_levels)
    return Pair(name, lr, hr)
