"""The pictures that a run learns from and is validated on: of a folder, or drawings."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from torch import Tensor

from mfagan.coronetgan.training.draws.drawings import DrawingSampler, Subject, draw_held_out
from mfagan.coronetgan.training.recipe import TranslationRecipe
from mfagan.coronetgan.training.validation import HeldOut
from mfagan.data.inventory import describe_sets
from mfagan.data.translation.folders import find_translation
from mfagan.data.translation.reading import read_tests, read_training
from mfagan.data.translation.sampling import TranslationSampler
from mfagan.progress import ProgressFactory, no_progress

__all__ = ["DRAWINGS", "Pictures", "Sampler", "open_pictures"]

DRAWINGS = "drawings"
"""In place of a folder: pictures that are drawn, pairs of shapes for pix2pix, discs without pairs for CycleGAN."""


class Sampler(Protocol):
    """Batches by number."""

    def batch(self, step: int, rank: int = 0, world: int = 1) -> tuple[Tensor, Tensor]:
        """Pictures of A and B, (N / world, C, side, side) each, in [-1, 1]."""
        ...

    def require_share(self, rank: int, world: int) -> None:
        """InputError if `world` processes cannot share a batch."""
        ...


@dataclass(frozen=True)
class Pictures:
    """What a run learns from."""

    sampler: Sampler
    held_out: HeldOut
    """On the CPU."""
    about: Mapping[str, object]
    """What a checkpoint records of them, and by which trainings differ."""
    sets: object = field(default=None)
    """How many files of which folders, for the record."""


@dataclass(frozen=True)
class _Greyed:
    """A sampler of which a domain is grey: the mean of red, green and blue as its one channel."""

    sampler: Sampler
    in_channels: int
    out_channels: int

    def batch(self, step: int, rank: int = 0, world: int = 1) -> tuple[Tensor, Tensor]:
        a, b = self.sampler.batch(step, rank, world)
        return _grey(a, self.in_channels), _grey(b, self.out_channels)

    def require_share(self, rank: int, world: int) -> None:
        self.sampler.require_share(rank, world)


def open_pictures(
    recipe: TranslationRecipe,
    data: str | Path,
    paired: bool = False,
    seed: int = 0,
    bars: ProgressFactory = no_progress,
) -> Pictures:
    """Read the pictures of a training.

    Held-out pictures are those of the folder's part val, at most `recipe.held_out`; where it has none, some of train
    are not trained on (`TranslationData.with_validation`). Pictures of a test are not looked at.

    Args:
        recipe: gives sizes, batch, direction and what is held out.
        data: a folder as `find_translation` takes it, or the word `drawings`.
        paired: whether trainA and trainB of a folder are pairs by their names.
        seed: of the batches.
        bars: shows progress.

    Returns:
        The pictures.

    Raises:
        InputError: as `find_translation`, `read_training` and `read_tests`; pix2pix without pairs; no part train, or
            none to validate on.
    """
    channels = recipe.in_channels, recipe.out_channels
    if str(data) == DRAWINGS:
        subject: Subject = "shapes" if recipe.model == "pix2pix" else "discs"
        sampler: Sampler = DrawingSampler(subject, recipe.crop_px, recipe.batch, seed)
        held_out = HeldOut(*draw_held_out(subject, recipe.held_out, recipe.crop_px), True)
        found = Pictures(sampler, held_out, {"data": f"drawings of {subject}"})
    else:
        folder = find_translation(data, paired, recipe.direction).with_validation()
        if recipe.model == "pix2pix":
            folder.require_paired()
        train = folder.part("train")
        seen = folder.part("val")
        whole = read_tests(seen, recipe.crop_px, recipe.held_out, bars)
        pictures = read_training(train, recipe.load_px, bars=bars)
        sampler = TranslationSampler(pictures, recipe.batch, recipe.crop_px, seed, recipe.mirror)
        names = "\n".join(f"{one.name} {one.half}" for one in (*train.a, *train.b))
        about = {
            "images": [str(data)],
            "layout": folder.layout,
            "n_a": len(train.a),
            "n_b": len(train.b),
            "pictures_sha256": hashlib.sha256(names.encode()).hexdigest(),
        }
        files = (*train.files(), *seen.files())
        found = Pictures(sampler, HeldOut(whole.a, whole.b, whole.paired), about, describe_sets(files))
    if channels == (3, 3):
        return found
    held_out = HeldOut(
        _grey(found.held_out.a, channels[0]), _grey(found.held_out.b, channels[1]), found.held_out.paired
    )
    return Pictures(_Greyed(found.sampler, *channels), held_out, found.about, found.sets)


def _grey(pictures: Tensor, channels: int) -> Tensor:
    return pictures if channels == pictures.shape[1] else pictures.mean(1, keepdim=True)
