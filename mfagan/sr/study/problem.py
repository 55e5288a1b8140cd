"""The search problem of MFAGAN: the widths of a SubGenerator, scored by PSNR-Y and priced from a latency table."""

import hashlib
import itertools
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

import torch

from mfagan import checkpoint
from mfagan.data.splits import Pair
from mfagan.devices import CPU, computes_bf16, to_device
from mfagan.errors import InputError
from mfagan.graph.operators import Block
from mfagan.latency.priced_problem import LATENCY, MEMORY, Measured, PricedProblem, Target
from mfagan.pretrained import Lpips
from mfagan.sr.network.layers import Residual
from mfagan.sr.network.mfanet import blocks
from mfagan.sr.network.supergenerator import load_supernet
from mfagan.sr.network.widths import NAMES, OPTIONS, Widths, every_choice, require_choice
from mfagan.sr.study.bf16_scoring import (
    Bf16Error,
    ScoringPrecision,
    measure_error,
    require_precision,
    rescore,
)
from mfagan.sr.study.block_lists import BlockLists
from mfagan.sr.study.picked import Picked
from mfagan.sr.study.scorer import SliceScorer
from search.problem import JSON, Choice, Known, Objective, Point

__all__ = [
    "EXTRA_OBJECTIVES",
    "LPIPS",
    "PSNR",
    "Finding",
    "Scoring",
    "SubGeneratorProblem",
    "as_finding",
    "as_picked",
    "draw_networks",
    "every_block",
]

PSNR = Objective("psnr_db", "maximize", "dB")
LPIPS = Objective("lpips", "minimize")
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


class SubGeneratorProblem(PricedProblem[Widths]):
    """PSNR-Y of the slices of one SuperGenerator on some images against the price of their blocks.

    No training happens: a slice is scored with its inherited weights. At precision bf16, those that could be on
    the front of their batch are scored in fp32 and the others in bf16: the front is that of fp32, and the
    attribute `precision` says which of the two a PSNR is.
    """

    choices = dict.fromkeys(NAMES, OPTIONS)
    objectives: Sequence[Objective] = (PSNR, LATENCY)
    known_choices = tuple(Widths.uniform(option).as_choice() for option in OPTIONS)
    noun = "SubGenerators"

    def __init__(
        self, supernet: str | Path, pairs: Sequence[Pair], target: Target, scoring: Scoring | None = None
    ) -> None:
        """Load the SuperGenerator and check the target.

        Args:
            supernet: The SuperGenerator's checkpoint.
            pairs: The images that slices are scored on.
            target: The latency table, the LR size (height, width) in pixels, and the ceilings.
            scoring: Device, precision and an extra objective; by default fp32 on the CPU without one.

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
        self._lpips = scoring.lpips if scoring.extra_objective == "lpips" else None
        self._scorer = SliceScorer(self.network, self.pairs, lpips=self._lpips)
        self.precision = scoring.precision
        self.supernet = Path(supernet).resolve()
        self._supernet_sha256 = checkpoint.sha256(supernet)
        self.check_target()

    def identity(self) -> dict[str, str]:
        """What its values depend on: weights, table, images, target size, ceilings and precision."""
        images = hashlib.sha256()
        for pair in self.pairs:
            images.update(f"{pair.name} {tuple(pair.hr.shape)}".encode() + pair.hr.numpy().tobytes())
            images.update(pair.lr.numpy().tobytes())
        priced = super().identity()
        identity = {
            "supernet_sha256": self._supernet_sha256,
            "lut_sha256": priced["lut_sha256"],
            "images_sha256": images.hexdigest(),
            **priced,
            "precision": self.precision,
        }
        if self._lpips is not None:
            weights = hashlib.sha256()
            for name, tensor in self._lpips.state_dict().items():
                weights.update(name.encode() + tensor.numpy().tobytes())
            identity["lpips_sha256"] = weights.hexdigest()
        return identity

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
            exact, quick = self._scorer.psnr_db, self._quick.psnr_db
            scores = rescore(candidates, latency_ms, feasible, exact, quick, self.bf16_error)
            return [Measured({PSNR.name: one.psnr_db}, {"precision": one.precision}) for one in scores]
        found = []
        for psnr_db, distance in self._scorer.score(candidates):
            values = {PSNR.name: psnr_db} | ({} if distance is None else {LPIPS.name: distance})
            found.append(Measured(values, {"precision": "fp32"}))
        return found

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

    @cached_property
    def _block_lists(self) -> BlockLists:
        return BlockLists(self.target_size, self.network.scale, self.network.residual_kind)


def every_block(
    size: tuple[int, int], scale: int = 4, residual: Residual = "bicubic", passes: Sequence[str] = ()
) -> dict[str, Block]:
    """Every block that some choice needs at an LR size, by its key.

    The paper's network has 24: 3 heads, 9 CFABs, 3 MFAM tails, 9 fusions. The bicubic residual adds one.

    Args:
        size: (height, width) of the LR image, in pixels.
        scale: Enlargement: 2, 3 or 4.
        residual: As in `MFANet`.
        passes: What rewrites the blocks (`mfagan.graph.passes`).
    """
    return BlockLists(size, scale, residual, passes).every_block()


def draw_networks(
    n: int, seed: int, size: tuple[int, int], scale: int = 4, leave_out: Sequence[str] = ()
) -> dict[str, Sequence[Block]]:
    """Draw distinct SubGenerators at random.

    Args:
        n: How many.
        seed: The same seed draws the same ones.
        size: (height, width) of the LR image, in pixels.
        scale: Enlargement: 2, 3 or 4.
        leave_out: Names of those that are not drawn.

    Returns:
        The blocks by the network's name, its widths with commas between them.

    Raises:
        InputError: There are not as many.
    """
    names = {",".join(map(str, widths)): widths for widths in every_choice()}
    free = [name for name in names if name not in set(leave_out)]
    if n > len(free):
        raise InputError(f"{n} networks: there are {len(free)} to draw from; draw fewer")
    drawn = random.Random(seed).sample(free, n)
    return {name: blocks(names[name], *size, scale, "bicubic") for name in drawn}


@dataclass(frozen=True)
class Finding:
    """A trial as reports show it."""

    trial: int
    widths: list[int]
    psnr_db: float
    latency_ms: float


def as_finding(point: Point) -> Finding:
    """The figures of a study's point.

    Args:
        point: A point of a study of `SubGeneratorProblem`.
    """
    psnr_db, latency_ms = point.values[:2]
    return Finding(point.number, list(Widths.from_choice(point.choice)), psnr_db, latency_ms)


def as_picked(study: str, point: Point) -> Picked:
    """A study's point as a pick.

    Args:
        study: The study's name.
        point: One of its points.

    Raises:
        InputError: The study is not one of SubGenerators.
    """
    try:
        finding = as_finding(point)
        carried = {
            name: point.attributes[name]
            for name in ("params", "flops", "memory_bytes", "lut_sha256", "supernet", "supernet_sha256")
        }
    except (KeyError, ValueError):
        raise InputError(
            f"study {study!r}: its trials are not SubGenerators; pick from a study of `mfagan search`"
        ) from None
    return Picked(
        study=study,
        trial=finding.trial,
        widths=tuple(finding.widths),
        psnr_db=finding.psnr_db,
        latency_ms=finding.latency_ms,
        lut_machine=str(point.attributes.get("lut_machine", "")),
        **carried,  # pyright: ignore[reportArgumentType] - checked by Picked
    )
