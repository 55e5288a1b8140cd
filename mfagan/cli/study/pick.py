"""`mfagan pick`: pick one trial of a study."""

from dataclasses import replace
from typing import Annotated

import typer

from mfagan.cli.options import DEFAULT_STORAGE, DEFAULT_STUDY, OutOption, StorageOption, StudyOption
from mfagan.cli.study.history import Lineage
from search.commands.result import Result

__all__ = ["pick"]


def pick(
    out: OutOption,
    storage: StorageOption = DEFAULT_STORAGE,
    study: StudyOption = DEFAULT_STUDY,
    trial: Annotated[int | None, typer.Option(help="This trial.")] = None,
    max_latency_ms: Annotated[float | None, typer.Option(help="The best PSNR within this latency.")] = None,
    knee: Annotated[bool, typer.Option("--knee", help="The front's knee.")] = False,
) -> Result:
    """Pick one trial of a study and write it as JSON.

    The pick is recorded in the study's history.
    """
    from mfagan.files import require_place
    from mfagan.latency.priced_problem import LATENCY
    from mfagan.sr.study.findings import as_picked
    from search.picking import pick as pick_point
    from search.storage.address import check_other_file, lasting_address
    from search.study import load

    check_other_file(out, storage)
    require_place(out)
    record = load(storage, study)
    at_most = None if max_latency_ms is None else (LATENCY.name, max_latency_ms)
    point = pick_point(record.points, record.objectives, trial=trial, at_most=at_most, knee=knee)
    picked = replace(as_picked(study, point), storage=lasting_address(storage))
    picked.save(out)
    facts = {"widths": list(picked.widths), "psnr_db": picked.psnr_db, "latency_ms": picked.latency_ms}
    Lineage(picked, storage).record("pick", out, None, facts)
    then = ["mfagan", "finetune", out, "--out", out.with_suffix(".safetensors")]
    return Result({"file": str(out), "trial": picked.trial, **facts}, [str(out)], [out], then)
