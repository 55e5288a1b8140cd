"""`mfagan tabulate`: the values of every choice as a table."""

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
) -> Result:
    """Write an exhaustive study's values as a table.

    Samplers are compared on it by `python -m search benchmark`.
    """
    from mfagan.files import require_place, write_atomic
    from mfagan.latency.priced_problem import LATENCY, MEMORY
    from mfagan.progress import show_bar
    from mfagan.sr.study.problem import SubGeneratorProblem
    from search.benchmarks.tabular import TabularProblem
    from search.storage.address import check_other_file
    from search.study import load

    check_other_file(out, storage)
    require_place(out)
    with show_bar("tabulate"):
        record = load(storage, study)
    table = TabularProblem.from_record(
        record,
        f"mfagan search --sampler exhaustive (on what the identity names), then {command_line()}",
        [objective.name for objective in record.objectives if objective in (LATENCY, MEMORY)],
        SubGeneratorProblem.known_choices,
    )
    write_atomic(out, table.to_json())
    return Result(
        {"file": str(out), "n_choices": len(table.values)},
        [str(out)],
        [out],
        ["python", "-m", "search", "benchmark", out, "--out", out.with_name(f"{out.stem}-samplers.json")],
    )
