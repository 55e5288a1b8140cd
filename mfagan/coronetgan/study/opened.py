"""A study of translators opened again: the weight-shared network, its pictures and the latency table."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from mfagan.coronetgan.kinds import load_translator
from mfagan.coronetgan.network.statistics import has_running_statistics
from mfagan.coronetgan.network.translator import Translator
from mfagan.coronetgan.study.block_lists import BlockLists
from mfagan.coronetgan.study.networks import load_supernet
from mfagan.coronetgan.study.picked import as_picked, picked_of
from mfagan.coronetgan.study.pictures.description import BLOCK_TITLES, describe_points
from mfagan.coronetgan.study.pictures.scenes import TranslationPainter
from mfagan.coronetgan.study.problem import EXTRA_OBJECTIVES, KERNEL_DISTANCE, QUALITIES
from mfagan.coronetgan.study.scoring.choices import (
    Options,
    Widths,
    as_choice,
    read_choice,
    read_options,
    uniform_slices,
)
from mfagan.coronetgan.study.scoring.pictures import PictureSource, SlicePictures, read_pictures
from mfagan.coronetgan.study.scoring.scorer import TranslationScorer
from mfagan.errors import InputError
from mfagan.evaluation.scores import PerceptualDistance
from mfagan.latency.price_parts import price_parts_by
from mfagan.latency.priced_problem import LATENCY
from mfagan.progress import ProgressCallback, ProgressFactory, ignore_progress, no_progress
from mfagan.study.opened import (
    Given,
    OpenedStudy,
    find_checkpoint,
    open_table,
    read_target_size,
    require_same,
)
from mfagan.study.slices.front_quality import measure_quality
from search.description import StudyDescription
from search.errors import SearchError
from search.problem import Choice, Point, Value

__all__ = ["OBJECTIVES", "as_picked", "is_mine", "known_choices", "open_study", "picked_of"]

OBJECTIVES = (*QUALITIES.values(), LATENCY, *EXTRA_OBJECTIVES.values(), KERNEL_DISTANCE)
"""Every objective that a study may have, with its title."""

PriceParts = Callable[[Widths], Sequence[tuple[str, float]]]

_RESNET = re.compile("a b res (inner[1-3] )*u1 u2")
_UNET = re.compile("level1( level[0-9]+)+")
"""The names of the choices, joined by spaces."""


def is_mine(choices: Mapping[str, Sequence[Value]]) -> bool:
    """Whether a study is one of translators: its choices are those of `tied_latents`.

    Args:
        choices: The study's.
    """
    names = " ".join(choices)
    return any(form.fullmatch(names) is not None for form in (_RESNET, _UNET))


def known_choices(choices: Mapping[str, Sequence[Value]]) -> Sequence[Choice]:
    """The choices that a search evaluates first.

    Args:
        choices: The study's.
    """
    options = read_options(choices)
    return [as_choice(one, options) for one in uniform_slices(options)]


def open_study(
    choices: Mapping[str, Sequence[Value]],
    points: Sequence[Point],
    named: Mapping[str, str],
    identity: Mapping[str, str],
    given: Given,
    n_scenes: int,
) -> OpenedStudy:
    """Open the sources of a study of translators.

    Args:
        choices: The study's.
        points: Not used.
        named: Where the sources are by the study's word.
        identity: What the study's values depend on; a source with another hash is not used.
        given: Where they are by the user's word.
        n_scenes: How many pictures are shown; 0 to run no network at all.

    Returns:
        What is there and is what the study says.
    """
    return _OpenedTranslators(read_options(choices), named, identity, given, n_scenes)


class _OpenedTranslators(OpenedStudy):
    def __init__(
        self,
        options: Options,
        named: Mapping[str, str],
        identity: Mapping[str, str],
        given: Given,
        n_scenes: int,
    ) -> None:
        self._options = options
        self._n_scenes = n_scenes
        self._price_parts: PriceParts | None = None
        self._unpruned: Translator | None = None
        self._pictures: SlicePictures | None = None
        files = {name: Path(named[name]) for name in ("supernet", "unpruned") if name in named}
        try:
            self._supernet = load_supernet(
                find_checkpoint("supernet", given.network or files.get("supernet"), identity)
            )
            size = read_target_size(identity)
        except (InputError, OSError) as error:
            self._supernet = None
            self.notes = [f"Pictures and parts of the latency are left out: {error}"]
            return
        notes: list[str] = []
        if n_scenes > 0:
            try:
                if "unpruned_sha256" in identity:
                    path = find_checkpoint("unpruned", given.teacher or files.get("unpruned"), identity)
                    self._unpruned = load_translator(path)
                self._pictures = _open_pictures(named, given.images, identity, size[0], self._supernet)
            except (InputError, OSError) as error:
                notes.append(f"Pictures are left out: {error}")
        try:
            table = open_table(given.lut or named.get("lut"), identity)
            self._price_parts = price_parts_by(table, BlockLists(self._supernet, size).blocks, BLOCK_TITLES)
        except (InputError, SearchError, OSError) as error:
            notes.append(f"Parts of the latency are left out: {error}")
        self.notes = notes
        self.has_scenes = self._pictures is not None

    @cached_property
    def _scorer(self) -> TranslationScorer | None:
        """Runs slices on the study's pictures."""
        if self._pictures is None or self._supernet is None:
            return None
        return TranslationScorer(
            self._supernet, self._pictures.first(self._n_scenes), unpruned=self._unpruned
        )

    @cached_property
    def _painter(self) -> TranslationPainter | None:
        return None if self._scorer is None else TranslationPainter(self._scorer, self._n_scenes)

    def describe(
        self, points: Sequence[Point], report: ProgressCallback = ignore_progress
    ) -> StudyDescription:
        """As `OpenedStudy.describe`."""
        painter = self._painter if points else None
        return describe_points(points, self._options, painter, self._price_parts, report)

    def measure(
        self,
        best: Sequence[Point],
        find_lpips: Callable[[], PerceptualDistance | None],
        bars: ProgressFactory = no_progress,
    ) -> tuple[Sequence[Mapping[str, float]], Mapping[str, str]]:
        """PSNR to the unpruned network and LPIPS on the pictures that are shown, as `OpenedStudy.measure`."""
        if self._scorer is None:
            raise ValueError("there is no network to measure")
        lpips = find_lpips()
        slices = [read_choice(point.choice, self._options) for point in best]
        with bars("PSNR" if lpips is None else "PSNR and LPIPS") as report:
            return measure_quality(self._scorer, slices, lpips, report)


def _open_pictures(
    named: Mapping[str, str],
    folder: str | None,
    identity: Mapping[str, str],
    side_px: int,
    supernet: Translator,
) -> SlicePictures:
    source = PictureSource.from_texts(named, folder)
    if source is None:
        raise InputError("the study does not know its pictures; give them with --images")
    found = read_pictures(source, side_px, has_running_statistics(supernet))
    require_same(f"pictures {source.folder}", found.sha256(), identity, "images")
    return found
