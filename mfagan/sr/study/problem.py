"""The search problem of MFAGAN: the widths of a SubGenerator, scored by PSNR-Y and priced from a latency table."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

import torch

from mfagan import checkpoint
from mfagan.data.pairs import distinct_names
from mfagan.data.splits import Pair
from mfagan.devices import CPU, computes_bf16, to_device
from mfagan.errors import InputError
from mfagan.graph.operators import Block
from mfagan.latency.priced_problem import LATENCY, MEMORY, Measured, Target
from mfagan.latency.scored_problem import ScoredProblem
from mfagan.pretrained import Lpips
from mfagan.sr.network.supergenerator import load_supernet
from mfagan.sr.network.widths import NAMES, OPTIONS, Widths, require_choice
from mfagan.sr.study.block_lists import BlockLists, every_block
from mfagan.sr.study.pictures.description import BLOCK_TITLES, describe_points
from mfagan.sr.study.pictures.scenes import CropPainter
from mfagan.sr.study.scoring.bf16_scoring import (
    Bf16Error,
    ScoringPrecision,
    measure_error,
    require_precision,
    rescore,
)
from mfagan.sr.study.scoring.scorer import SliceScore, SliceScorer
from mfagan.sr.study.sources import hash_images
from search.description import StudyDescription
from search.problem import JSON, Case, Choice, Known, Objective, Point

__all__ = [
    "EXTRA_OBJECTIVES",
    "LPIPS",
    "PSNR",
    "Scoring",
    "SubGeneratorProblem",
]

PSNR = Objective("psnr_db", "maximize", "dB", "PSNR-Y")
LPIPS = Objective("lpips", "minimize", "", "LPIPS")
EXTRA_OBJECTIVES: Mapping[str, Objective] = MappingProxyType({"memory": MEMORY, "lpips": LPIPS})
"""The objectives that can join PSNR and latency, by the name that a user gives."""


@dataclass(frozen=True)
class Scoring:
    """How SubGenerators are scored.

    device: where they run.
    precision: fp32, or bf16 if what decides nothing may be scored in that.
    extra_objective: None, or a key of `EXTRA_OBJECTIVES`: memory traffic, or LPIPS measured by `lpips`.
    lpips: the network that measures LPIPS; read if that is the extra objective.

    InputError: an unknown precision or objective, a device that does not compute in bf16 if that is asked for, bf16
    with an extra objective, or LPIPS without its network.
    """

    device: torch.device = CPU
    precision: ScoringPrecision = "fp32"
    extra_objective: str | None = None
    lpips: Lpips | None = None

    def __post_init__(self) -> None:
        if require_precision(self.precision) == "bf16" and not computes_bf16(self.device):
            raise InputError(f"precision bf16: {self.device} does not multiply bfloat16 natively; use fp32")
        extra = self.extra_objective
        if extra is None:
            return
        if extra not in EXTRA_OBJECTIVES:
            raise InputError(f"extra objective {extra!r}: give one of {', '.join(EXTRA_OBJECTIVES)}")
        if self.precision == "bf16":
            raise InputError(
                f"precision bf16 with the extra objective {extra}: bf16 serves two objectives only; use fp32"
            )
        if extra == "lpips" and self.lpips is None:
            raise InputError(
                "extra objective lpips: it is not measured without AlexNet's weights; give --weights"
            )


class SubGeneratorProblem(ScoredProblem[Widths]):
    """PSNR-Y of the slices of one SuperGenerator on some images against the price of their blocks.

    No training happens: a slice is scored with its inherited weights. At precision bf16, those that could be on
    the front of their batch are scored in fp32 and the others in bf16: the front is that of fp32, and the
    attribute `precision` says which of the two a PSNR is.
    """

    choices = dict.fromkeys(NAMES, OPTIONS)
    objectives: Sequence[Objective] = (PSNR, LATENCY)
    known_choices = tuple(Widths.uniform(option).as_choice() for option in OPTIONS)
    noun = "SubGenerators"
    block_titles = BLOCK_TITLES

    def __init__(
        self,
        supernet: str | Path,
        pairs: Sequence[Pair],
        target: Target,
        scoring: Scoring | None = None,
        sources: Mapping[str, str] | None = None,
    ) -> None:
        """Load the SuperGenerator and check the target.

        Args:
            supernet: The SuperGenerator's checkpoint.
            pairs: The images that slices are scored on.
            target: The latency table, the LR size (height, width) in pixels, and the ceilings.
            scoring: Device, precision and an extra objective; by default fp32 on the CPU without one.
            sources: Where the table and the images are kept, by name; the study remembers it.

        Raises:
            InputError: A checkpoint that is not a SuperGenerator or is too narrow, or a ceiling below the least of
                all choices.
            SearchError: The table lacks keys.
        """
        super().__init__(target)
        scoring = scoring or Scoring()
        if scoring.extra_objective is not None:
            self.objectives = (PSNR, LATENCY, EXTRA_OBJECTIVES[scoring.extra_objective])
        network = load_supernet(supernet)
        widest = Widths.uniform(max(OPTIONS))
        if not widest.fits_in(network.widths):
            raise InputError(f"SuperGenerator {supernet}: its widths {network.widths} do not hold {widest}")
        self.network = to_device(network, scoring.device)
        self.pairs = list(pairs)
        names = distinct_names(self.pairs)
        self.cases = tuple(Case(name, pair.image) for name, pair in zip(names, self.pairs, strict=True))
        if scoring.precision == "fp32":  # in bf16 it depends on the batch which scores there are
            self.raced = [one.name for one in self.objectives if one in (PSNR, LPIPS)]
        self._lpips = scoring.lpips if scoring.extra_objective == "lpips" else None
        self._scorer = SliceScorer(self.network, self.pairs, lpips=self._lpips)
        self.precision = scoring.precision
        self.supernet = Path(supernet).resolve()
        self._sources = dict(sources or {})
        self._supernet_sha256 = checkpoint.sha256(supernet)
        self.check_target()

    def identity(self) -> dict[str, str]:
        """What its values depend on: weights, table, images, target size, ceilings and precision."""
        priced = super().identity()
        identity = {
            "supernet_sha256": self._supernet_sha256,
            "lut_sha256": priced["lut_sha256"],
            "images_sha256": hash_images(self.pairs),
            **priced,
            "precision": self.precision,
        }
        if self._lpips is not None:
            identity["lpips_sha256"] = self._lpips.sha256()
        return identity

    def sources(self) -> dict[str, str]:
        """Where the SuperGenerator is kept, and what the constructor was told of the table and the images."""
        return {**self._sources, "supernet": str(self.supernet)}

    def facts(self) -> dict[str, JSON]:
        """Attributes of every trial: hashes of the table and the SuperGenerator, and that one's file."""
        supernet = {"supernet": str(self.supernet), "supernet_sha256": self._supernet_sha256}
        return {**super().facts(), **supernet}

    def as_candidate(self, choice: Choice) -> Widths:
        """The widths that a choice holds.

        Args:
            choice: A width for each of the eight names.

        Raises:
            InputError: A width that is not among the searched ones.
        """
        return require_choice(Widths.from_choice(choice))

    def measure(self, candidates: Sequence[Widths], known: Sequence[Known]) -> list[Measured]:
        """Mean PSNR-Y in dB over the images, and LPIPS if that is the extra objective.

        Args:
            candidates: Widths of SubGenerators, which share the work of common prefixes.
            known: What is known of each.
        """
        if self.precision == "bf16":
            latency_ms = [one.values[LATENCY.name] for one in known]
            feasible = [all(value <= 0 for value in one.constraints.values()) for one in known]
            exact: dict[Widths, SliceScore] = {}

            def score(doubtful: Sequence[Widths]) -> list[float]:
                exact.update(zip(doubtful, self._scorer.score(doubtful), strict=True))
                return [exact[widths].psnr_db for widths in doubtful]

            found = rescore(candidates, latency_ms, feasible, score, self._quick.psnr_db, self.bf16_error)
            return [
                _measured(exact[widths])
                if one.precision == "fp32"
                else Measured({PSNR.name: one.psnr_db}, {"precision": one.precision})
                for widths, one in zip(candidates, found, strict=True)
            ]
        return self.score(candidates)

    def score(self, candidates: Sequence[Widths], cases: Sequence[int] | None = None) -> list[Measured]:
        """PSNR-Y of slices in fp32, and LPIPS if that is the extra objective.

        Args:
            candidates: Widths of SubGenerators, which share the work of common prefixes.
            cases: Indices of the images; None for all.
        """
        return [_measured(score) for score in self._scorer.score(candidates, images=cases)]

    def as_measured(self, scores: Mapping[str, Sequence[float]]) -> Measured:
        """As `ScoredProblem.as_measured`, with the precision.

        Args:
            scores: By the objectives' names.
        """
        return _measured(SliceScore(tuple(scores[PSNR.name]), tuple(scores.get(LPIPS.name, ()))))

    @cached_property
    def _quick(self) -> SliceScorer:
        """Scores in bf16."""
        return SliceScorer(self.network, self.pairs, torch.bfloat16)

    @cached_property
    def bf16_error(self) -> Bf16Error:
        """How far PSNR in bf16 lies from fp32 on these images, measured when first asked for."""
        return measure_error(self._scorer.psnr_db, self._quick.psnr_db)

    def all_blocks(self) -> Iterable[str]:
        """The keys of all blocks that some SubGenerator needs, after the table's passes."""
        settings = self.network.scale, self.network.residual_kind, self.table.passes
        return every_block(self.target_size, *settings)

    def cheapest_candidates(self) -> Iterable[Widths]:
        """One SubGenerator for each trunk, inner width and fusion.

        Every figure is a sum over blocks, and no block depends on more than two widths.
        """
        for trunk, width, fusion in itertools.product(OPTIONS, repeat=3):
            yield Widths.of([trunk, *[width] * (len(NAMES) - 2), fusion])

    def blocks(self, candidate: Widths) -> list[Block]:
        """The blocks of a SubGenerator at the target size.

        Args:
            candidate: The widths of a SubGenerator.
        """
        return self._block_lists.blocks(candidate)

    def describe(self, points: Sequence[Point]) -> StudyDescription:
        """Pictures of three crops of the images, each block's share of the latency, and drawings of the widths.

        Args:
            points: Finished trials, such as the front.
        """
        painter = CropPainter(self.network, self.pairs) if self.pairs else None
        return describe_points(points, painter, self.price_parts)

    @cached_property
    def _block_lists(self) -> BlockLists:
        return BlockLists(self.target_size, self.network.scale, self.network.residual_kind)


def _measured(score: SliceScore) -> Measured:
    """A score in fp32 as what was measured of its slice."""
    values, scores = {PSNR.name: score.psnr_db}, {PSNR.name: score.psnr_db_of_image}
    if score.lpips is not None:
        values[LPIPS.name], scores[LPIPS.name] = score.lpips, score.lpips_of_image
    return Measured(values, {"precision": "fp32"}, scores)
