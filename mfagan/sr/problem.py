"""The search problem of MFAGAN: the widths of a SubGenerator, scored by PSNR-Y and priced from a latency table.

With `cli` the only file of mfagan that imports `search`.
"""

import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from mfagan import checkpoint
from mfagan.costs import Costs, sum_costs
from mfagan.data import Pair
from mfagan.devices import CPU, place
from mfagan.errors import InputError
from mfagan.operators import Block
from mfagan.sr.elastic import load_supernet
from mfagan.sr.generator import Residual, blocks
from mfagan.sr.picked import Picked
from mfagan.sr.published import INPUT_SIZE
from mfagan.sr.ranking import SliceScorer
from mfagan.sr.widths import NAMES, OPTIONS, Widths, require_choice
from search.latency import LatencyTable
from search.problem import Choice, Evaluation, Objective, Point, Problem

PSNR = Objective("psnr_db", "maximize", "dB")
LATENCY = Objective("latency_ms", "minimize", "ms")
TARGET_SIZE = INPUT_SIZE
"""Height and width in LR pixels that costs are counted at: the paper's input."""


class SubGeneratorProblem(Problem):
    """PSNR-Y of the slices of one SuperGenerator on some images against the price of their blocks.

    No training happens: a slice is scored with its inherited weights.
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
    ) -> None:
        """`remedy` is the command that builds a complete table; SearchError where this one lacks keys.

        InputError: a checkpoint that is no SuperGenerator or too narrow, a ceiling under the cheapest choice.
        """
        network = load_supernet(supernet)
        widest = Widths.uniform(max(OPTIONS))
        if not widest.fits_in(network.widths):
            raise InputError(f"SuperGenerator {supernet}: its widths {network.widths} do not hold {widest}")
        self.network = place(network, device)
        self.pairs = list(pairs)
        self._scorer = SliceScorer(self.network, self.pairs)
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
        }

    def evaluate(self, batch: Sequence[Choice]) -> list[Evaluation]:
        """Each choice's PSNR-Y in dB (the mean over the images) and latency in ms."""
        choices = [require_choice(Widths.from_choice(choice)) for choice in batch]
        return [
            self._describe(w, psnr) for w, psnr in zip(choices, self._scorer.psnr_db(choices), strict=True)
        ]

    def _describe(self, widths: Widths, psnr_db: float) -> Evaluation:
        latency_ms = self.price(widths)
        ceiling = {} if self.max_latency_ms is None else {"max_latency_ms": latency_ms - self.max_latency_ms}
        attributes = self.costs(widths).as_dict() | {
            "lut_sha256": self._table_sha256,
            "supernet": str(self.supernet),
            "supernet_sha256": self._supernet_sha256,
        }
        return Evaluation((psnr_db, latency_ms), attributes, ceiling)

    def price(self, widths: Widths) -> float:
        """Latency in ms: the sum of the table's figures for the blocks of this SubGenerator."""
        return self.table.price(block.key for block in self._blocks(widths))

    def costs(self, widths: Widths) -> Costs:
        """Parameters, FLOPs and memory of this SubGenerator at the target size."""
        return sum_costs(operator for block in self._blocks(widths) for operator in block.operators)

    def _blocks(self, widths: Widths) -> tuple[Block, ...]:
        return blocks(widths, *self.target_size, self.network.scale, self.network.residual_kind)


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
