"""What a search costs beside its evaluations: python -m search.benchmarks.overhead TABLE.json --out FILE.json.

A whole table is searched in memory, where an evaluation is a look-up. Samplers take turns; medians of the rounds.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from operator import attrgetter
from pathlib import Path

from optuna.storages import InMemoryStorage

from search.benchmarks.tabular import TabularProblem
from search.errors import SearchError
from search.files import write_text
from search.problem import Choice, Evaluation
from search.study import run

SAMPLERS = ("nsga2", "random", "exhaustive")
AIM_MS, AIM_RATIO = 5.0, 2.0
_ROUNDS = 5


@dataclass(frozen=True)
class Overhead:
    """Of one sampler over all choices, in ms a trial: on average, and in the first and the last thousand."""

    sampler: str
    mean_ms: float
    first_ms: float
    last_ms: float

    @property
    def ratio(self) -> float:
        """The last thousand's overhead against the first's."""
        return self.last_ms / self.first_ms


class _Timed(TabularProblem):
    """Notes when batches come and how long their look-ups take."""

    def start(self) -> None:
        self.began = time.perf_counter()
        self.evaluating_s = 0.0
        self.marks: list[tuple[int, float]] = [(0, 0.0)]  # trials so far, overhead in s before them

    def evaluate(self, batch: Sequence[Choice]) -> list[Evaluation]:
        start = time.perf_counter()
        self.marks.append((self.marks[-1][0] + len(batch), start - self.began - self.evaluating_s))
        found = super().evaluate(batch)
        self.evaluating_s += time.perf_counter() - start
        return found


def measure(table: Path, sampler: str) -> Overhead:
    """Search every choice of the table in memory; SearchError for a bad table or sampler."""
    problem = _Timed.read(table)
    problem.start()
    run(problem, InMemoryStorage(), "overhead", None, sampler=sampler)
    total_s = time.perf_counter() - problem.began - problem.evaluating_s
    n_trials = problem.space.size
    some = min(1000, n_trials // 2)
    first_s = next(s for n, s in problem.marks if n >= some)
    last_s = total_s - next(s for n, s in problem.marks if n >= n_trials - some)
    return Overhead(
        sampler, *(1e3 * s / n for s, n in ((total_s, n_trials), (first_s, some), (last_s, some)))
    )


def median_of(turns: Sequence[Overhead]) -> Overhead:
    """The turn of the median ratio: one pause of the machine is as long as hundreds of trials."""
    return sorted(turns, key=attrgetter("ratio"))[len(turns) // 2]


def table_of(rows: Sequence[Overhead]) -> str:
    """The rows as text."""
    lines = [
        f"{'overhead per trial, in memory':<30}{'mean':>10}{'first':>10}{'last thousand':>16}{'ratio':>8}"
    ]
    for row in rows:
        met = "met" if row.mean_ms < AIM_MS and row.ratio <= AIM_RATIO else "missed"
        lines.append(
            f"{row.sampler:<30}{row.mean_ms:>7.2f} ms{row.first_ms:>7.2f} ms{row.last_ms:>13.2f} ms"
            f"{row.ratio:>8.2f}  aim {AIM_MS:g} ms, {AIM_RATIO:g}x: {met}"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status: 0, or 2 for bad input."""
    parser = argparse.ArgumentParser(prog="python -m search.benchmarks.overhead", description=__doc__)
    parser.add_argument("table", type=Path, help="a tabular benchmark, a JSON file")
    parser.add_argument("--out", type=Path, required=True, help="write the figures, a JSON file, here")
    options = parser.parse_args(arguments)
    try:
        rounds = [[measure(options.table, sampler) for sampler in SAMPLERS] for _ in range(_ROUNDS)]
        rows = [median_of(turns) for turns in zip(*rounds, strict=True)]
        print(table_of(rows))
        write_text(options.out, json.dumps([asdict(row) for row in rows], indent=2) + "\n")
    except SearchError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
