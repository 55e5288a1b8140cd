"""A study of SubGenerators opened again: its SuperGenerator, images and latency table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from mfagan import checkpoint
from mfagan.data.pairs import Pair
from mfagan.data.splits import read_pairs
from mfagan.errors import InputError
from mfagan.evaluation.scores import PerceptualDistance
from mfagan.latency.priced_problem import LATENCY, Target
from mfagan.progress import ProgressCallback, ProgressFactory, ignore_progress, no_progress
from mfagan.sr.network.supergenerator import SuperGenerator, load_supernet
from mfagan.sr.network.widths import NAMES, Widths
from mfagan.sr.study.findings import as_picked
from mfagan.sr.study.picked import picked_of
from mfagan.sr.study.pictures.description import describe_points
from mfagan.sr.study.pictures.front_quality import choose_images, measure_quality
from mfagan.sr.study.pictures.scenes import CropPainter
from mfagan.sr.study.problem import EXTRA_OBJECTIVES, PSNR, SubGeneratorProblem
from mfagan.sr.study.sources import Sources, hash_images, read_sources
from mfagan.study.opened import Given, OpenedStudy, open_table, read_target_size, require_same
from search.description import StudyDescription
from search.errors import SearchError
from search.problem import Choice, Point, Value

__all__ = ["OBJECTIVES", "as_picked", "is_mine", "known_choices", "open_study", "picked_of"]

OBJECTIVES = (PSNR, LATENCY, *EXTRA_OBJECTIVES.values())
"""Every objective that a study may have, with its title."""

PriceParts = Callable[[Widths], Sequence[tuple[str, float]]]


def is_mine(choices: Mapping[str, Sequence[Value]]) -> bool:
    """Whether a study is one of SubGenerators.

    Args:
        choices: The study's.
    """
    return tuple(choices) == NAMES


def known_choices(choices: Mapping[str, Sequence[Value]]) -> Sequence[Choice]:
    """The choices that a search evaluates first.

    Args:
        choices: The study's.
    """
    return SubGeneratorProblem.known_choices


def open_study(
    choices: Mapping[str, Sequence[Value]],
    points: Sequence[Point],
    named: Mapping[str, str],
    identity: Mapping[str, str],
    given: Given,
    n_scenes: int,
) -> OpenedStudy:
    """Open the sources of a study of SubGenerators.

    Args:
        choices: Not used.
        points: Its trials; one of an earlier version knows its SuperGenerator.
        named: Where the sources are by the study's word.
        identity: What the study's values depend on; a source with another hash is not used.
        given: Where they are by the user's word.
        n_scenes: How many crops of the images are shown; 0 to run no network at all.

    Returns:
        What is there and is what the study says.
    """
    carried = points[0].attributes if points else {}
    earlier = {"supernet": str(carried["supernet"])} if "supernet" in carried else {}
    known = read_sources(earlier | dict(named))
    sources = replace(
        known,
        supernet=given.network or known.supernet,
        lut=given.lut or known.lut,
        images=given.images or known.images,
    )
    return _OpenedSubGenerators(sources, identity, n_scenes)


class _OpenedSubGenerators(OpenedStudy):
    def __init__(self, sources: Sources, identity: Mapping[str, str], n_scenes: int) -> None:
        self._n_scenes = n_scenes
        self._network: SuperGenerator | None = None
        self._pairs: Sequence[Pair] = ()
        self._price_parts: PriceParts | None = None
        try:
            self._network = _open_supernet(sources, identity)
        except (InputError, OSError) as error:
            self.notes = [f"Pictures and parts of the latency are left out: {error}"]
            return
        notes: list[str] = []
        try:
            self._pairs = _open_images(sources, identity, self._network.scale)
        except (InputError, OSError) as error:
            notes.append(f"Pictures are left out: {error}")
        try:
            self._price_parts = _open_prices(sources, identity)
        except (InputError, SearchError, OSError) as error:
            notes.append(f"Parts of the latency are left out: {error}")
        self.notes = notes
        self.has_scenes = n_scenes > 0 and len(self._pairs) > 0

    @cached_property
    def _painter(self) -> CropPainter | None:
        if not self.has_scenes or self._network is None:
            return None
        return CropPainter(self._network, self._pairs, self._n_scenes)

    def describe(
        self, points: Sequence[Point], report: ProgressCallback = ignore_progress
    ) -> StudyDescription:
        """As `OpenedStudy.describe`."""
        return describe_points(points, self._painter if points else None, self._price_parts, report)

    def measure(
        self,
        best: Sequence[Point],
        find_lpips: Callable[[], PerceptualDistance | None],
        bars: ProgressFactory = no_progress,
    ) -> tuple[Sequence[Mapping[str, float]], Mapping[str, str]]:
        """SSIM and LPIPS on the first of the study's images, as `OpenedStudy.measure`."""
        if self._network is None:
            raise ValueError("there is no SuperGenerator to measure")
        lpips = find_lpips()
        images = choose_images(self._pairs, len(best))
        widths = [Widths.from_choice(point.choice) for point in best]
        with bars("SSIM" if lpips is None else "SSIM and LPIPS") as report:
            quality = measure_quality(self._network, images, widths, lpips, report)
        return quality.attributes(), quality.titles()


def _open_supernet(sources: Sources, identity: Mapping[str, str]) -> SuperGenerator:
    path = sources.supernet
    if path is None:
        raise InputError("the study does not know its SuperGenerator; give it with --supernet")
    if not path.is_file():
        raise InputError(f"SuperGenerator {path}: no such file; give it with --supernet")
    require_same(f"SuperGenerator {path}", checkpoint.sha256(path), identity, "supernet")
    return load_supernet(path)


def _open_images(sources: Sources, identity: Mapping[str, str], scale: int) -> list[Pair]:
    if sources.images is None or sources.supernet is None:
        raise InputError("the study does not know its images; give them with --images")
    record = checkpoint.read(sources.supernet).record
    pairs = read_pairs(
        sources.images,
        scale,
        sources.max_images,
        sources.crop_px,
        record=record,
        crops_per_image=sources.crops_per_image,
    )
    require_same(f"images {sources.images}", hash_images(pairs), identity, "images")
    return pairs


def _open_prices(sources: Sources, identity: Mapping[str, str]) -> PriceParts:
    table = open_table(sources.lut, identity)
    assert sources.supernet is not None
    target = Target(table, read_target_size(identity), table.command)
    return SubGeneratorProblem(sources.supernet, [], target).price_parts
