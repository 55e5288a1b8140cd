"""Samplers compared on a table of exact values, and any Problem offered to Optuna's own samplers.

python -m search.benchmarks.compare TABLE.json --out FILE.json
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import statistics
import sys
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.samplers import BaseSampler, GPSampler, NSGAIISampler, RandomSampler, TPESampler
from optuna.study import StudyDirection
from threadpoolctl import threadpool_limits

from search.benchmarks.ofa_evolution import evolve
from search.benchmarks.tabular import TabularProblem
from search.errors import SearchError
from search.files import write_text
from search.pareto import hypervolume, losses
from search.problem import Evaluation, Point, Problem, check_problem
from search.samplers.base import Key, Sampler
from search.samplers.front import Front
from search.samplers.nsga2 import NSGA2

try:
    from optunahub.benchmarks import BaseProblem
    from pymoo.algorithms.moo.nsga2 import NSGA2 as PymooNSGA2
    from pymoo.core.problem import Problem as PymooProblem
    from pymoo.operators.crossover.sbx import SBX
    from pymoo.operators.mutation.pm import PM
    from pymoo.operators.repair.rounding import RoundingRepair
    from pymoo.optimize import minimize
except ImportError as error:
    raise ImportError(f"{error}: the comparison needs pip install 'mfagan[benchmark]'") from error

COUNTS = (50, 100, 200, 500, 1000)
"""Evaluations at which the shares are taken."""


class HubProblem(BaseProblem):
    """Any Problem as an OptunaHub benchmark: `study.optimize(HubProblem(problem))` runs it with any sampler.

    The constraints of an evaluation are set on the trial. Each choice is evaluated once, alone.
    """

    def __init__(self, problem: Problem) -> None:
        """SearchError: what check_problem refuses."""
        check_problem(problem)
        self._problem = problem
        self._score = cache(self._score_key)

    @property
    def search_space(self) -> dict[str, BaseDistribution]:
        """A categorical distribution for each choice."""
        return {name: CategoricalDistribution(tuple(v)) for name, v in self._problem.choices.items()}

    @property
    def directions(self) -> list[StudyDirection]:
        """Of the objectives, in their order."""
        return [StudyDirection[objective.direction.upper()] for objective in self._problem.objectives]

    def evaluate(self, params: dict[str, Any]) -> float | tuple[float, ...]:
        """The values in the order of the objectives; a number where there is one objective."""
        values = self._score(self._key(params)).values
        return values[0] if len(values) == 1 else values

    def evaluate_constraints(self, params: dict[str, Any]) -> dict[str, float]:
        """The constraints by name, met where <= 0."""
        return dict(self._score(self._key(params)).constraints)

    def _key(self, params: dict[str, Any]) -> Key:
        return tuple(params[name] for name in self._problem.choices)

    def _score_key(self, key: Key) -> Evaluation:
        return self._problem.evaluate([dict(zip(self._problem.choices, key, strict=True))])[0]


Search = Callable[[TabularProblem, int, int], Sequence[int]]
"""(problem, seed, n_trials) -> rows of the table in the order of their evaluation, repeats included."""


@dataclass(frozen=True)
class Competitor:
    """A way to search. `most_trials` and `most_seeds` bound what is too slow to run as often as the others."""

    search: Search
    ours: bool = False
    most_trials: int | None = None
    most_seeds: int | None = None


@dataclass(frozen=True)
class SamplerScores:
    """How one sampler did: `shares` of the exact hypervolume at each of `counts` evaluations, medians of `seeds`.

    None stands where a sampler was not run for that many evaluations.
    """

    name: str
    ours: bool
    seeds: int
    counts: tuple[int, ...]
    shares: tuple[float | None, ...]


def drive(make: Callable[[Problem], Sampler]) -> Search:
    """One of our samplers as a study runs it, without a storage: the known choices first, nothing twice."""

    def search(problem: TabularProblem, seed: int, n_trials: int) -> list[int]:
        sampler = make(problem)
        known = [sampler.space.key(choice) for choice in problem.known_choices if sampler.starts_known]
        points: list[Point] = []
        history: tuple[Point, ...] = ()
        taken: dict[Key, None] = {}
        for draw in range(min(n_trials, sampler.space.size)):
            if draw % sampler.generation == 0:
                history = tuple(points)
            if draw < len(known):
                key = known[draw]
            else:
                key = sampler.draw(history, taken, np.random.default_rng((seed, draw)))
            taken[key] = None
            choice = sampler.space.choice(key)
            points.append(Point(draw, choice, problem.evaluate([choice])[0].values))
        return [problem.place(point.choice) for point in points]

    return search


def _optuna(make: Callable[[int], BaseSampler]) -> Search:
    """One of Optuna's own samplers; the known choices are enqueued."""

    def search(problem: TabularProblem, seed: int, n_trials: int) -> list[int]:
        hub = HubProblem(problem)
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            study = optuna.create_study(directions=hub.directions, sampler=make(seed))
            for choice in problem.known_choices:
                study.enqueue_trial(dict(choice))
            study.optimize(hub, n_trials=n_trials)
        return [problem.place(trial.params) for trial in study.trials]

    return search


def _pymoo(problem: TabularProblem, seed: int, n_trials: int) -> list[int]:
    """pymoo's NSGA-II with its operators for integers; the known choices are in its first population of 100."""
    shape = np.array([len(options) for options in problem.space.options])
    table = losses(problem.values, [objective.direction for objective in problem.objectives])
    rows: list[int] = []

    class Integers(PymooProblem):
        def __init__(self) -> None:
            super().__init__(n_var=len(shape), n_obj=table.shape[1], xl=0, xu=shape - 1, vtype=int)

        def _evaluate(self, x: np.ndarray, out: dict[str, Any], *args: Any, **kwargs: Any) -> None:
            found = np.atleast_1d(np.ravel_multi_index(tuple(x.astype(int).T), tuple(shape)))
            rows.extend(found.tolist())
            out["F"] = table[found]

    size = 100
    start = np.random.default_rng(seed).integers(0, shape, size=(size, len(shape)))
    known = [np.unravel_index(problem.place(choice), tuple(shape)) for choice in problem.known_choices]
    if known:
        start[: len(known)] = known[:size]
    operators = {"eta": 3.0, "vtype": float, "repair": RoundingRepair()}
    algorithm = PymooNSGA2(
        pop_size=size,
        sampling=start,  # pyright: ignore[reportArgumentType]
        crossover=SBX(prob=1.0, **operators),
        mutation=PM(prob=1.0, **operators),
    )
    minimize(Integers(), algorithm, ("n_eval", n_trials), seed=seed, verbose=False)
    return rows[:n_trials]


def _ofa(problem: TabularProblem, seed: int, n_trials: int) -> list[int]:
    return evolve(problem, n_trials, np.random.default_rng(seed))


COMPETITORS: dict[str, Competitor] = {
    "nsga2": Competitor(drive(NSGA2), ours=True),
    "front": Competitor(drive(Front), ours=True),
    "optuna-nsga2": Competitor(_optuna(lambda seed: NSGAIISampler(seed=seed))),
    "optuna-tpe": Competitor(_optuna(lambda seed: TPESampler(seed=seed))),
    "optuna-gp": Competitor(_optuna(lambda seed: GPSampler(seed=seed)), most_trials=200, most_seeds=3),
    "optuna-random": Competitor(_optuna(lambda seed: RandomSampler(seed=seed))),
    "pymoo-nsga2": Competitor(_pymoo),
    "ofa-evolution": Competitor(_ofa),
}
"""Ours first. A choice that comes again is an evaluation spent; all get the known choices."""


def shares(problem: TabularProblem, rows: Sequence[int], counts: Sequence[int]) -> list[float]:
    """The parts of the exact hypervolume that the first `counts` of `rows` have, in [0, 1].

    The reference is the worst value of each objective over all choices.
    """
    directions = [objective.direction for objective in problem.objectives]
    table = losses(problem.values, directions)
    minimised = ["minimize"] * table.shape[1]
    worst = table.max(axis=0).tolist()
    exact = hypervolume(table, minimised, worst)
    if exact <= 0:
        raise SearchError(
            "the table's hypervolume is 0: no choice is better than the worst in every objective"
        )
    return [hypervolume(table[list(rows[:count])], minimised, worst) / exact for count in counts]


def compare(
    path: Path,
    names: Sequence[str] = tuple(COMPETITORS),
    seeds: int = 10,
    counts: Sequence[int] = COUNTS,
    processes: int = 2,
    report: Callable[[str], None] = lambda line: None,
) -> list[SamplerScores]:
    """Run competitors on the table in `path` with seeds 0 to `seeds` - 1; `report` gets a line for each run.

    Raises SearchError for a name that is no competitor, a bad table, or fewer than one seed.
    """
    for name in names:
        if name not in COMPETITORS:
            raise SearchError(f"{name!r} is no sampler of the comparison: choose of {', '.join(COMPETITORS)}")
    if seeds < 1:
        raise SearchError(f"seeds is {seeds}: it must be at least 1")
    TabularProblem.read(path)
    tasks = [
        (name, seed) for name in names for seed in range(min(seeds, COMPETITORS[name].most_seeds or seeds))
    ]
    found: dict[tuple[str, int], list[float | None]] = {}
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=spawned) as pool:
        running = {pool.submit(_run, path, *task, tuple(counts)): task for task in tasks}
        for done in as_completed(running):
            found[running[done]] = done.result()
            name, seed = running[done]
            report(f"{len(found)}/{len(tasks)} {name}, seed {seed}")
    return [_row(name, counts, [found[task] for task in tasks if task[0] == name]) for name in names]


def table_of(rows: Sequence[SamplerScores]) -> str:
    """The rows as text, ours first, in per cent of the exact hypervolume."""
    counts = rows[0].counts if rows else COUNTS
    lines = [["sampler", "seeds", *(f"{count:,}" for count in counts)]]
    for row in sorted(rows, key=lambda row: not row.ours):
        name = f"{row.name} (ours)" if row.ours else row.name
        texts = ("-" if share is None else f"{100 * share:.2f} %" for share in row.shares)
        lines.append([name, str(row.seeds), *texts])
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join(
        line[0].ljust(widths[0])
        + "".join(f"  {text.rjust(width)}" for text, width in zip(line[1:], widths[1:], strict=True))
        for line in lines
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status: 0, or 2 for bad input."""
    try:
        options = _parser().parse_args(arguments)
        rows = compare(
            options.table,
            tuple(options.only or COMPETITORS),
            options.seeds,
            processes=options.processes,
            report=lambda line: print(line, file=sys.stderr, flush=True),
        )
        result = {
            "table": options.table.name,
            "measure": "share of the exact hypervolume, medians over seeds; the reference is the worst of all",
            "rows": [asdict(row) for row in rows],
        }
        print(table_of(rows))
        write_text(options.out, json.dumps(result, indent=2) + "\n")
    except SearchError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise SearchError(f"{message}; see python -m search.benchmarks.compare --help")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m search.benchmarks.compare", description="Compare samplers on a table of exact values."
    )
    parser.add_argument("table", type=Path, help="a tabular benchmark, a JSON file")
    parser.add_argument("--out", type=Path, required=True, help="write the shares, a JSON file, here")
    parser.add_argument("--seeds", type=int, default=10, help="runs of each sampler [10]")
    parser.add_argument("--only", action="append", metavar="NAME", help=f"one of {', '.join(COMPETITORS)}")
    parser.add_argument("--processes", type=int, default=2, help="runs at a time [2]")
    return parser


def _run(path: Path, name: str, seed: int, counts: tuple[int, ...]) -> list[float | None]:
    problem = _read(path)
    competitor = COMPETITORS[name]
    reached = [count for count in counts if count <= (competitor.most_trials or count)]
    if not reached:
        return [None] * len(counts)
    with threadpool_limits(1):  # other runs have the other cores
        rows = competitor.search(problem, seed, max(reached))
    found = dict(zip(reached, shares(problem, rows, reached), strict=True))
    return [found.get(count) for count in counts]


_read = cache(TabularProblem.read)


def _row(name: str, counts: Sequence[int], runs: Sequence[Sequence[float | None]]) -> SamplerScores:
    columns = zip(*runs, strict=True)
    medians = (None if None in column else statistics.median(column) for column in columns)  # type: ignore[type-var]
    return SamplerScores(name, COMPETITORS[name].ours, len(runs), tuple(counts), tuple(medians))


if __name__ == "__main__":
    sys.exit(main())
