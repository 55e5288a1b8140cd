"""The search problem of CoroNetGAN: the widths of a translator, scored on pictures and priced from a table."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

from mfagan import checkpoint
from mfagan.coronetgan.kinds import load_translator
from mfagan.coronetgan.network.statistics import has_running_statistics
from mfagan.coronetgan.study.block_lists import BlockLists
from mfagan.coronetgan.study.networks import load_supernet
from mfagan.coronetgan.study.pictures.description import BLOCK_TITLES, describe_points
from mfagan.coronetgan.study.pictures.scenes import TranslationPainter
from mfagan.coronetgan.study.scoring.choices import (
    Widths,
    as_choice,
    read_choice,
    uniform_slices,
)
from mfagan.coronetgan.study.scoring.pictures import SlicePictures
from mfagan.coronetgan.study.scoring.scorer import Quality, TranslationScorer
from mfagan.devices import to_device
from mfagan.errors import InputError
from mfagan.graph.operators import Block
from mfagan.latency.priced_problem import LATENCY, MEMORY, Measured, Target
from mfagan.latency.scored_problem import ScoredProblem, mean_of_cases
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
    "PSNR",
    "QUALITIES",
    "Scoring",
    "SliceProblem",
]

PSNR = Objective("psnr_db", "maximize", "dB", "PSNR")
"""To the targets, of RGB in [0, 1]."""
DISTANCE = Objective("distance", "minimize", "", "Distance to the unpruned network")
"""The mean absolute difference from the unpruned network's pictures, RGB in [0, 1]."""
QUALITIES: Mapping[Quality, Objective] = MappingProxyType({"psnr_db": PSNR, "distance": DISTANCE})
LPIPS = Objective("lpips", "minimize", "", "LPIPS")
"""To the targets of pairs, else to the unpruned network's pictures."""
KID = Objective("kid", "minimize", "", "KID")
"""The kernel distance between Inception's features of a slice's pictures and of those of the other domain."""
KERNEL_DISTANCE = Objective("kernel_distance_not_kid", "minimize", "", "Kernel distance, not KID")
"""What stands for KID where Inception's weights are not the published ones."""
EXTRA_OBJECTIVES: Mapping[str, Objective] = MappingProxyType({"memory": MEMORY, "lpips": LPIPS, "kid": KID})
"""The objectives that can join quality and latency, by the name that a user gives."""


@dataclass(frozen=True)
class Scoring(PictureScoring):
    """How slices are scored, as in `PictureScoring`.

    quality: a key of `QUALITIES`; None for PSNR where the pictures are pairs, else the distance.

    InputError: an unknown quality.
    """

    EXTRAS: ClassVar[Mapping[str, Objective]] = EXTRA_OBJECTIVES
    NOT_KID: ClassVar[Objective] = KERNEL_DISTANCE

    quality: Quality | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.quality is not None and self.quality not in QUALITIES:
            raise InputError(f"quality {self.quality!r}: give one of {', '.join(QUALITIES)}")


class SliceProblem(ScoredProblem[Widths]):
    """Quality of the slices of one weight-shared translator on pictures against the price of their blocks.

    No training happens: a slice is scored with its inherited weights, and with batch norms' running statistics of its
    own where it has some.
    """

    noun = "slices"
    block_titles = BLOCK_TITLES

    def __init__(
        self,
        supernet: str | Path,
        pictures: SlicePictures,
        target: Target,
        scoring: Scoring | None = None,
        unpruned: str | Path | None = None,
        sources: Mapping[str, str] | None = None,
    ) -> None:
        """Load the networks, make the unpruned pictures, and check the target.

        Args:
            supernet: The weight-shared translator's checkpoint.
            pictures: What slices are scored on, of the target's size.
            target: The latency table, the size (height, width) in px of the pictures, and the ceilings.
            scoring: Quality, device and an extra objective; by default the quality that the pictures allow, on the
                CPU, without one.
            unpruned: The checkpoint of a translator that slices are compared with; None for the full width.
            sources: Where the table and the pictures are kept, by name; the study remembers it.

        Raises:
            InputError: A checkpoint of another network, or without trained slices; a network that does not take or
                make such pictures; a target or a table of another size; KID on one picture; or a ceiling below the
                least of all choices.
            SearchError: The table lacks keys.
        """
        super().__init__(target)
        scoring = scoring or Scoring()
        network = load_supernet(supernet)
        _require_size(target, pictures)
        if scoring.extra_objective == "kid" and len(pictures.names) < 2:
            raise InputError("extra objective kid: 1 picture has no distribution; score on at least 2")
        self.quality: Quality = scoring.quality or ("distance" if pictures.targets is None else "psnr_db")
        extra = () if scoring.objective is None else (scoring.objective,)
        self.objectives: Sequence[Objective] = (QUALITIES[self.quality], LATENCY, *extra)
        self._blocks = BlockLists(network, target.input_size)
        self.choices = self._blocks.form.options
        self.known_choices = tuple(as_choice(one, self.choices) for one in uniform_slices(self.choices))
        self.cases = tuple(map(Case, pictures.names))
        self._lpips = scoring.lpips if scoring.extra_objective == "lpips" else None
        self._inception = scoring.inception if scoring.extra_objective == "kid" else None
        if self._inception is None:  # no part of KID is known before all pictures are scored
            self.raced = [one.name for one in self.objectives if one in (*QUALITIES.values(), LPIPS)]
        self.network = to_device(network, scoring.device)
        compared = None if unpruned is None else to_device(load_translator(unpruned), scoring.device)
        self.scorer = TranslationScorer(
            self.network,
            pictures,
            self.quality,
            unpruned=compared,
            lpips=self._lpips,
            inception=self._inception,
        )
        self._networks = {"supernet": Path(supernet).resolve()}
        if unpruned is not None:
            self._networks["unpruned"] = Path(unpruned).resolve()
        self._hashes = {f"{name}_sha256": checkpoint.sha256(path) for name, path in self._networks.items()}
        self._role = checkpoint.read(supernet).role
        self._sources = dict(sources or {})
        self.check_target()

    def identity(self) -> dict[str, str]:
        """What its values depend on: networks, table, pictures, size, quality, ceilings, and what measures."""
        identity = {
            **self._hashes,
            **super().identity(),
            "images_sha256": self.scorer.pictures.sha256(),
            "quality": self.quality,
        }
        if has_running_statistics(self.network):
            assert self.scorer.pictures.calibration is not None
            identity["statistics"] = f"of {len(self.scorer.pictures.calibration)} pictures, a slice"
        if self._lpips is not None:
            identity["lpips_sha256"] = self._lpips.sha256()
        if self._inception is not None:
            identity["inception_sha256"] = self._inception.sha256
        return identity

    def sources(self) -> dict[str, str]:
        """Where the networks are kept, and what the constructor was told of the table and the pictures."""
        return {**self._sources, **{name: str(path) for name, path in self._networks.items()}}

    def facts(self) -> dict[str, JSON]:
        """Attributes of every trial: hashes of the table and the networks, these ones' files, role and quality."""
        networks = {name: str(path) for name, path in self._networks.items()}
        told = {"role": self._role, "quality": self.quality}
        return {**super().facts(), **networks, **self._hashes, **told}

    def as_candidate(self, choice: Choice) -> Widths:
        """The slice that a choice describes.

        Args:
            choice: A width for each name.

        Raises:
            InputError: A width that is not among the searched ones.
        """
        return read_choice(choice, self._blocks.form.options)

    def blocks(self, candidate: Widths) -> list[Block]:
        """The blocks of a slice.

        Args:
            candidate: Its widths.
        """
        return self._blocks.blocks(candidate)

    def all_blocks(self) -> Iterable[str]:
        """The keys of all blocks that some slice needs, after the table's passes."""
        return self._blocks.every_block(self.table.passes)

    def cheapest_candidates(self) -> Iterable[Widths]:
        """The narrowest slice, of which every count is the least, and that of the least latency."""
        yield uniform_slices(self._blocks.form.options)[-1]
        entries, keys = self.table.entries, {}
        for widths in self._blocks.form.alternating:
            rewritten = self.rewritten_keys(widths)
            keys |= dict(zip((block.key for block in self.blocks(widths)), rewritten, strict=True))
        yield self._blocks.find_cheapest(lambda block: entries[keys[block.key]].latency_ms)

    def score(self, candidates: Sequence[Widths], cases: Sequence[int] | None = None) -> list[Measured]:
        """Qualities on pictures, and LPIPS or KID if that is the extra objective.

        Args:
            candidates: Slices, which share the work of common steps.
            cases: Indices of the pictures; None for all.
        """
        return [self._measured(score) for score in self.scorer.score(candidates, cases=cases)]

    def describe(self, points: Sequence[Point]) -> StudyDescription:
        """Sample pictures beside the unpruned ones, each block's share of the latency, and drawings of the widths.

        Args:
            points: Finished trials, such as the front.
        """
        return describe_points(
            points, self._blocks.form.options, TranslationPainter(self.scorer), self.price_parts
        )

    def _measured(self, score: SliceScore) -> Measured:
        scores = {self.quality: score.qualities} | ({LPIPS.name: score.lpips} if score.lpips else {})
        values = {} if score.kernel is None else {self.objectives[-1].name: score.kernel}
        return mean_of_cases(scores, values)


def _require_size(target: Target, pictures: SlicePictures) -> None:
    size = pictures.size
    for what, found in (("latency table", target.table.input_size), ("target", target.input_size)):
        if tuple(found) != size:
            raise InputError(
                f"{what}: it is for pictures of {found[0]}x{found[1]} px, the study's are {size[0]}x{size[1]}; build "
                f"one with: {target.remedy}"
            )
