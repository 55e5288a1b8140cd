"""The commands of `python -m search`: search a problem of your own, compare samplers, measure the overhead."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from search.benchmarks import compare, overhead, racing
from search.command import run_command
from search.errors import SearchError
from search.files import require_place, write_text
from search.samplers import NAMES, default_trials

if TYPE_CHECKING:
    from search.problem import Objective, Problem
    from search.study import Progress, SearchSettings, StudyRecord

__all__ = ["load_problem", "main"]

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Multi-objective search over any space of discrete choices.",
    epilog="SEARCH_DEBUG=1 in the environment shows the traceback of an error.",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command of `python -m search`.

    Args:
        arguments: its arguments, or None for those of the process.

    Returns:
        The exit status, as `search.command.run_command` returns it.
    """
    return run_command(app, arguments, "python -m search")


@app.command("run")
def run_problem(
    problem: Annotated[
        str,
        typer.Argument(metavar="MODULE:FUNCTION", help="A function that returns a search.problem.Problem."),
    ],
    storage: Annotated[
        str, typer.Option(help="An SQLite file, journal://FILE, grpc://HOST:PORT or a database URL.")
    ],
    study: Annotated[str, typer.Option(help="The study's name in the storage.")],
    trials: Annotated[
        int | None,
        typer.Option(help="Finished trials of the study in total (200; every choice when exhaustive)."),
    ] = None,
    sampler: Annotated[str, typer.Option(help=f"How choices are drawn: {', '.join(NAMES)}.")] = "nsga2",
    population: Annotated[int, typer.Option(help="Trials of one generation of NSGA-II.")] = 10,
    batch: Annotated[int, typer.Option(help="Choices that are evaluated together.")] = 10,
    lease: Annotated[
        float, typer.Option(help="Seconds after which a silent worker's choices go to others.")
    ] = 30,
    seed: Annotated[int, typer.Option(help="The same seed gives the same trials.")] = 0,
    race: Annotated[
        float | None,
        typer.Option(
            metavar="ERROR",
            help="Drop a choice before it is scored on every case once a cheaper one is evidently better: "
            "the probability to be wrong, such as 0.05.",
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The front page to write, an HTML file.")] = None,
) -> None:
    """Search a problem, or continue a search; print the Pareto front."""
    from search.problem import count_choices
    from search.problem_checks import check_problem
    from search.racing.settings import Race
    from search.report import dashboard, html_page
    from search.study import SearchSettings, load

    settings = SearchSettings(
        n_trials=default_trials(sampler) if trials is None else trials,
        sampler=sampler,
        population=population,
        batch=batch,
        seed=seed,
        lease_s=lease,
        race=None if race is None else Race(race),
    )
    built = load_problem(problem)
    check_problem(built)
    if out is not None:
        _check_page(out, storage, built)
    _run_with_bar(built, storage, study, settings)
    record = load(storage, study)
    dashboard.show_front(storage, record)
    if record.n_unique_trials == count_choices(built):
        print(f"all {record.n_unique_trials} choices are evaluated: the study is complete")
    print(_front_table(record))
    if out is not None:
        write_text(out, html_page.front_page(record))
        print(f"wrote {out}")


app.command("benchmark")(compare.compare_samplers)
app.command("overhead")(overhead.measure_overhead)
app.command("races")(racing.measure_races)


def load_problem(spec: str) -> Problem:
    """Build the problem that a command names.

    Args:
        spec: `MODULE:FUNCTION`; the module is looked for in the working folder first.

    Returns:
        What the function returns.

    Raises:
        SearchError: there is no such module or function, the module cannot be imported, or the function does not
            return a Problem.
    """
    from search.problem import Problem

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
            f"module {module_name!r} of {spec!r} cannot be imported ({reason}): correct it"
        ) from error
    function = getattr(module, function_name, None)
    if not callable(function):
        raise SearchError(f"module {module_name!r} has no function {function_name!r}: check {spec!r}")
    try:
        problem = function()
    except Exception as error:
        error.add_note(f"raised by {spec}")
        raise
    if not isinstance(problem, Problem):
        raise SearchError(f"{spec} returned {problem!r}: it must return a search.problem.Problem")
    return problem


def _check_page(out: Path, storage: str, problem: Problem) -> None:
    from search.storage.address import check_other_file

    if len(problem.objectives) < 2:
        raise SearchError(
            f"--out {out}: a page of the front needs 2 objectives, there is 1; run without --out"
        )
    check_other_file(out, storage)
    require_place(out)


def _run_with_bar(problem: Problem, storage: str, study: str, settings: SearchSettings) -> None:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    from search.study import run_search

    columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()]
    with Bar(*columns, TextColumn("{task.fields[best]}"), console=Console(stderr=True)) as bar:
        tasks = []

        def report(progress: Progress) -> None:
            best = _best_text(problem.objectives[0], progress.best)
            if not tasks:  # added here, so that trials of an earlier run do not count as speed
                total, completed = progress.n_trials, progress.n_finished
                tasks.append(bar.add_task("search", total=total, completed=completed, best=best))
            bar.update(tasks[0], completed=progress.n_finished, best=best)

        run_search(problem, storage, study, settings, report)


def _best_text(objective: Objective, best: float | None) -> str:
    from search.report.point_text import format_value

    return "" if best is None else f"best {objective.name} {format_value(best)} {objective.unit}".rstrip()


def _front_table(record: StudyRecord) -> str:
    from search import pareto
    from search.report.point_text import format_value
    from search.report.text_table import text_table

    front = pareto.front(record.points, record.objectives)
    heads = ["trial", *(objective.label for objective in record.objectives), *record.choices]
    rows = [[str(p.number), *map(format_value, p.values), *map(str, p.choice.values())] for p in front]
    dropped = f", {len(record.pruned)} dropped early" if record.race is not None else ""
    summary = (
        f"{record.n_trials} finished trials{dropped}, {record.n_unique_trials} distinct,"
        f" {len(front)} on the front"
    )
    return f"{summary}\n{text_table(heads, rows)}"


if __name__ == "__main__":
    sys.exit(main())
