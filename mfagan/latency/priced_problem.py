"""The part of a search problem that every system shares: candidates priced from a latency table, under ceilings.

A system's own problem derives from `PricedProblem`: it lists a candidate's blocks and measures its quality. Latency,
costs, constraints, what is known before an evaluation and the study's identity come from here.
"""

import itertools
import math
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar, Generic, TypeVar

from mfagan.deploy.tflite.delegates import count_rejected, find_delegate
from mfagan.errors import InputError
from mfagan.graph.costs import Costs, sum_block_costs
from mfagan.graph.operators import Block
from mfagan.graph.passes import rewrite
from mfagan.latency.price_parts import name_blocks, price_parts
from mfagan.latency.tables import TableMachine
from search.latency import LatencyTable
from search.problem import JSON, Choice, Evaluation, Known, Objective, Problem

__all__ = ["CEILINGS", "LATENCY", "MEMORY", "Measured", "PricedProblem", "Target"]

LATENCY = Objective("latency_ms", "minimize", "ms", "Latency")
"""The price of a candidate: the sum of the table's latencies of its blocks."""
MEMORY = Objective("memory_gb", "minimize", "GB", "Memory traffic")
"""Memory traffic of one image, in GB of 1e9 bytes."""
CEILINGS: Mapping[str, str] = MappingProxyType(
    {
        "latency_ms": "ms",
        "params": "parameters",
        "flops": "FLOPs",
        "memory_bytes": "bytes",
        "rejected_operators": "operators",
    }
)
"""The figures that can have a ceiling, with their units."""

Candidate = TypeVar("Candidate")


@dataclass(frozen=True)
class Target:
    """What candidates are priced for: a device, an input size and the ceilings on their costs.

    table: the device's measured latencies.
    input_size: (height, width) in pixels at which costs are counted, and which the table should have.
    remedy: the command that builds a complete table, for the error if this one lacks keys.
    ceilings: largest values of some of `CEILINGS`.
    delegate: one of the delegates of `mfagan.deploy.tflite.delegates`, whose rules say how many operators it rejects.

    InputError for a ceiling of another name or one that is not a finite number, an unknown delegate, or a ceiling on
    `rejected_operators` without one.
    """

    table: LatencyTable
    input_size: tuple[int, int]
    remedy: str
    ceilings: Mapping[str, float] = field(default_factory=dict)
    delegate: str | None = None

    def __post_init__(self) -> None:
        for name, ceiling in self.ceilings.items():
            if name not in CEILINGS:
                raise InputError(f"ceiling on {name!r}: give one of {', '.join(CEILINGS)}")
            if not math.isfinite(ceiling):
                raise InputError(f"max_{name} is {ceiling}: give a number, or leave it out")
        if self.delegate is not None:
            find_delegate(self.delegate)
        elif "rejected_operators" in self.ceilings:
            raise InputError("a ceiling on rejected operators: name the delegate that rejects them")


@dataclass(frozen=True)
class Measured:
    """What was measured of one candidate: values and scores by objective name, and attributes of its trial."""

    values: Mapping[str, float]
    attributes: Mapping[str, JSON] = field(default_factory=dict)
    scores: Mapping[str, Sequence[float]] = field(default_factory=dict)


class PricedProblem(Problem, Generic[Candidate]):
    """A search problem whose candidates are networks of blocks that a latency table prices.

    A subclass sets `choices` and `objectives`, `LATENCY` among them, and writes `as_candidate`, `blocks`, `measure`
    and `all_blocks`. It calls `check_target` at the end of its `__init__`. `MEMORY` may be an objective too.
    """

    noun: ClassVar[str] = "candidates"
    """What error messages call the candidates, in the plural."""
    block_titles: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """What people read instead of the kinds of blocks, with which their keys begin."""

    def __init__(self, target: Target) -> None:
        """Take over what the candidates are priced for.

        Args:
            target: What the candidates are priced for.
        """
        self.table = target.table
        self.target_size = target.input_size
        self.ceilings = dict(target.ceilings)
        self._remedy = target.remedy
        self._table_sha256 = target.table.sha256
        self._table_machine = TableMachine.of(target.table).to_text()
        self._costs_of_block: dict[str, Costs] = {}
        self.delegate = target.delegate
        self._rewritten_keys: dict[str, str] = {}
        self._rejected: dict[
            str, int
        ] = {}  # key of a rewritten block -> how many operators the delegate rejects

    @abstractmethod
    def as_candidate(self, choice: Choice) -> Candidate:
        """The network that a choice describes, in the system's own terms; it must be cheap.

        Args:
            choice: A value for each of `choices`.

        Raises:
            InputError: The values are not among `choices`.
        """

    @abstractmethod
    def blocks(self, candidate: Candidate) -> Sequence[Block]:
        """The blocks of a candidate at the target size, in the order they run.

        Args:
            candidate: As `as_candidate` gives it.
        """

    @abstractmethod
    def all_blocks(self) -> Iterable[str]:
        """The keys of all blocks that some candidate needs, after the table's passes."""

    @abstractmethod
    def measure(self, candidates: Sequence[Candidate], known: Sequence[Known]) -> Sequence[Measured]:
        """Measure what is not known in advance, such as quality; the candidates of a batch may share work.

        Args:
            candidates: The candidates of one batch.
            known: What `foresee` says of each.

        Returns:
            For each candidate the objectives that `known` lacks. They must not depend on the rest of the batch.
        """

    def facts(self) -> dict[str, JSON]:
        """Attributes that every trial carries; a subclass adds its own, such as the hash of its weights."""
        return {"lut_sha256": self._table_sha256, "lut_machine": self._table_machine}

    def cheapest_candidates(self) -> Iterable[Candidate]:
        """Candidates among which each figure that can have a ceiling takes its least value.

        By default all candidates; a subclass with many names fewer.
        """
        values = itertools.product(*self.choices.values())
        return (self.as_candidate(dict(zip(self.choices, one, strict=True))) for one in values)

    def check_target(self) -> None:
        """Refuse a table without some of the keys, and a ceiling that no candidate meets.

        Raises:
            SearchError: The table lacks keys; the message names the command that builds a complete one.
            InputError: A ceiling is below the least value of all candidates.
        """
        self.table.require(self.all_blocks(), self._remedy)
        if not self.ceilings:
            return
        figures = [
            self._figures(candidate, self.costs(candidate)) for candidate in self.cheapest_candidates()
        ]
        for name, ceiling in self.ceilings.items():
            least = min(one[name] for one in figures)
            if ceiling < least:
                raise InputError(
                    f"max_{name} is {ceiling:g}, but the least of all {self.noun} is {least:.6g} {CEILINGS[name]}; "
                    "raise it"
                )

    def identity(self) -> dict[str, str]:
        """What its values depend on: table, target size, ceilings, and a delegate if any; a subclass adds its own."""
        ceilings = (f"{name} {_exact(self.ceilings[name])}" for name in sorted(self.ceilings))
        identity = {
            "lut_sha256": self._table_sha256,
            "target_size": "{}x{}".format(*self.target_size),
            "ceilings": ", ".join(ceilings) or "none",
        }
        return identity if self.delegate is None else {**identity, "delegate": self.delegate}

    def foresee(self, batch: Sequence[Choice]) -> list[Known]:
        """What is known without measuring: latency, memory if it is an objective, costs and constraints.

        Args:
            batch: Choices.

        Returns:
            One `Known` for each.
        """
        return [self._foresee(self.as_candidate(choice)) for choice in batch]

    def evaluate(self, batch: Sequence[Choice]) -> list[Evaluation]:
        """Each choice's measured values, price, costs and constraints.

        Args:
            batch: Distinct choices.

        Returns:
            One `Evaluation` for each.
        """
        candidates = [self.as_candidate(choice) for choice in batch]
        foreseen = [self._foresee(candidate) for candidate in candidates]
        return self.join(foreseen, self.measure(candidates, foreseen))

    def join(self, foreseen: Sequence[Known], measured: Sequence[Measured]) -> list[Evaluation]:
        """Each candidate's evaluation, from what was foreseen and what was measured of it.

        Args:
            foreseen: What `foresee` says of each.
            measured: What was measured of each.

        Returns:
            One `Evaluation` for each.
        """
        evaluations = []
        for known, found in zip(foreseen, measured, strict=True):
            values = {**known.values, **found.values}
            evaluations.append(
                Evaluation(
                    tuple(values[objective.name] for objective in self.objectives),
                    {**known.attributes, **found.attributes},
                    known.constraints,
                    found.scores,
                )
            )
        return evaluations

    def price(self, candidate: Candidate) -> float:
        """Latency in ms: the sum of the table's figures for the blocks of a candidate.

        Args:
            candidate: As `as_candidate` gives it.
        """
        return self.table.price(self.rewritten_keys(candidate))

    def price_parts(self, candidate: Candidate) -> list[tuple[str, float]]:
        """What a candidate's price is the sum of.

        Args:
            candidate: As `as_candidate` gives it.

        Returns:
            Name and latency in ms of each block, in the order they run.
        """
        names = name_blocks([block.key for block in self.blocks(candidate)], self.block_titles)
        return price_parts(self.table, self.rewritten_keys(candidate), names)

    def count_rejected(self, candidate: Candidate) -> int:
        """How many operators of a candidate the delegate rejects by its rules; 0 without a delegate.

        Args:
            candidate: As `as_candidate` gives it.
        """
        return (
            0 if self.delegate is None else sum(self._rejected[key] for key in self.rewritten_keys(candidate))
        )

    def costs(self, candidate: Candidate) -> Costs:
        """Parameters, MACs, FLOPs and memory of a candidate at the target size.

        Args:
            candidate: As `as_candidate` gives it.
        """
        return sum_block_costs(self.blocks(candidate), self._costs_of_block)

    def rewritten_keys(self, candidate: Candidate) -> list[str]:
        """Keys of a candidate's blocks after the table's passes, in the order they run.

        Args:
            candidate: As `as_candidate` gives it.
        """
        blocks = self.blocks(candidate)
        if not all(block.key in self._rewritten_keys for block in blocks):
            rewritten = rewrite(blocks, self.table.passes).blocks
            self._rewritten_keys |= {old.key: new.key for old, new in zip(blocks, rewritten, strict=True)}
            if self.delegate is not None:
                counts = count_rejected(rewritten, self.delegate)
                self._rejected |= {one.key: n for one, n in zip(rewritten, counts, strict=True)}
        return [self._rewritten_keys[block.key] for block in blocks]

    def _foresee(self, candidate: Candidate) -> Known:
        costs = self.costs(candidate)
        figures = self._figures(candidate, costs)
        values = {LATENCY.name: figures["latency_ms"]}
        if MEMORY in self.objectives:
            values[MEMORY.name] = costs.memory_gb
        constraints = {f"max_{name}": figures[name] - ceiling for name, ceiling in self.ceilings.items()}
        return Known(
            values, {**costs.as_dict(), **self.facts(), **self._delegate_facts(figures)}, constraints
        )

    def _figures(self, candidate: Candidate, costs: Costs) -> dict[str, float]:
        """What can have a ceiling."""
        rejected = self.count_rejected(candidate)
        return {"latency_ms": self.price(candidate), **costs.as_dict(), "rejected_operators": rejected}

    def _delegate_facts(self, figures: Mapping[str, float]) -> dict[str, JSON]:
        if self.delegate is None:
            return {}
        rejected = figures["rejected_operators"]
        return {
            "delegate": self.delegate,
            "delegate_clean": rejected == 0,
            "rejected_operators": rejected,
        }


def _exact(ceiling: float) -> str:
    """Six digits if that is all of the number, as studies have always recorded it, else every digit."""
    short = f"{ceiling:g}"
    return short if float(short) == ceiling else repr(float(ceiling))
