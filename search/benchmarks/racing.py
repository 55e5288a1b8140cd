"""Measure what races save and what they lose: `python -m search races TABLE.npz --out FILE.json`."""

from __future__ import annotations

import itertools
import json
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

from search.benchmarks.compare import shares
from search.benchmarks.scored import ScoredProblem
from search.commands.ending import run_function
from search.commands.progress import show_bar
from search.commands.result import Result
from search.errors import SearchError
from search.files import require_place, write_text
from search.pareto import front
from search.racing.settings import Race
from search.report.text.text_table import text_table

__all__ = ["AIM_SAVED", "AIM_SHARE", "ERRORS", "SEARCHES", "RaceScores", "main", "measure"]
__all__ += ["measure_races", "table_of"]

ERRORS = (None, 0.01, 0.05, 0.2)
"""Error probabilities; None is a search without a race."""
SEARCHES = (("exhaustive", None), ("nsga2", 500), ("front", 100))
"""Samplers and their numbers of trials."""
AIM_SAVED, AIM_SHARE = 0.5, 0.999


@dataclass(frozen=True)
class RaceScores:
    """How one sampler did with one error probability, as medians over the seeds.

    Attributes:
        sampler: its name.
        n_trials: finished trials.
        error_probability: of the race, or None for a search without one.
        seeds: how many searches.
        saved: the share of the scores that was left out, in [0, 1].
        share: the share of the hypervolume that the search without a race reaches with the same seed.
        least_share: the least of these shares.
        exact_share: the share of the exact hypervolume of the table.
        front_share: the share of the front of the search without a race that is on that of the race.
    """

    sampler: str
    n_trials: int
    error_probability: float | None
    seeds: int
    saved: float
    share: float
    least_share: float
    exact_share: float
    front_share: float


def measure(
    problem: ScoredProblem,
    sampler: str,
    n_trials: int | None,
    errors: Sequence[float | None] = ERRORS,
    *,
    seeds: Sequence[int] = (0, 1, 2),
    report: Callable[[str], None] = lambda line: None,
) -> list[RaceScores]:
    """Search a table with races of several error probabilities, and without one.

    Args:
        problem: the table.
        sampler: one of `search.samplers.NAMES`.
        n_trials: finished trials of each search, None for every choice.
        errors: error probabilities, None for a search without a race.
        seeds: one search for each.
        report: called with a line of text after each search.

    Returns:
        The scores for each of `errors`.

    Raises:
        SearchError: bad settings, or a table without a front.
    """
    if not seeds:
        raise SearchError("there are no seeds: give at least 1")
    searches: dict[tuple[float | None, int], _Search] = {}
    for seed in seeds:
        for error in dict.fromkeys((None, *errors)):
            # Only what a race leaves out of an exhaustive search depends on the seed.
            known = searches.get((None, seeds[0])) if error is None and sampler == "exhaustive" else None
            searches[error, seed] = known or _search(problem, sampler, n_trials, error, seed)
            report(f"{sampler}, error {error}, seed {seed}: {100 * searches[error, seed].saved:.1f} % saved")
    rows = []
    for error in errors:
        raced = [searches[error, seed] for seed in seeds]
        whole = [searches[None, seed] for seed in seeds]
        kept = [one.share / other.share for one, other in zip(raced, whole, strict=True)]
        on_front = [
            len(one.front & other.front) / len(other.front) for one, other in zip(raced, whole, strict=True)
        ]
        rows.append(
            RaceScores(
                sampler,
                raced[0].n_trials,
                error,
                len(seeds),
                statistics.median(one.saved for one in raced),
                statistics.median(kept),
                min(kept),
                statistics.median(one.share for one in raced),
                statistics.median(on_front),
            )
        )
    return rows


@dataclass(frozen=True)
class _Search:
    n_trials: int
    saved: float
    share: float
    front: frozenset[int]  # rows of the table


def _search(
    problem: ScoredProblem, sampler: str, n_trials: int | None, error: float | None, seed: int
) -> _Search:
    from optuna.storages import InMemoryStorage

    from search.study import load, run

    storage = InMemoryStorage()
    race = None if error is None else Race(error)
    run(problem, storage, "race", n_trials, sampler=sampler, seed=seed, batch=None, race=race)
    record = load(storage, "race")
    n_scores = len(problem.cases) * len(record.points) + sum(len(point.cases) for point in record.pruned)
    rows = [problem.row(point.choice) for point in record.points]
    (share,) = shares(problem, rows, [len(rows)])
    best = front(record.points, record.objectives)
    saved = 1 - n_scores / (len(problem.cases) * record.n_trials)
    return _Search(record.n_trials, saved, share, frozenset(problem.row(point.choice) for point in best))


def table_of(rows: Sequence[RaceScores]) -> str:
    """Lay out scores as a text table.

    Args:
        rows: the scores of samplers and error probabilities.

    Returns:
        A line for each of them, in per cent; those of races end with whether the aim is met.
    """
    heads = ["sampler", "trials", "error", "seeds", "work saved", "hypervolume kept", "least", "of the exact"]
    lines = []
    for row in rows:
        error = "no race" if row.error_probability is None else f"{100 * row.error_probability:g} %"
        shown = (row.saved, row.share, row.least_share, row.exact_share, row.front_share)
        met = "met" if row.saved >= AIM_SAVED and row.share >= AIM_SHARE else "missed"
        texts = [f"{100 * one:.{1 if i in (0, 4) else 2}f} %" for i, one in enumerate(shown)]
        met = "" if row.error_probability is None else met
        lines.append([row.sampler, f"{row.n_trials:,}", error, str(row.seeds), *texts, met])
    return text_table([*heads, "front kept", ""], lines, n_left=1)


def measure_races(
    table: Annotated[Path, typer.Argument(help="A table of scores, as mfagan tabulate --scores makes it.")],
    out: Annotated[Path, typer.Option(help="The JSON file of figures to write.")],
    seeds: Annotated[int, typer.Option(min=1, help="Searches for each line.")] = 3,
    first_seed: Annotated[int, typer.Option(min=0, help="The first of the seeds.")] = 0,
) -> Result:
    """Measure what races save and what they lose on a table of scores."""
    require_place(out, table)
    problem = ScoredProblem.read(table)
    rows: list[RaceScores] = []
    done, total = itertools.count(1), len(SEARCHES) * len(ERRORS) * seeds
    with show_bar("races") as report:
        for sampler, n_trials in SEARCHES:
            rows += measure(
                problem,
                sampler,
                n_trials,
                seeds=range(first_seed, first_seed + seeds),
                report=lambda line: report(next(done), total, line),
            )
    found = [asdict(row) for row in rows]
    write_text(out, json.dumps(found, indent=2) + "\n")
    aim = f"aim: {100 * AIM_SAVED:g} % of the work saved, {100 * AIM_SHARE:g} % of the hypervolume kept"
    return Result({"races": found}, [table_of(rows), aim], [out])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: its arguments, or None for those of the process.

    Returns:
        The exit status, as `search.commands.ending.run_function` returns it.
    """
    return run_function(measure_races, arguments, "python -m search races")


if __name__ == "__main__":
    sys.exit(main())
