"""The search problem of MobileStyleGAN: the widths of a student, scored against its teacher and priced from a table."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

from mfagan import checkpoint
from mfagan.devices import to_device
from mfagan.errors import InputError
from mfagan.graph.operators import Block
from mfagan.latency.priced_problem import LATENCY, MEMORY, Measured, Target
from mfagan.latency.scored_problem import ScoredProblem, mean_of_cases
from mfagan.mobilestylegan.kinds import WEIGHT_SHARED
from mfagan.mobilestylegan.network.generator import MobileStyleGAN, StyleGAN2
from mfagan.mobilestylegan.network.student.widths import narrowest_slice
from mfagan.mobilestylegan.study.block_lists import BlockLists
from mfagan.mobilestylegan.study.pictures.description import BLOCK_TITLES, describe_points
from mfagan.mobilestylegan.study.pictures.scenes import LatentPainter
from mfagan.mobilestylegan.study.scoring.choices import (
    Channels,
    as_choice,
    choose_from,
    read_choice,
    uniform_slices,
)
from mfagan.mobilestylegan.study.scoring.scorer import Latents, LatentScorer
from mfagan.study.scoring import PictureScoring
from mfagan.study.slices.scorer import SliceScore
from search.description import StudyDescription
from search.problem import JSON, Case, Choice, Objective, Point

__all__ = [
    "DISTANCE",
    "EXTRA_OBJECTIVES",
    "KERNEL_DISTANCE",
    "KID",
    "LPIPS",
    "Scoring",
    "StudentProblem",
    "load_shared_student",
]

DISTANCE = Objective("distance", "minimize", "", "Distance to the teacher")
"""The mean absolute difference from the teacher's images, RGB in [0, 1]."""
LPIPS = Objective("lpips", "minimize", "", "LPIPS to the teacher")
KID = Objective("kid", "minimize", "", "KID to the teacher")
"""The kernel distance between Inception's features of a slice's images and of the teacher's, of the same latents."""
KERNEL_DISTANCE = Objective(
    "kernel_distance_not_kid", "minimize", "", "Kernel distance to the teacher, not KID"
)
"""What stands for KID where Inception's weights are not the published ones."""
EXTRA_OBJECTIVES: Mapping[str, Objective] = MappingProxyType({"memory": MEMORY, "lpips": LPIPS, "kid": KID})
"""The objectives that can join distance and latency, by the name that a user gives."""


@dataclass(frozen=True)
class Scoring(PictureScoring):
    """How slices are scored, as in `PictureScoring`.

    latents: what they are scored on.

    InputError: KID on one latent.
    """

    EXTRAS: ClassVar[Mapping[str, Objective]] = EXTRA_OBJECTIVES
    NOT_KID: ClassVar[Objective] = KERNEL_DISTANCE

    latents: Latents = field(default_factory=Latents)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.extra_objective == "kid" and self.latents.count < 2:
            raise InputError("extra objective kid: 1 latent has no distribution; give at least 2 --latents")


class StudentProblem(ScoredProblem[Channels]):
    """Distance of the slices of one weight-shared student to its teacher against the price of their blocks.

    No training happens: a slice is scored with its inherited weights. The mapping network is a block of every price.
    """

    objectives: Sequence[Objective] = (DISTANCE, LATENCY)
    noun = "slices"
    block_titles = BLOCK_TITLES

    def __init__(
        self,
        student: str | Path,
        teacher: str | Path,
        target: Target,
        scoring: Scoring | None = None,
        sources: Mapping[str, str] | None = None,
    ) -> None:
        """Load both networks, make the teacher's images, and check the target.

        Args:
            student: The weight-shared student's checkpoint.
            teacher: The teacher's checkpoint.
            target: The latency table, the size (height, width) in pixels of the images, and the ceilings.
            scoring: Latents, device and an extra objective; by default 64 latents on the CPU without one.
            sources: Where the table is kept, by name; the study remembers it.

        Raises:
            InputError: A checkpoint of another network; a student without slices; a teacher of another size or other
                styles, or whose images are not finite; a target or a table of another size; or a ceiling below the
                least of all choices.
            SearchError: The table lacks keys.
        """
        super().__init__(target)
        scoring = scoring or Scoring()
        if scoring.objective is not None:
            self.objectives = (DISTANCE, LATENCY, scoring.objective)
        network = load_shared_student(student)
        _require_size(target, network)
        made_by = StyleGAN2.from_checkpoint(checkpoint.read(teacher, StyleGAN2.KIND), teacher)
        self.full = network.synthesis.channels
        self.choices = choose_from(self.full)
        self.known_choices = tuple(map(as_choice, uniform_slices(self.full)))
        self.cases = tuple(Case(f"seed {seed}") for seed in scoring.latents.seeds)
        self._blocks = BlockLists(network)
        self._lpips = scoring.lpips if scoring.extra_objective == "lpips" else None
        self._inception = scoring.inception if scoring.extra_objective == "kid" else None
        if self._inception is None:  # no part of KID is known before all latents are scored
            self.raced = [one.name for one in self.objectives if one in (DISTANCE, LPIPS)]
        self.network = to_device(network, scoring.device)
        self.scorer = LatentScorer(
            to_device(made_by, scoring.device),
            self.network,
            scoring.latents,
            self._lpips,
            self._inception,
        )
        self.student, self.teacher = Path(student).resolve(), Path(teacher).resolve()
        self._student_sha256, self._teacher_sha256 = checkpoint.sha256(student), checkpoint.sha256(teacher)
        self._sources = dict(sources or {})
        self.check_target()

    def identity(self) -> dict[str, str]:
        """What its values depend on: both networks, table, latents, size, form, ceilings, and what measures."""
        identity = {
            "student_sha256": self._student_sha256,
            "teacher_sha256": self._teacher_sha256,
            **super().identity(),
            "latents": self.scorer.latents.to_text(),
            "form": self.network.synthesis.demodulation,
        }
        if self._lpips is not None:
            identity["lpips_sha256"] = self._lpips.sha256()
        if self._inception is not None:
            identity["inception_sha256"] = self._inception.sha256
        return identity

    def sources(self) -> dict[str, str]:
        """Where both networks are kept, and what the constructor was told of the table."""
        return {**self._sources, "student": str(self.student), "teacher": str(self.teacher)}

    def facts(self) -> dict[str, JSON]:
        """Attributes of every trial: hashes of the table and of both networks, and these ones' files."""
        return {
            **super().facts(),
            "student": str(self.student),
            "student_sha256": self._student_sha256,
            "teacher": str(self.teacher),
            "teacher_sha256": self._teacher_sha256,
        }

    def as_candidate(self, choice: Choice) -> Channels:
        """The slice that a choice describes.

        Args:
            choice: A width for each resolution.

        Raises:
            InputError: A width that is not among the searched ones.
        """
        return read_choice(choice, self.full)

    def blocks(self, candidate: Channels) -> list[Block]:
        """The blocks of a slice, the mapping network's first.

        Args:
            candidate: Its channels.
        """
        return self._blocks.blocks(candidate)

    def all_blocks(self) -> Iterable[str]:
        """The keys of all blocks that some slice needs, after the table's passes."""
        return self._blocks.every_block(self.table.passes)

    def cheapest_candidates(self) -> Iterable[Channels]:
        """The narrowest slice, of which every count is the least, and that of the least latency."""
        yield narrowest_slice(self.full)
        entries, keys = self.table.entries, {}
        for slice_ in self._blocks.alternating:
            rewritten = self.rewritten_keys(slice_)
            keys |= dict(zip((block.key for block in self.blocks(slice_)), rewritten, strict=True))
        yield self._blocks.find_cheapest(lambda block: entries[keys[block.key]].latency_ms)

    def score(self, candidates: Sequence[Channels], cases: Sequence[int] | None = None) -> list[Measured]:
        """Distances to the teacher, and LPIPS or KID if that is the extra objective.

        Args:
            candidates: Slices, which share the work of common prefixes.
            cases: Indices of the latents; None for all.
        """
        kernel_name = self.objectives[-1].name
        return [_measured(found, kernel_name) for found in self.scorer.score(candidates, cases=cases)]

    def describe(self, points: Sequence[Point]) -> StudyDescription:
        """Sample pictures beside the teacher's, each block's share of the latency, and drawings of the widths.

        Args:
            points: Finished trials, such as the front.
        """
        return describe_points(points, self.full, LatentPainter(self.scorer, self.full), self.price_parts)


def load_shared_student(path: str | Path) -> MobileStyleGAN:
    """The weight-shared student of a checkpoint, in evaluation mode on the CPU.

    Args:
        path: Its file.

    Raises:
        InputError: As `checkpoint.read`; another network, or one whose slices were not trained.
    """
    found = checkpoint.read(path, MobileStyleGAN.KIND)
    if found.role != WEIGHT_SHARED:
        raise InputError(
            f"student {path}: its role is {found.role!r}, and its slices were not trained; give a weight-shared one "
            "(supernet)"
        )
    return MobileStyleGAN.from_checkpoint(found, path)


def _require_size(target: Target, network: MobileStyleGAN) -> None:
    size = (network.size, network.size)
    for what, found in (("latency table", target.table.input_size), ("target", target.input_size)):
        if tuple(found) != size:
            raise InputError(
                f"{what}: it is for images of {found[0]}x{found[1]} px, the student's are {size[0]}x{size[1]}; build "
                f"one with: {target.remedy}"
            )


def _measured(score: SliceScore, kernel_name: str) -> Measured:
    scores = {DISTANCE.name: score.qualities} | ({LPIPS.name: score.lpips} if score.lpips else {})
    return mean_of_cases(scores, {} if score.kernel is None else {kernel_name: score.kernel})
