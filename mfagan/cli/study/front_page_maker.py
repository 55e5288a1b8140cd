"""The page of `mfagan front`, made of one study or of several, of one system or of several."""

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
from mfagan.latency.priced_problem import LATENCY
from mfagan.progress import ProgressFactory
from mfagan.study.opened import Given
from mfagan.study.titles import COST_TITLES
from search import pareto
from search.benchmarks.tabular import TabularProblem
from search.description import StudyDescription
from search.problem import Objective
from search.report.html_page import front_page, overlay_page, shares_page
from search.storage.address import redact
from search.study import StudyRecord, load

__all__ = ["FrontPageMaker", "locate_study"]

logger = logging.getLogger(__name__)

_SHARES_NOTE = (
    "Latencies are by each study's own table, costs at its own size of pictures, and qualities those of inherited "
    "weights, before fine-tuning."
)


def locate_study(storage: str, named: str) -> tuple[str, str]:
    """Where a study is kept, and its name.

    Args:
        storage: Where it is if its name doesn't say so.
        named: The name, or STORAGE::NAME for a study that is kept elsewhere.
    """
    elsewhere, _, name = named.rpartition("::")
    return (elsewhere, name) if elsewhere and name else (storage, named)


class FrontPageMaker:
    """Makes the page of one study, or of several, as often as it is asked to.

    Studies of one system and of the same objectives are overlaid in their units; others as shares of their unpruned
    networks, without pictures.
    """

    def __init__(
        self,
        places: Sequence[tuple[str, str]],
        given: Given,
        n_scenes: int,
        exact: Path | None = None,
    ) -> None:
        """Load the studies.

        Args:
            places: Where each study is kept, and its name; at least one.
            given: Where their sources are now, as far as a user says.
            n_scenes: How many crops of their images are shown; 0 to run no network at all.
            exact: A table of `mfagan tabulate`, whose front is shown beside that of one study.

        Raises:
            InputError: A table for several studies.
            SearchError: A study or the table cannot be read.
        """
        if exact is not None and len(places) > 1:
            raise InputError(
                f"--exact {exact}: there are {len(places)} studies; it is compared with one alone"
            )
        self._places = places
        self._records = [_load(storage, name) for storage, name in places]
        self._in_shares = _need_shares(self._records)
        self._describers = [
            FrontDescriber(storage, record, given, n_scenes)
            for (storage, _), record in zip(places, self._records, strict=True)
        ]
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
        if self._in_shares:
            return self._lay_out_shares()
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
        self._records = [_load(storage, name) for storage, name in self._places]
        for record, describer in zip(self._records, self._describers, strict=True):
            describer.record = record
        return self._records != before

    def describe_some(self, n_points: int) -> bool:
        """Describe points of the fronts that were not described before.

        Args:
            n_points: At most so many of each study.

        Returns:
            Whether there were any; none for a page of shares, which has no pictures.
        """
        if self._in_shares:
            return False
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
        if self._in_shares:
            return self._lay_out_shares(refresh_s)
        return self._lay_out(self._records, [one.describe([]) for one in self._describers], refresh_s)

    def _lay_out_shares(self, refresh_s: float | None = None) -> str:
        records = self._distinctly_named(self._records)
        notes = [_SHARES_NOTE, *self._pick_notes()]
        return shares_page(records, _shared_costs(records), notes, "unpruned network", refresh_s)

    def _pick_notes(self) -> list[str]:
        return [
            f"Pick a trial N: mfagan pick {name_study(storage, name)} --trial N --out picked.json"
            for storage, name in self._places
        ]

    def _distinctly_named(self, records: Sequence[StudyRecord]) -> Sequence[StudyRecord]:
        """The studies under names that tell them apart, if some have the same in several storages."""
        if len({record.name for record in records}) == len(records):
            return records
        return [
            replace(record, name=f"{redact(storage)}::{record.name}")
            for (storage, _), record in zip(self._places, records, strict=True)
        ]

    def _lay_out(
        self,
        records: Sequence[StudyRecord],
        descriptions: Sequence[StudyDescription],
        refresh_s: float | None = None,
    ) -> str:
        self._tell([note for one in descriptions for note in one.notes])
        notes = self._pick_notes()
        if len(records) > 1:
            named = self._distinctly_named(records)
            return overlay_page(named, notes, descriptions, refresh_s=refresh_s)
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


def _need_shares(records: Sequence[StudyRecord]) -> bool:
    """Whether studies have no axes in common: they are of several systems or have other objectives."""
    first = records[0]
    systems = {find_system(record) for record in records}
    return len(systems) > 1 or any(record.objectives != first.objectives for record in records)


def _shared_costs(records: Sequence[StudyRecord]) -> list[Objective]:
    """Latency, parameters and MACs, or FLOPs where a study of an earlier version doesn't know its MACs."""
    has_macs = all("macs" in point.attributes for record in records for point in record.points)
    names = ("params", "macs" if has_macs else "flops")
    return [LATENCY, *(Objective(name, "minimize", "", COST_TITLES[name]) for name in names)]


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
