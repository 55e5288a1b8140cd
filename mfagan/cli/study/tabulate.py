"""`mfagan tabulate`: the values of every choice as a table."""

from typing import Annotated

import typer

from mfagan.cli.options import (
    DEFAULT_STORAGE,
    DEFAULT_STUDY,
    OutOption,
    StorageOption,
    StudyOption,
    command_line,
)
from search.commands.result import Result

__all__ = ["tabulate"]


def tabulate(
    out: OutOption,
    storage: StorageOption = DEFAULT_STORAGE,
    study: StudyOption = DEFAULT_STUDY,
    scores: Annotated[
        bool, typer.Option("--scores", help="With each image's scores, to compare races on: an .npz file.")
    ] = False,
) -> Result:
    """Write an exhaustive study's values as a table.

    Samplers are compared on it by `python -m search benchmark`, races by `python -m search.benchmarks.racing`.
    """
    from mfagan.cli.study.systems import find_system
    from mfagan.files import require_place, write_atomic
    from mfagan.latency.priced_problem import LATENCY, MEMORY
    from mfagan.progress import show_bar
    from search.benchmarks.scored import ScoredProblem
    from search.benchmarks.tabular import TabularProblem
    from search.storage.address import check_other_file
    from search.study import load

    check_other_file(out, storage)
    require_place(out)
    with show_bar("tabulate"):
        record = load(storage, study)
    system = find_system(record)
    searched = "mfagan search" if system is None else " ".join(system.command("search"))
    known = () if system is None else system.known_choices(record)
    command = f"{searched} --sampler exhaustive (on what the identity names), then {command_line()}"
    foreseen = [objective.name for objective in record.objectives if objective in (LATENCY, MEMORY)]
    facts = (record, command, foreseen, known)
    if scores:
        write_atomic(out, ScoredProblem.from_record(*facts).to_bytes())
    else:
        write_atomic(out, TabularProblem.from_record(*facts).to_json())
    compare = ["-m", "search.benchmarks.racing"] if scores else ["-m", "search", "benchmark"]
    return Result(
        {"file": str(out), "n_choices": len(record.points)},
        [str(out)],
        [out],
        ["python", *compare, out, "--out", out.with_name(f"{out.stem}-samplers.json")],
    )
