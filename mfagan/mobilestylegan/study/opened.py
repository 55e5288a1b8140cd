"""A study of students opened again: the weight-shared student, its teacher and the latency table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from mfagan import checkpoint
from mfagan.errors import InputError
from mfagan.evaluation.scores import PerceptualDistance
from mfagan.latency.price_parts import price_parts_by
from mfagan.latency.priced_problem import LATENCY
from mfagan.mobilestylegan.network.generator import StyleGAN2
from mfagan.mobilestylegan.network.layers.geometry import resolutions
from mfagan.mobilestylegan.study.block_lists import BlockLists
from mfagan.mobilestylegan.study.picked import as_picked, picked_of
from mfagan.mobilestylegan.study.pictures.description import BLOCK_TITLES, describe_points
from mfagan.mobilestylegan.study.pictures.scenes import LatentPainter
from mfagan.mobilestylegan.study.problem import (
    DISTANCE,
    EXTRA_OBJECTIVES,
    KERNEL_DISTANCE,
    load_shared_student,
)
from mfagan.mobilestylegan.study.scoring.choices import (
    Channels,
    as_choice,
    choice_name,
    read_choice,
    uniform_slices,
)
from mfagan.mobilestylegan.study.scoring.scorer import Latents, LatentScorer
from mfagan.progress import ProgressCallback, ProgressFactory, ignore_progress, no_progress
from mfagan.study.opened import Given, OpenedStudy, find_checkpoint, open_table
from mfagan.study.slices.front_quality import measure_quality
from search.description import StudyDescription
from search.errors import SearchError
from search.problem import Choice, Point, Value

__all__ = ["OBJECTIVES", "as_picked", "is_mine", "known_choices", "open_study", "picked_of"]

OBJECTIVES = (DISTANCE, LATENCY, *EXTRA_OBJECTIVES.values(), KERNEL_DISTANCE)
"""Every objective that a study may have, with its title."""

PriceParts = Callable[[Channels], Sequence[tuple[str, float]]]


def is_mine(choices: Mapping[str, Sequence[Value]]) -> bool:
    """Whether a study is one of students: its choices are the widths at 4, 8, ... px.

    Args:
        choices: The study's.
    """
    return len(choices) > 1 and list(choices) == [choice_name(side) for side in resolutions(len(choices))]


def known_choices(choices: Mapping[str, Sequence[Value]]) -> Sequence[Choice]:
    """The choices that a search evaluates first.

    Args:
        choices: The study's.
    """
    return [as_choice(one) for one in uniform_slices(_full(choices))]


def open_study(
    choices: Mapping[str, Sequence[Value]],
    points: Sequence[Point],
    named: Mapping[str, str],
    identity: Mapping[str, str],
    given: Given,
    n_scenes: int,
) -> OpenedStudy:
    """Open the sources of a study of students.

    Args:
        choices: The study's.
        points: Not used.
        named: Where the sources are by the study's word.
        identity: What the study's values depend on; a source with another hash is not used.
        given: Where they are by the user's word.
        n_scenes: How many latents are shown; 0 to run no network at all.

    Returns:
        What is there and is what the study says.
    """
    files = {name: Path(named[name]) for name in ("student", "teacher") if name in named}
    return _OpenedStudents(
        _full(choices),
        given.network or files.get("student"),
        given.teacher or files.get("teacher"),
        given.lut or named.get("lut"),
        identity,
        n_scenes,
    )


class _OpenedStudents(OpenedStudy):
    def __init__(
        self,
        full: Channels,
        student: Path | None,
        teacher: Path | None,
        lut: str | None,
        identity: Mapping[str, str],
        n_scenes: int,
    ) -> None:
        self._full = full
        self._n_scenes = n_scenes
        self._price_parts: PriceParts | None = None
        self._teacher: StyleGAN2 | None = None
        try:
            self._student = load_shared_student(find_checkpoint("student", student, identity))
        except (InputError, OSError) as error:
            self._student = None
            self.notes = [f"Pictures and parts of the latency are left out: {error}"]
            return
        self._latents = Latents.from_text(identity.get("latents", ""))
        notes: list[str] = []
        try:
            path = find_checkpoint("teacher", teacher, identity)
            self._teacher = StyleGAN2.from_checkpoint(checkpoint.read(path), path)
        except (InputError, OSError) as error:
            notes.append(f"Pictures are left out: {error}")
        try:
            self._price_parts = price_parts_by(
                open_table(lut, identity), BlockLists(self._student).blocks, BLOCK_TITLES
            )
        except (InputError, SearchError, OSError) as error:
            notes.append(f"Parts of the latency are left out: {error}")
        self.notes = notes
        self.has_scenes = n_scenes > 0 and self._teacher is not None

    @cached_property
    def _scorer(self) -> LatentScorer | None:
        """Runs slices on the first of the study's latents."""
        if not self.has_scenes or self._student is None or self._teacher is None:
            return None
        latents = replace(self._latents, count=min(self._latents.count, self._n_scenes))
        return LatentScorer(self._teacher, self._student, latents)

    def describe(
        self, points: Sequence[Point], report: ProgressCallback = ignore_progress
    ) -> StudyDescription:
        """As `OpenedStudy.describe`."""
        return describe_points(
            points, self._full, self._painter if points else None, self._price_parts, report
        )

    @cached_property
    def _painter(self) -> LatentPainter | None:
        if self._scorer is None:
            return None
        return LatentPainter(self._scorer, self._full, self._n_scenes)

    def measure(
        self,
        best: Sequence[Point],
        find_lpips: Callable[[], PerceptualDistance | None],
        bars: ProgressFactory = no_progress,
    ) -> tuple[Sequence[Mapping[str, float]], Mapping[str, str]]:
        """PSNR and LPIPS to the teacher on the latents that are shown, as `OpenedStudy.measure`."""
        if self._scorer is None:
            raise ValueError("there are no networks to measure")
        lpips = find_lpips()
        slices = [read_choice(point.choice, self._full) for point in best]
        with bars("PSNR" if lpips is None else "PSNR and LPIPS") as report:
            return measure_quality(self._scorer, slices, lpips, report)


def _full(choices: Mapping[str, Sequence[Value]]) -> Channels:
    return tuple(max(map(int, options)) for options in choices.values())
