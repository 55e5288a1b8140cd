"""Compare samplers on a table of exact values: `python -m search benchmark TABLE.json --out FILE.json`."""

from __future__ import annotations

import json
import multiprocessing
import statistics
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from search.benchmarks.tabular import TabularProblem
from search.commands.ending import run_function
from search.commands.progress import show_bar
from search.commands.result import Result
from search.errors import SearchError
from search.files import require_place, write_text
from search.pareto import hypervolume, losses
from search.report.text.text_table import text_table

if TYPE_CHECKING:
    from search.benchmarks.competitors import Competitor

__all__ = ["COUNTS", "SamplerScores", "compare", "compare_samplers", "main", "shares", "table_of"]

COUNTS = (50, 100, 200, 500, 1000)
"""Numbers of evaluations at which the shares are taken."""


@dataclass(frozen=True)
class SamplerScores:
    """How one sampler did.

    Attributes:
        name: the sampler.
        ours: whether it is a sampler of this package.
        seeds: how many runs the medians are taken over.
        counts: numbers of evaluations.
        shares: the share of the exact hypervolume, in [0, 1], that was reached at each of `counts`, as a median; None
            if the sampler was not run for that many evaluations.
    """

    name: str
    ours: bool
    seeds: int
    counts: tuple[int, ...]
    shares: tuple[float | None, ...]


def shares(problem: TabularProblem, rows: Sequence[int], counts: Sequence[int]) -> list[float]:
    """Compute which share of the exact hypervolume the first evaluations of a search have reached.

    The reference point is the worst value of each objective over all choices.

    Args:
        problem: the table.
        rows: the rows of the table in the order of their evaluation.
        counts: numbers of evaluations, each at least 1.

    Returns:
        For each of `counts` the share after that many of `rows`, in [0, 1].

    Raises:
        SearchError: no choice is better than the worst values, so the exact hypervolume is 0.
    """
    directions = [objective.direction for objective in problem.objectives]
    table = losses(problem.values, directions)
    minimised = ["minimize"] * table.shape[1]
    worst = table.max(axis=0).tolist()
    exact = hypervolume(table, minimised, worst)
    if exact <= 0:
        raise SearchError(
            "the table's hypervolume is 0, as no choice is better than the worst in every objective: use another table"
        )
    return [hypervolume(table[list(rows[:count])], minimised, worst) / exact for count in counts]


def compare(
    path: Path,
    names: Sequence[str] | None = None,
    *,
    seeds: int = 10,
    counts: Sequence[int] = COUNTS,
    processes: int = 2,
    report: Callable[[int, int, str], None] = lambda done, total, note: None,
) -> list[SamplerScores]:
    """Run samplers on a table, each with the seeds 0 to `seeds` - 1.

    Args:
        path: the table, a file that `TabularProblem.read` can read.
        names: the samplers, keys of `search.benchmarks.competitors.COMPETITORS`, or None for all.
        seeds: runs of each sampler, at least 1; slow samplers have fewer.
        counts: numbers of evaluations at which the shares are taken.
        processes: runs at a time, at least 1.
        report: called after each run with how many are done, how many there are and which it was.

    Returns:
        The scores of each sampler, in the order of `names`.

    Raises:
        SearchError: an unknown name, a bad table, a number out of its range, or missing packages.
    """
    competitors = _import_competitors()
    names = list(competitors if names is None else names)
    for name in names:
        if name not in competitors:
            raise SearchError(
                f"{name!r} is no sampler of the comparison: choose from {', '.join(competitors)}"
            )
    for option, number in (("seeds", seeds), ("processes", processes)):
        if number < 1:
            raise SearchError(f"{option} is {number}: it must be at least 1")
    TabularProblem.read(path)
    tasks = [
        (name, seed) for name in names for seed in range(min(seeds, competitors[name].most_seeds or seeds))
    ]
    found: dict[tuple[str, int], list[float | None]] = {}
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=spawned) as pool:
        running = {pool.submit(_run, path, *task, tuple(counts)): task for task in tasks}
        for done in as_completed(running):
            found[running[done]] = done.result()
            name, seed = running[done]
            report(len(found), len(tasks), f"{name}, seed {seed}")
    return [
        _scores(name, competitors[name].ours, counts, [found[task] for task in tasks if task[0] == name])
        for name in names
    ]


def table_of(rows: Sequence[SamplerScores]) -> str:
    """Lay out scores as a text table.

    Args:
        rows: the scores of samplers, all for the same `counts`.

    Returns:
        A line for each sampler, ours first, with shares in per cent.
    """
    counts = rows[0].counts if rows else COUNTS
    lines = []
    for row in sorted(rows, key=lambda row: not row.ours):
        name = f"{row.name} (ours)" if row.ours else row.name
        texts = ("-" if share is None else f"{100 * share:.2f} %" for share in row.shares)
        lines.append([name, str(row.seeds), *texts])
    return text_table(["sampler", "seeds", *(f"{count:,}" for count in counts)], lines, n_left=1)


def compare_samplers(
    table: Annotated[Path, typer.Argument(help="A tabular benchmark, a JSON file.")],
    out: Annotated[Path, typer.Option(help="The JSON file of shares to write.")],
    seeds: Annotated[int, typer.Option(help="Runs of each sampler.")] = 10,
    only: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Compare this sampler only; repeatable.")
    ] = None,
    processes: Annotated[int, typer.Option(help="Runs at a time.")] = 2,
) -> Result:
    """Compare samplers on a table of exact values."""
    require_place(out, table)
    with show_bar("compare") as report:
        rows = compare(table, only or None, seeds=seeds, processes=processes, report=report)
    result = {
        "table": table.name,
        "measure": "share of the exact hypervolume, medians over seeds; the reference is the worst of all",
        "rows": [asdict(row) for row in rows],
    }
    write_text(out, json.dumps(result, indent=2) + "\n")
    return Result(result, [table_of(rows)], [out])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: its arguments, or None for those of the process.

    Returns:
        The exit status, as `search.commands.ending.run_function` returns it.
    """
    return run_function(compare_samplers, arguments, "python -m search benchmark")


def _import_competitors() -> dict[str, Competitor]:
    try:
        from search.benchmarks.competitors import COMPETITORS
    except ImportError as error:
        raise SearchError(str(error)) from error
    return COMPETITORS


def _run(path: Path, name: str, seed: int, counts: tuple[int, ...]) -> list[float | None]:
    from threadpoolctl import threadpool_limits

    problem = _read(path)
    competitor = _import_competitors()[name]
    reached = [count for count in counts if count <= (competitor.most_trials or count)]
    if not reached:
        return [None] * len(counts)
    with threadpool_limits(1):  # other runs have the other cores
        rows = competitor.search(problem, seed, max(reached))
    found = dict(zip(reached, shares(problem, rows, reached), strict=True))
    return [found.get(count) for count in counts]


_read = cache(TabularProblem.read)


def _scores(
    name: str, ours: bool, counts: Sequence[int], runs: Sequence[Sequence[float | None]]
) -> SamplerScores:
    medians = []
    for column in zip(*runs, strict=True):
        known = [share for share in column if share is not None]
        medians.append(statistics.median(known) if len(known) == len(column) else None)
    return SamplerScores(name, ours, len(runs), tuple(counts), tuple(medians))


if __name__ == "__main__":
    sys.exit(main())
