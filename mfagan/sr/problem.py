"""The search problem of MFAGAN: the widths of a SubGenerator, scored by PSNR-Y and priced from a latency table.

With `cli` the only file of mfagan that imports `search`.
"""

import hashlib
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch

from mfagan import checkpoint
from mfagan.costs import Costs, sum_costs
from mfagan.data import Pair
from mfagan.devices import CPU, computes_bf16, place
from mfagan.errors import InputError
from mfagan.operators import Block
from mfagan.sr.elastic import load_supernet
from mfagan.sr.generator import Residual, blocks
from mfagan.sr.picked import Picked
from mfagan.sr.published import INPUT_SIZE
from mfagan.sr.ranking import SliceScorer
from mfagan.sr.rescoring import Bf16Error, Precision, Score, measure_error, require_precision, rescore
from mfagan.sr.widths import NAMES, OPTIONS, Widths, require_choice
from search.latency import LatencyTable
from search.problem import Choice, Evaluation, Objective, Point, Problem

PSNR = Objective("psnr_db", "maximize", "dB")
LATENCY = Objective("latency_ms", "minimize", "ms")
TARGET_SIZE = INPUT_SIZE
"""Height and width in LR pixels that costs are counted at: the paper's input."""


class SubGeneratorProblem(Problem):
    """PSNR-Y of the slices of one SuperGenerator on some images against the price of their blocks.

    No training happens: a slice is scored with its inherited weights. At precision bf16, those that could be on
    the front of their batch are scored in fp32 and the others in bf16: the front is that of fp32, and the
    attribute `precision` tells which of the two a PSNR is.
    """

    choices = dict.fromkeys(NAMES, OPTIONS)
    objectives = (PSNR, LATENCY)
    known_choices = tuple(Widths.uniform(option).as_choice() for option in OPTIONS)

    def __init__(
        self,
        supernet: str | Path,
        pairs: Sequence[Pair],
        table: LatencyTable,
        remedy: str,
        max_latency_ms: float | None = None,
        target_size: tuple[int, int] = TARGET_SIZE,
        device: torch.device = CPU,
        precision: Precision = "fp32",
    ) -> None:
        """`remedy` is the command that builds a complete table; SearchError where this one lacks keys.

        InputError: a checkpoint that is no SuperGenerator or too narrow, a ceiling under the cheapest choice, a
        device that does not compute in bf16 where that is asked.
        """
        if require_precision(precision) == "bf16" and not computes_bf16(device):
            raise InputError(f"precision bf16: {device} does not multiply bfloat16 natively; use fp32")
        network = load_supernet(supernet)
        widest = Widths.uniform(max(OPTIONS))
        if not widest.fits_in(network.widths):
            raise InputError(f"SuperGenerator {supernet}: its widths {network.widths} do not hold {widest}")
        self.network = place(network, device)
        self.pairs = list(pairs)
        self._scorer = SliceScorer(self.network, self.pairs)
        self._quick = SliceScorer(self.network, self.pairs, torch.bfloat16)
        self.precision = precision
        self.table = table
        self.target_size = target_size
        self.supernet = Path(supernet).resolve()
        self.max_latency_ms = max_latency_ms
        self._table_sha256 = table.sha256
        self._supernet_sha256 = checkpoint.sha256(supernet)
        table.require(every_block(target_size, network.scale, network.residual_kind), remedy)
        cheapest = min(
            self.price(Widths.of([trunk, *[width] * (len(NAMES) - 2), fusion]))
            for trunk, width, fusion in itertools.product(OPTIONS, repeat=3)
        )
        if max_latency_ms is not None and max_latency_ms < cheapest:
            raise InputError(
                f"max_latency_ms is {max_latency_ms:g}, but the cheapest SubGenerator costs {cheapest:.3f} ms by "
                "this table; raise it"
            )

    def identity(self) -> dict[str, str]:
        """What its values depend on."""
        images = hashlib.sha256()
        for pair in self.pairs:
            images.update(f"{pair.name} {tuple(pair.hr.shape)}".encode() + pair.hr.numpy().tobytes())
            images.update(pair.lr.numpy().tobytes())
        return {
            "supernet_sha256": self._supernet_sha256,
            "lut_sha256": self._table_sha256,
            "images_sha256": images.hexdigest(),
            "target_size": "{}x{}".format(*self.target_size),
            "max_latency_ms": str(self.max_latency_ms),
            "precision": self.precision,
        }

    def evaluate(self, batch: Sequence[Choice]) -> list[Evaluation]:
        """Each choice's PSNR-Y in dB (the mean over the images) and latency in ms."""
        choices = [require_choice(Widths.from_choice(choice)) for choice in batch]
        latency_ms = [self.price(widths) for widths in choices]
        if self.precision == "fp32":
            scores = [Score(psnr_db, "fp32") for psnr_db in self._scorer.psnr_db(choices)]
        else:
            ceiling_ms = math.inf if self.max_latency_ms is None else self.max_latency_ms
            exact, quick = self._scorer.psnr_db, self._quick.psnr_db
            scores = rescore(choices, latency_ms, ceiling_ms, exact, quick, self.bf16_error)
        return [self._describe(*one) for one in zip(choices, latency_ms, scores, strict=True)]

    @cached_property
    def bf16_error(self) -> Bf16Error:
        """How far PSNR in bf16 lies from fp32 on these images, measured when first asked."""
        return measure_error(self._scorer.psnr_db, self._quick.psnr_db)

    def _describe(self, widths: Widths, latency_ms: float, score: Score) -> Evaluation:
        ceiling = {} if self.max_latency_ms is None else {"max_latency_ms": latency_ms - self.max_latency_ms}
        attributes = self.costs(widths).as_dict() | {
            "precision": score.precision,
            "lut_sha256": self._table_sha256,
            "supernet": str(self.supernet),
            "supernet_sha256": self._supernet_sha256,
        }
        return Evaluation((score.psnr_db, latency_ms), attributes, ceiling)

    def price(self, widths: Widths) -> float:
        """Latency in ms: the sum of the table's figures for the blocks of this SubGenerator."""
        return self.table.price(block.key for block in self._blocks(widths))

    def costs(self, widths: Widths) -> Costs:
        """Parameters, FLOPs and memory of this SubGenerator at the target size."""
        return sum_costs(operator for block in self._blocks(widths) for operator in block.operators)

    def _blocks(self, widths: Widths) -> list[Block]:
        """Put together from networks of one inner width: to build each choice's takes longer than to score it.

        A block depends on the trunk and at most one inner width; those that do stand in the order of these.
        """
        inner = iter((*widths.cfabs, widths.fusion))
        of_widths = [self._of_one_width[widths.trunk, option] for option in OPTIONS]
        return [
            same[OPTIONS.index(next(inner))] if same[0].key != same[-1].key else same[0]
            for same in zip(*of_widths, strict=True)
        ]

    @cached_property
    def _of_one_width(self) -> dict[tuple[int, int], tuple[Block, ...]]:
        """(trunk, inner width) -> the blocks of the network that has this width everywhere inside."""
        settings = (*self.target_size, self.network.scale, self.network.residual_kind)
        return {
            (trunk, width): blocks(Widths.of([trunk] + [width] * (len(NAMES) - 1)), *settings)
            for trunk, width in itertools.product(OPTIONS, repeat=2)
        }


def every_block(size: tuple[int, int], scale: int = 4, residual: Residual = "bicubic") -> dict[str, Block]:
    """Key -> block, for every block that some choice needs at this LR size.

    24 in the paper's network: 3 heads, 9 CFABs, 3 MFAM tails, 9 fusions. The bicubic residual adds one.
    """
    return {
        block.key: block
        for trunk in OPTIONS
        for width in OPTIONS
        for block in blocks(Widths.of([trunk] + [width] * (len(NAMES) - 1)), *size, scale, residual)
    }


@dataclass(frozen=True)
class Finding:
    """A trial as reports show it."""

    trial: int
    widths: list[int]
    psnr_db: float
    latency_ms: float


def as_finding(point: Point) -> Finding:
    """The figures of a study's point."""
    psnr_db, latency_ms = point.values
    return Finding(point.number, list(Widths.from_choice(point.choice)), psnr_db, latency_ms)


def as_picked(study: str, point: Point) -> Picked:
    """A study's point as a pick; InputError where the study was not one of SubGenerators."""
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
        **carried,  # pyright: ignore[reportArgumentType] - checked by Picked
    )
