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
from search.commands.command import add_command, keeps
from search.commands.ending import run_command
from search.commands.help_page import Group
from search.commands.progress import hide_bars, show_bar
from search.commands.result import Result
from search.errors import SearchError
from search.files import require_place, write_text
from search.samplers import NAMES, default_trials

if TYPE_CHECKING:
    from search.problem import Objective, Point, Problem
    from search.study import Progress, SearchSettings, StudyRecord

__all__ = ["load_problem", "main"]

app = typer.Typer(
    cls=Group,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Multi-objective search over any space of discrete choices.",
    epilog="SEARCH_DEBUG=1 in the environment shows the traceback of an error.",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command of `python -m search`.

    Args:
        arguments: its arguments, or None for those of the process.

    Returns:
        The exit status, as `search.commands.ending.run_command` returns it.
    """
    return run_command(app, arguments, "python -m search")


@keeps("what has finished is kept, and the same command continues")
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
) -> Result:
    """Search a problem, or continue a search; print the Pareto front."""
    from search import pareto
    from search.checking.problems import check_problem
    from search.problem import count_choices
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
    dashboard.show_figures(storage, record)
    front = pareto.front(record.points, record.objectives)
    complete = record.n_unique_trials == count_choices(built)
    lines = [f"all {record.n_unique_trials} choices are evaluated: the study is complete"] if complete else []
    lines.append(_front_table(record, front))
    if out is not None:
        write_text(out, html_page.front_page(record, description=built.describe(front)))
        lines.append(f"wrote {out}")
    names = [objective.name for objective in record.objectives]
    facts = {
        "study": study,
        "n_trials": record.n_trials,
        "n_unique_trials": record.n_unique_trials,
        "complete": complete,
        "front": [
            {
                "trial": one.number,
                "values": dict(zip(names, one.values, strict=True)),
                "choice": dict(one.choice),
            }
            for one in front
        ],
    }
    return Result(facts, lines, [] if out is None else [out])


for _name, _function in (
    ("run", run_problem),
    ("benchmark", compare.compare_samplers),
    ("overhead", overhead.measure_overhead),
    ("races", racing.measure_races),
):
    add_command(app, _name, _function, silence=hide_bars)


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
    from search.study import run_search

    with show_bar("search") as move:

        def report(progress: Progress) -> None:
            best = _best_text(problem.objectives[0], progress.best)
            move(progress.n_finished, progress.n_trials, best)

        run_search(problem, storage, study, settings, report)


def _best_text(objective: Objective, best: float | None) -> str:
    from search.report.text.point_text import format_value

    return "" if best is None else f"best {objective.name} {format_value(best)} {objective.unit}".rstrip()


def _front_table(record: StudyRecord, front: Sequence[Point]) -> str:
    from search.report.text.point_text import format_value
    from search.report.text.summary import count_front
    from search.report.text.text_table import text_table

    heads = ["trial", *(objective.label for objective in record.objectives), *record.choices]
    rows = [[str(p.number), *map(format_value, p.values), *map(str, p.choice.values())] for p in front]
    dropped = f", {len(record.pruned)} dropped early" if record.race is not None else ""
    counts = f"{record.n_trials} finished trials{dropped}, {record.n_unique_trials} distinct"
    return f"{counts}, {count_front(record)}\n{text_table(heads, rows)}"


if __name__ == "__main__":
    sys.exit(main())
