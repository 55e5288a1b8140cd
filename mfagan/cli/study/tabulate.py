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

__all__ = ["tabulate"]


def tabulate(
    out: OutOption,
    storage: StorageOption = DEFAULT_STORAGE,
    study: StudyOption = DEFAULT_STUDY,
    scores: Annotated[
        bool, typer.Option("--scores", help="With each image's scores, to compare races on: an .npz file.")
    ] = False,
) -> None:
    """Write an exhaustive study's values as a table to compare samplers on (`python -m search benchmark`)."""
    from mfagan.files import require_place, write_atomic
    from mfagan.latency.priced_problem import LATENCY, MEMORY
    from mfagan.sr.study.problem import SubGeneratorProblem
    from search.benchmarks.scored import ScoredProblem
    from search.benchmarks.tabular import TabularProblem
    from search.storage.address import check_other_file
    from search.study import load

    check_other_file(out, storage)
    require_place(out)
    record = load(storage, study)
    command = f"mfagan search --sampler exhaustive (on what the identity names), then {command_line()}"
    foreseen = [objective.name for objective in record.objectives if objective in (LATENCY, MEMORY)]
    facts = (record, command, foreseen, SubGeneratorProblem.known_choices)
    if scores:
        write_atomic(out, ScoredProblem.from_record(*facts).to_bytes())
    else:
        write_atomic(out, TabularProblem.from_record(*facts).to_json())
    print(out)
