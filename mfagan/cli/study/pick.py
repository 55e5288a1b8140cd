"""`mfagan pick`: pick one trial of a study."""

from dataclasses import replace
from typing import Annotated

import typer

from mfagan.cli.options import DEFAULT_STORAGE, DEFAULT_STUDY, OutOption, StorageOption, StudyOption
from mfagan.cli.study.history import Lineage
from mfagan.cli.study.limits import (
    MaxGflopsOption,
    MaxLatencyOption,
    MaxMemoryOption,
    MaxParamsOption,
    MinPsnrOption,
    read_limits,
    read_weights,
)

__all__ = ["pick"]


def pick(
    out: OutOption,
    storage: StorageOption = DEFAULT_STORAGE,
    study: StudyOption = DEFAULT_STUDY,
    trial: Annotated[int | None, typer.Option(help="This trial.")] = None,
    knee: Annotated[bool, typer.Option("--knee", help="The front's knee.")] = False,
    one_standard_error: Annotated[
        bool,
        typer.Option(
            "--one-standard-error", help="The cheapest within one standard error of the best PSNR-Y."
        ),
    ] = False,
    weigh: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=WEIGHT",
            help="The best weighted sum of objectives, such as psnr_db=1 with latency_ms=0.5 (repeatable).",
        ),
    ] = None,
    max_latency_ms: MaxLatencyOption = None,
    max_params: MaxParamsOption = None,
    max_gflops: MaxGflopsOption = None,
    max_memory_gb: MaxMemoryOption = None,
    min_psnr_db: MinPsnrOption = None,
) -> None:
    """Pick one trial of a study, say why, write it as JSON and record it in the study's history.

    Ceilings alone give the best PSNR-Y under them, a floor alone the lowest latency; with --knee,
    --one-standard-error or --weigh they restrict what is picked among.
    """
    from mfagan.files import require_place
    from mfagan.sr.study.findings import as_picked
    from search.picking import choose
    from search.storage.address import check_other_file, lasting_address
    from search.study import load

    check_other_file(out, storage)
    require_place(out)
    limits = read_limits(
        max_latency_ms=max_latency_ms,
        max_params=max_params,
        max_gflops=max_gflops,
        max_memory_gb=max_memory_gb,
        min_psnr_db=min_psnr_db,
    )
    record = load(storage, study)
    found = choose(
        record.points,
        record.objectives,
        trial=trial,
        limits=limits,
        knee=knee,
        weights=read_weights(weigh) if weigh else None,
        one_standard_error=one_standard_error,
        cases=record.cases,
    )
    picked = replace(as_picked(study, found.point), storage=lasting_address(storage), reason=found.reason)
    picked.save(out)
    facts = {"widths": list(picked.widths), "psnr_db": picked.psnr_db, "latency_ms": picked.latency_ms}
    Lineage(picked, storage).record("pick", out, None, facts)
    print(found.reason)
    print(out)
