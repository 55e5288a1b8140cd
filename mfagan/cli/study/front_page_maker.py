"""The page of `mfagan front`, made of one study or of several."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mfagan.cli.options import name_study
from mfagan.cli.study.front_description import FrontDescriber
from mfagan.cli.study.systems import find_system
from mfagan.errors import InputError
from mfagan.evaluation.scores import PerceptualDistance
from mfagan.progress import ProgressFactory
from mfagan.study.opened import Given
from search import pareto
from search.benchmarks.tabular import TabularProblem
from search.description import StudyDescription
from search.report.html_page import front_page, overlay_page
from search.study import StudyRecord, load

__all__ = ["FrontPageMaker"]

logger = logging.getLogger(__name__)


class FrontPageMaker:
    """Makes the page of one study, or of several that are overlaid, as often as it is asked to."""

    def __init__(
        self,
        storage: str,
        names: Sequence[str],
        given: Given,
        n_scenes: int,
        exact: Path | None = None,
    ) -> None:
        """Load the studies.

        Args:
            storage: Where the studies are kept.
            names: Their names, at least one.
            given: Where their sources are now, as far as a user says.
            n_scenes: How many crops of their images are shown; 0 to run no network at all.
            exact: A table of `mfagan tabulate`, whose front is shown beside that of one study.

        Raises:
            InputError: A table for several studies.
            SearchError: A study or the table cannot be read.
        """
        if exact is not None and len(names) > 1:
            raise InputError(
                f"--exact {exact}: there are {len(names)} studies; it is compared with one alone"
            )
        self._storage = storage
        self._records = [_load(storage, name) for name in names]
        self._describers = [FrontDescriber(storage, record, given, n_scenes) for record in self._records]
        self._exact, self._notes = _read_exact(exact, self._records[0])
        self._told: set[str] = set()
        self._tell(self._notes)

    def make(self, find_lpips: Callable[[], PerceptualDistance | None], bars: ProgressFactory) -> str:
        """Make the page with all that can be told of the fronts, which takes long for many points.

        Args:
            find_lpips: Finds what measures LPIPS, or None to leave it out; called if it is needed.
            bars: Makes the progress bars.

        Returns:
            The HTML.
        """
        records, descriptions = [], []
        for record, describer in zip(self._records, self._describers, strict=True):
            best = pareto.front(record.points, record.objectives)
            description = describer.describe(best, bars)
            measured, titles = describer.with_quality(best, find_lpips, bars)
            records.append(measured)
            descriptions.append(replace(description, titles={**description.titles, **titles}))
        return self._lay_out(records, descriptions)

    def reload(self) -> bool:
        """Load the studies again.

        Returns:
            Whether there is something new in them.

        Raises:
            SearchError: The storage does not answer.
        """
        before = self._records
        self._records = [_load(self._storage, record.name) for record in before]
        for record, describer in zip(self._records, self._describers, strict=True):
            describer.record = record
        return self._records != before

    def describe_some(self, n_points: int) -> bool:
        """Describe points of the fronts that were not described before.

        Args:
            n_points: At most so many of each study.

        Returns:
            Whether there were any.
        """
        fresh = False
        for record, describer in zip(self._records, self._describers, strict=True):
            lacking = describer.lacks(pareto.front(record.points, record.objectives))[:n_points]
            if lacking:
                describer.describe(lacking)
            fresh = fresh or bool(lacking)
        return fresh

    def make_quickly(self, refresh_s: float) -> str:
        """Make the page with what was described so far, without SSIM and LPIPS.

        Args:
            refresh_s: How often the page asks for newer data, in seconds.

        Returns:
            The HTML.
        """
        return self._lay_out(self._records, [one.describe([]) for one in self._describers], refresh_s)

    def _lay_out(
        self,
        records: Sequence[StudyRecord],
        descriptions: Sequence[StudyDescription],
        refresh_s: float | None = None,
    ) -> str:
        self._tell([note for one in descriptions for note in one.notes])
        notes = [
            f"Pick a trial N: mfagan pick {name_study(self._storage, record.name)} --trial N --out picked.json"
            for record in records
        ]
        if len(records) > 1:
            return overlay_page(records, notes, descriptions, refresh_s=refresh_s)
        (record,), (description,) = records, descriptions
        return front_page(
            record,
            notes=[*self._notes, *notes],
            description=description,
            exact=self._exact,
            refresh_s=refresh_s,
        )

    def _tell(self, notes: Sequence[str]) -> None:
        """Report what the page lacks, once."""
        for note in dict.fromkeys(notes):
            if note not in self._told:
                logger.warning("%s", note)
                self._told.add(note)


def _load(storage: str, name: str) -> StudyRecord:
    """The study with the titles of objectives, which studies of earlier versions don't know."""
    record = load(storage, name)
    system = find_system(record)
    titled = {} if system is None else {one: one for one in system.objectives}
    return replace(record, objectives=tuple(titled.get(one, one) for one in record.objectives))


def _read_exact(path: Path | None, record: StudyRecord) -> tuple[NDArray[np.float64] | None, list[str]]:
    """The values of all choices if a table has them for what the study searched, and why not, as a note."""
    if path is None:
        return None, []
    table = TabularProblem.read(path)
    if tuple(table.objectives) != record.objectives:
        names = [", ".join(one.name for one in some) for some in (table.objectives, record.objectives)]
        reason = f"its objectives are {names[0]}, the study's {names[1]}"
    else:
        found = table.identity()
        differing = [
            name for name, text in record.identity.items() if name != "precision" and found.get(name) != text
        ]
        if not differing:
            return table.values, []
        reason = f"it is of another {', '.join(differing)} than the study"
    return None, [f"The exact front of {path} is left out: {reason}."]
