"""Measure what a search costs beside its evaluations: `python -m search overhead TABLE.json --out FILE.json`.

A whole table is searched in memory, where an evaluation is a look-up. Samplers take turns; the round of the median
ratio is reported for each.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from operator import attrgetter
from pathlib import Path
from typing import Annotated

import typer

from search.benchmarks.tabular import TabularProblem
from search.commands.ending import run_function
from search.commands.progress import show_bar
from search.commands.result import Result
from search.files import require_place, write_text
from search.problem import Choice, Evaluation
from search.report.text.text_table import text_table

__all__ = ["AIM_MS", "AIM_RATIO", "SAMPLERS", "Overhead", "main", "measure", "measure_overhead"]
__all__ += ["median_of", "table_of"]

SAMPLERS = ("nsga2", "random", "exhaustive")
AIM_MS, AIM_RATIO = 5.0, 2.0
_ROUNDS = 5


@dataclass(frozen=True)
class Overhead:
    """The overhead of one sampler over all choices of a table.

    Attributes:
        sampler: its name.
        mean_ms: overhead per trial in ms, on average.
        first_ms: the same over the first thousand trials.
        last_ms: the same over the last thousand trials.
    """

    sampler: str
    mean_ms: float
    first_ms: float
    last_ms: float

    @property
    def ratio(self) -> float:
        """The last thousand's overhead divided by the first's."""
        return self.last_ms / self.first_ms


class _Timed(TabularProblem):
    """Records when batches come and how long their look-ups take."""

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
    """Search every choice of a table in memory.

    Args:
        table: a file that `TabularProblem.read` can read.
        sampler: one of `search.samplers.NAMES`.

    Returns:
        The sampler's overhead.

    Raises:
        SearchError: a bad table, or an unknown sampler.
    """
    from optuna.storages import InMemoryStorage

    from search.study import run

    problem = _Timed.read(table)
    problem.start()
    run(problem, InMemoryStorage(), "overhead", None, sampler=sampler)
    total_s = time.perf_counter() - problem.began - problem.evaluating_s
    n_trials = problem.space.size
    some = max(1, min(1000, n_trials // 2))
    first_s = next((s for n, s in problem.marks if n >= some), total_s)
    last_s = total_s - next((s for n, s in problem.marks if n >= n_trials - some), 0.0)
    return Overhead(
        sampler, *(1e3 * s / n for s, n in ((total_s, n_trials), (first_s, some), (last_s, some)))
    )


def median_of(rounds: Sequence[Overhead]) -> Overhead:
    """Choose the round of the median ratio: one pause of the machine is as long as hundreds of trials.

    Args:
        rounds: repeated measurements of one sampler, at least one.

    Returns:
        One of them.
    """
    return sorted(rounds, key=attrgetter("ratio"))[len(rounds) // 2]


def table_of(rows: Sequence[Overhead]) -> str:
    """Lay out overheads as a text table.

    Args:
        rows: one measurement for each sampler.

    Returns:
        A line for each of them, which ends with whether the aim is met.
    """
    heads = ["overhead per trial, in memory", "mean", "first", "last thousand", "ratio", ""]
    lines = []
    for row in rows:
        met = "met" if row.mean_ms < AIM_MS and row.ratio <= AIM_RATIO else "missed"
        figures = [f"{ms:.2f} ms" for ms in (row.mean_ms, row.first_ms, row.last_ms)]
        lines.append([row.sampler, *figures, f"{row.ratio:.2f}", f"aim {AIM_MS:g} ms, {AIM_RATIO:g}x: {met}"])
    return text_table(heads, lines, n_left=1)


def measure_overhead(
    table: Annotated[Path, typer.Argument(help="A tabular benchmark, a JSON file.")],
    out: Annotated[Path, typer.Option(help="The JSON file of figures to write.")],
) -> Result:
    """Measure what a search costs beside its evaluations."""
    require_place(out, table)
    rounds: list[list[Overhead]] = []
    with show_bar("overhead") as report:
        for number in range(_ROUNDS):
            rounds.append([])
            for sampler in SAMPLERS:
                rounds[-1].append(measure(table, sampler))
                report(number * len(SAMPLERS) + len(rounds[-1]), _ROUNDS * len(SAMPLERS), sampler)
    rows = [median_of(measured) for measured in zip(*rounds, strict=True)]
    found = [asdict(row) for row in rows]
    write_text(out, json.dumps(found, indent=2) + "\n")
    return Result({"samplers": found}, [table_of(rows)], [out])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: its arguments, or None for those of the process.

    Returns:
        The exit status, as `search.commands.ending.run_function` returns it.
    """
    return run_function(measure_overhead, arguments, "python -m search overhead")


if __name__ == "__main__":
    sys.exit(main())
