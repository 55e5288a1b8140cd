"""A study's sources opened again where they still are what it searched with, as pages show its points."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mfagan import checkpoint
from mfagan.errors import InputError
from mfagan.evaluation.scores import PerceptualDistance
from mfagan.latency.tables import read_table
from mfagan.progress import ProgressCallback, ProgressFactory, ignore_progress, no_progress
from search.description import StudyDescription
from search.latency import LatencyTable
from search.problem import Point

__all__ = ["Given", "OpenedStudy", "find_checkpoint", "open_table", "read_target_size", "require_same"]


@dataclass(frozen=True)
class Given:
    """Where a study's sources are by the user's word, which goes before the study's; None for what is not said.

    network: The weight-shared network's checkpoint.
    lut: The latency table's file, or the name of a shipped one.
    images: A folder, or `embedded`; of systems that score on images.
    teacher: The checkpoint of the network that others are compared with, such as a teacher; of systems that have one.
    """

    network: Path | None = None
    lut: str | None = None
    images: str | None = None
    teacher: Path | None = None


class OpenedStudy(ABC):
    """What could be opened of a study's sources.

    Attributes:
        notes: A line for each thing that is left out: what, why, and what to give.
        has_scenes: Whether there are pictures to make.
    """

    notes: Sequence[str] = ()
    has_scenes: bool = False

    @abstractmethod
    def describe(
        self, points: Sequence[Point], report: ProgressCallback = ignore_progress
    ) -> StudyDescription:
        """Describe points, without commands.

        Args:
            points: Points of the study, such as its front.
            report: Called after each picture.

        Returns:
            Their description; the scenes are missing if there are no points.
        """

    @abstractmethod
    def measure(
        self,
        best: Sequence[Point],
        find_lpips: Callable[[], PerceptualDistance | None],
        bars: ProgressFactory = no_progress,
    ) -> tuple[Sequence[Mapping[str, float]], Mapping[str, str]]:
        """Measure more of a front than the search did, with pictures alone.

        Args:
            best: At least one point.
            find_lpips: Finds what measures LPIPS, or None to leave it out; called if something is measured.
            bars: Makes the progress bar, if something is measured.

        Returns:
            Figures of each point by the names of attributes, and the attributes' titles.
        """


def read_target_size(identity: Mapping[str, str]) -> tuple[int, int]:
    """(height, width) in px of what a study's latencies are for.

    Args:
        identity: What the study's values depend on.

    Raises:
        InputError: The study does not know it.
    """
    height, _, width = identity.get("target_size", "").partition("x")
    if not (height.isdecimal() and width.isdecimal()):
        raise InputError("the study does not know the size that its latencies are for; search again")
    return int(height), int(width)


def open_table(lut: str | None, identity: Mapping[str, str]) -> LatencyTable:
    """A study's latency table, with its latencies under load if it is these that the study knows.

    Args:
        lut: Its file, the name of a shipped one, or None if nobody knows it.
        identity: What the study's values depend on.

    Raises:
        InputError: It is not known, not there, or another one.
        SearchError: It cannot be read.
    """
    if lut is None:
        raise InputError("the study does not know its latency table; give it with --lut")
    table = read_table(lut)
    if table.sha256 != identity.get("lut_sha256") and all(
        one.sustained_ms is not None for one in table.entries.values()
    ):
        table = table.under_load()
    require_same(f"latency table {lut}", table.sha256, identity, "lut")
    return table


def find_checkpoint(name: str, path: Path | None, identity: Mapping[str, str]) -> Path:
    """Find a checkpoint of a study.

    Args:
        name: What it is there, and the option that gives it.
        path: Where it is, or None if nobody knows.
        identity: As for `require_same`.

    Returns:
        Its file.

    Raises:
        InputError: It is not known, not there, or another one.
    """
    if path is None:
        raise InputError(f"the study does not know its {name}; give it with --{name}")
    if not path.is_file():
        raise InputError(f"{name} {path}: no such file; give it with --{name}")
    require_same(f"{name} {path}", checkpoint.sha256(path), identity, name)
    return path


def require_same(what: str, found: str, identity: Mapping[str, str], name: str) -> None:
    """Refuse a source with another hash than the study's.

    Args:
        what: The source, for errors.
        found: Its hash.
        identity: What the study's values depend on.
        name: Of the option that gives the source; the identity has its hash as `NAME_sha256`.

    Raises:
        InputError: It is another.
    """
    wanted = identity.get(f"{name}_sha256", "none")
    if found != wanted:
        raise InputError(
            f"{what}: its sha256 is {found[:12]}..., the study searched with {wanted[:12]}...; give the original"
            f" with --{name}"
        )
