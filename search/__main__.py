"""The command `python -m search run MODULE:FUNCTION`: search anybody's Problem."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from search import pareto, samplers, study
from search.errors import SearchError
from search.files import write_text
from search.problem import Objective, Problem, check_problem, count_choices, format_value
from search.report import dashboard, html_page
from search.storage.address import check_other_file


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise SearchError(f"{message}; see python -m search run --help")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status: 0, 2 for bad input, 130 when interrupted."""
    try:
        options = _parser().parse_args(arguments)
        _search(options)
    except SearchError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("error: interrupted; what has finished is kept, the same command continues", file=sys.stderr)
        return 130
    return 0


def load_problem(spec: str) -> Problem:
    """The Problem that FUNCTION of `MODULE:FUNCTION` returns; SearchError where there is none."""
    module_name, colon, function_name = spec.partition(":")
    if not (module_name and colon and function_name):
        raise SearchError(f"{spec!r} does not name a problem: write MODULE:FUNCTION, such as toy:build")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        module = importlib.import_module(module_name)
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise SearchError(
            f"module {module_name!r} of {spec!r} cannot be imported ({reason}): mend it"
        ) from None
    function = getattr(module, function_name, None)
    if not callable(function):
        raise SearchError(f"module {module_name!r} has no function {function_name!r}: check {spec!r}")
    problem = function()
    if not isinstance(problem, Problem):
        raise SearchError(f"{spec} returned {problem!r}: it must return a search.problem.Problem")
    return problem


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m search", description=__doc__)
    run = parser.add_subparsers(required=True, metavar="COMMAND").add_parser(
        "run", help="search a problem, or continue a search; prints the Pareto front"
    )
    run.add_argument(
        "problem", metavar="MODULE:FUNCTION", help="a function that returns a search.problem.Problem"
    )
    run.add_argument(
        "--storage", required=True, help="an SQLite file, journal://FILE, grpc://HOST:PORT or a database URL"
    )
    run.add_argument("--study", required=True, help="the study's name in the storage")
    run.add_argument(
        "--trials", type=int, help="finished trials of the study in all (200; every choice when exhaustive)"
    )
    run.add_argument(
        "--sampler", default="nsga2", choices=samplers.NAMES, help="how choices are drawn (nsga2)"
    )
    run.add_argument("--population", type=int, default=10, help="trials of one generation of NSGA-II (10)")
    run.add_argument("--batch", type=int, default=10, help="choices evaluated together (10)")
    run.add_argument(
        "--lease",
        type=float,
        default=30,
        help="seconds after which a silent worker's choices go to others (30)",
    )
    run.add_argument("--seed", type=int, default=0, help="the same seed makes the same trials (0)")
    run.add_argument("--out", type=Path, help="write the front page, an HTML file, here")
    return parser


def _search(options: argparse.Namespace) -> None:
    out: Path | None = options.out
    if out is not None and (out.is_dir() or not out.parent.is_dir() or not os.access(out.parent, os.W_OK)):
        raise SearchError(
            f"--out {out} cannot be written: name a file in a folder that exists and is writable"
        )
    if out is not None:
        check_other_file(out, options.storage)
    problem = load_problem(options.problem)
    check_problem(problem)
    if out is not None and len(problem.objectives) < 2:
        raise SearchError(
            f"--out {out}: a page of the front needs 2 objectives, there is 1; leave --out away"
        )
    _run_with_bar(problem, options)
    record = study.load(options.storage, options.study)
    dashboard.show_front(options.storage, record)
    if record.n_unique_trials == count_choices(problem):
        print(f"every one of the {record.n_unique_trials} choices is evaluated: the study is at its end")
    print(_front_table(record))
    if out is not None:
        write_text(out, html_page.front_page(record))
        print(f"wrote {out}")


def _run_with_bar(problem: Problem, options: argparse.Namespace) -> None:
    columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()]
    with Bar(*columns, TextColumn("{task.fields[best]}"), console=Console(stderr=True)) as bar:
        tasks = []

        def report(progress: study.Progress) -> None:
            best = _best_text(problem.objectives[0], progress.best)
            if not tasks:  # begun here, so that trials of an earlier run do not count as speed
                tasks.append(
                    bar.add_task("search", total=progress.n_trials, completed=progress.n_finished, best=best)
                )
            bar.update(tasks[0], completed=progress.n_finished, best=best)

        study.run(
            problem,
            options.storage,
            options.study,
            samplers.default_trials(options.sampler) if options.trials is None else options.trials,
            sampler=options.sampler,
            population=options.population,
            batch=options.batch,
            seed=options.seed,
            lease_s=options.lease,
            report=report,
        )


def _best_text(objective: Objective, best: float | None) -> str:
    return "" if best is None else f"best {objective.name} {format_value(best)} {objective.unit}".rstrip()


def _front_table(record: study.StudyRecord) -> str:
    front = pareto.front(record.points, record.objectives)
    heads = ["trial", *(objective.label for objective in record.objectives), *record.choices]
    rows = [[str(p.number), *map(format_value, p.values), *map(str, p.choice.values())] for p in front]
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    lines = ["  ".join(text.rjust(w) for text, w in zip(row, widths, strict=True)) for row in [heads, *rows]]
    summary = (
        f"{record.n_trials} finished trials, {record.n_unique_trials} distinct, {len(front)} on the front"
    )
    return "\n".join([summary, *lines])


if __name__ == "__main__":
    sys.exit(main())
