"""The search problem of MFAGAN: the widths of a SubGenerator, scored by PSNR-Y and priced from a latency table.

With `cli` the only file of mfagan that imports `search`.
"""

import hashlib
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch

from mfagan import checkpoint
from mfagan.data.splits import Pair
from mfagan.devices import CPU, computes_bf16, to_device
from mfagan.errors import InputError
from mfagan.graph.costs import Costs, sum_costs
from mfagan.graph.operators import Block
from mfagan.pretrained import Lpips
from mfagan.sr.network.mfanet import INPUT_SIZE, Residual, blocks
from mfagan.sr.network.supergenerator import load_supernet
from mfagan.sr.network.widths import NAMES, OPTIONS, Widths, require_choice
from mfagan.sr.study.bf16_scoring import Bf16Error, Precision, measure_error, require_precision, rescore
from mfagan.sr.study.picked import Picked
from mfagan.sr.study.scorer import SliceScorer
from search.latency import LatencyTable
from search.problem import Choice, Evaluation, Known, Objective, Point, Problem

PSNR = Objective("psnr_db", "maximize", "dB")
LATENCY = Objective("latency_ms", "minimize", "ms")
MEMORY = Objective("memory_gb", "minimize", "GB")
LPIPS = Objective("lpips", "minimize")
THIRD = {"memory": MEMORY, "lpips": LPIPS}
"""The objectives that can join PSNR and latency, by the name that a user gives."""
CEILINGS = {"latency_ms": "ms", "params": "parameters", "flops": "FLOPs", "memory_bytes": "bytes"}
"""The figures that can have a ceiling, with their units."""


class SubGeneratorProblem(Problem):
    """PSNR-Y of the slices of one SuperGenerator on some images against the price of their blocks.

    No training happens: a slice is scored with its inherited weights. At precision bf16, those that could be on
    the front of their batch are scored in fp32 and the others in bf16: the front is that of fp32, and the
    attribute `precision` tells which of the two a PSNR is.
    """

    choices = dict.fromkeys(NAMES, OPTIONS)
    objectives: Sequence[Objective] = (PSNR, LATENCY)
    known_choices = tuple(Widths.uniform(option).as_choice() for option in OPTIONS)

    def __init__(
        self,
        supernet: str | Path,
        pairs: Sequence[Pair],
        table: LatencyTable,
        remedy: str,
        ceilings: Mapping[str, float] | None = None,
        target_size: tuple[int, int] = INPUT_SIZE,
        device: torch.device = CPU,
        precision: Precision = "fp32",
        third: str | None = None,
        lpips: Lpips | None = None,
    ) -> None:
        """`remedy` is the command that builds a complete table; SearchError where this one lacks keys.

        ceilings: a largest value for some of `CEILINGS`, counted at the target size.
        third: one of `THIRD`, a third objective: memory traffic, or LPIPS measured by `lpips`.

        InputError: a checkpoint that is no SuperGenerator or too narrow, a ceiling that is no number or under the least
        of all choices, a device that does not compute in bf16 where that is asked, or that with a third objective.
        """
        if require_precision(precision) == "bf16" and not computes_bf16(device):
            raise InputError(f"precision bf16: {device} does not multiply bfloat16 natively; use fp32")
        if third is not None:
            self._add_objective(third, precision, lpips)
        network = load_supernet(supernet)
        widest = Widths.uniform(max(OPTIONS))
        if not widest.fits_in(network.widths):
            raise InputError(f"SuperGenerator {supernet}: its widths {network.widths} do not hold {widest}")
        self.network = to_device(network, device)
        self.pairs = list(pairs)
        self._lpips = lpips if third == "lpips" else None
        self._scorer = SliceScorer(self.network, self.pairs, lpips=self._lpips)
        self.precision = precision
        self.table = table
        self.target_size = target_size
        self.supernet = Path(supernet).resolve()
        self.ceilings = dict(ceilings or {})
        self._table_sha256 = table.sha256
        self._supernet_sha256 = checkpoint.sha256(supernet)
        table.require(every_block(target_size, network.scale, network.residual_kind), remedy)
        self._check_ceilings()

    def identity(self) -> dict[str, str]:
        """What its values depend on."""
        images = hashlib.sha256()
        for pair in self.pairs:
            images.update(f"{pair.name} {tuple(pair.hr.shape)}".encode() + pair.hr.numpy().tobytes())
            images.update(pair.lr.numpy().tobytes())
        identity = {
            "supernet_sha256": self._supernet_sha256,
            "lut_sha256": self._table_sha256,
            "images_sha256": images.hexdigest(),
            "target_size": "{}x{}".format(*self.target_size),
            "ceilings": ", ".join(f"{name} {_exact(self.ceilings[name])}" for name in sorted(self.ceilings))
            or "none",
            "precision": self.precision,
        }
        if self._lpips is not None:
            weights = hashlib.sha256()
            for name, tensor in self._lpips.state_dict().items():
                weights.update(name.encode() + tensor.numpy().tobytes())
            identity["lpips_sha256"] = weights.hexdigest()
        return identity

    def foresee(self, batch: Sequence[Choice]) -> list[Known]:
        """All but the quality: latency and memory, costs and ceilings."""
        return [self._foresee(Widths.from_choice(choice)) for choice in batch]

    def evaluate(self, batch: Sequence[Choice]) -> list[Evaluation]:
        """Each choice's PSNR-Y in dB (the mean over the images), latency in ms, and the third objective."""
        choices = [require_choice(Widths.from_choice(choice)) for choice in batch]
        foreseen = [self._foresee(widths) for widths in choices]
        measured = self._measure(choices, foreseen)
        evaluations = []
        for known, (values, precision) in zip(foreseen, measured, strict=True):
            found = {**known.values, **values}
            evaluations.append(
                Evaluation(
                    tuple(found[objective.name] for objective in self.objectives),
                    {**known.attributes, "precision": precision},
                    known.constraints,
                )
            )
        return evaluations

    def _measure(
        self, choices: Sequence[Widths], foreseen: Sequence[Known]
    ) -> list[tuple[dict[str, float], Precision]]:
        """The values that must be measured, by objective, and what PSNR was computed in."""
        if self.precision == "bf16":
            latency_ms = [known.values[LATENCY.name] for known in foreseen]
            feasible = [all(value <= 0 for value in known.constraints.values()) for known in foreseen]
            exact, quick = self._scorer.psnr_db, self._quick.psnr_db
            scores = rescore(choices, latency_ms, feasible, exact, quick, self.bf16_error)
            return [({PSNR.name: score.psnr_db}, score.precision) for score in scores]
        found = self._scorer.score(choices)
        return [
            ({PSNR.name: psnr_db} | ({} if distance is None else {LPIPS.name: distance}), "fp32")
            for psnr_db, distance in found
        ]

    @cached_property
    def _quick(self) -> SliceScorer:
        """Scores in bf16."""
        return SliceScorer(self.network, self.pairs, torch.bfloat16)

    @cached_property
    def bf16_error(self) -> Bf16Error:
        """How far PSNR in bf16 lies from fp32 on these images, measured when first asked."""
        return measure_error(self._scorer.psnr_db, self._quick.psnr_db)

    def _foresee(self, widths: Widths) -> Known:
        costs = self.costs(widths)
        figures = self._figures(widths, costs)
        return Known(
            {LATENCY.name: figures["latency_ms"]}
            | ({MEMORY.name: costs.memory_gb} if MEMORY in self.objectives else {}),
            costs.as_dict()
            | {
                "lut_sha256": self._table_sha256,
                "supernet": str(self.supernet),
                "supernet_sha256": self._supernet_sha256,
            },
            {f"max_{name}": figures[name] - ceiling for name, ceiling in self.ceilings.items()},
        )

    def _figures(self, widths: Widths, costs: Costs) -> dict[str, float]:
        """What can have a ceiling."""
        return {"latency_ms": self.price(widths)} | costs.as_dict()

    def _add_objective(self, third: str, precision: Precision, lpips: Lpips | None) -> None:
        if third not in THIRD:
            raise InputError(f"third objective {third!r}: give one of {', '.join(THIRD)}")
        if precision == "bf16":
            raise InputError(
                f"precision bf16 with the third objective {third}: it serves two alone; use fp32"
            )
        if third == "lpips" and lpips is None:
            raise InputError(
                "third objective lpips: it is not measured without AlexNet's weights; give --weights"
            )
        self.objectives = (PSNR, LATENCY, THIRD[third])

    def _check_ceilings(self) -> None:
        for name, ceiling in self.ceilings.items():
            if name not in CEILINGS:
                raise InputError(f"ceiling on {name!r}: give one of {', '.join(CEILINGS)}")
            if not math.isfinite(ceiling):
                raise InputError(f"max_{name} is {ceiling}: give a number, or leave it out")
        # Every figure is a sum over blocks, and no block depends on more than two widths.
        some = [
            Widths.of([trunk, *[width] * (len(NAMES) - 2), fusion])
            for trunk, width, fusion in itertools.product(OPTIONS, repeat=3)
        ]
        figures = [self._figures(widths, self.costs(widths)) for widths in some]
        for name, ceiling in self.ceilings.items():
            least = min(one[name] for one in figures)
            if ceiling < least:
                raise InputError(
                    f"max_{name} is {ceiling:g}, but the least of all SubGenerators is {least:.6g} {CEILINGS[name]}; "
                    "raise it"
                )

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


def _exact(ceiling: float) -> str:
    """Six digits where these are all, as studies have always had it, else every digit."""
    short = f"{ceiling:g}"
    return short if float(short) == ceiling else repr(float(ceiling))


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
    psnr_db, latency_ms = point.values[:2]
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
