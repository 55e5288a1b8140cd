"""`mfagan pick`: pick one trial of a study."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from mfagan.cli.options import (
    DEFAULT_STORAGE,
    DEFAULT_STUDY,
    NAMED_CHECKPOINT,
    StorageOption,
    StudyOption,
)
from mfagan.cli.study.by_eye import write_comparisons
from mfagan.cli.study.history import Lineage
from mfagan.cli.study.limits import (
    MaxDistanceOption,
    MaxGflopsOption,
    MaxLatencyOption,
    MaxMemoryOption,
    MaxParamsOption,
    MinPsnrOption,
    read_limits,
    read_weights,
)
from mfagan.errors import InputError
from search.commands.result import Result

__all__ = ["pick"]

BY_EYE = "By eye"
"""The heading of the options for blind comparisons."""


def pick(
    out: Annotated[Path | None, typer.Option(help="The file to write.")] = None,
    storage: StorageOption = DEFAULT_STORAGE,
    study: StudyOption = DEFAULT_STUDY,
    trial: Annotated[int | None, typer.Option(help="Pick this trial.")] = None,
    knee: Annotated[bool, typer.Option("--knee", help="Pick the knee of the front.")] = False,
    one_standard_error: Annotated[
        bool,
        typer.Option(
            "--one-standard-error", help="Pick the cheapest within one standard error of the best quality."
        ),
    ] = False,
    weigh: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=WEIGHT",
            help="Pick the best weighted sum of objectives, such as psnr_db=1 with latency_ms=0.5 (repeatable).",
        ),
    ] = None,
    max_latency_ms: MaxLatencyOption = None,
    max_params: MaxParamsOption = None,
    max_gflops: MaxGflopsOption = None,
    max_memory_gb: MaxMemoryOption = None,
    min_psnr_db: MinPsnrOption = None,
    max_distance: MaxDistanceOption = None,
    by_eye: Annotated[
        Path | None,
        typer.Option(
            metavar="PAGE",
            help="Write a page of blind comparisons instead, an HTML file; it saves the file for --answers.",
            rich_help_panel=BY_EYE,
        ),
    ] = None,
    comparisons: Annotated[
        int, typer.Option(min=5, max=500, help="How many comparisons the page makes.", rich_help_panel=BY_EYE)
    ] = 20,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the comparisons.", rich_help_panel=BY_EYE)] = 0,
    answers: Annotated[
        Path | None,
        typer.Option(
            help="Pick the cheapest that looks as good as the best, by the answers that the page saved.",
            rich_help_panel=BY_EYE,
        ),
    ] = None,
    supernet: Annotated[
        Path | None,
        typer.Option(
            "--supernet",
            "--student",
            help="The study's weight-shared network, if it has moved.",
            rich_help_panel=BY_EYE,
            **NAMED_CHECKPOINT,
        ),
    ] = None,
    teacher: Annotated[
        Path | None,
        typer.Option(
            "--teacher",
            "--unpruned",
            metavar="FILE",
            help="The study's teacher or unpruned network, if it has moved.",
            rich_help_panel=BY_EYE,
        ),
    ] = None,
    images: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER", help="The study's images, if they have moved.", rich_help_panel=BY_EYE
        ),
    ] = None,
) -> Result:
    """Pick one trial of a study, say why, and write it as JSON.

    The pick is recorded in the study's history.

    Ceilings on costs alone give the best quality under them, a limit on the quality alone the lowest latency; with
    --knee, --one-standard-error, --weigh, --by-eye or --answers they restrict what is picked among.
    """
    from mfagan.cli.study.systems import require_system
    from mfagan.files import require_place
    from mfagan.study.opened import Given
    from search.picking import choose
    from search.preference.answers import read_answers
    from search.preference.choosing import choose_by_eye
    from search.storage.address import check_other_file, lasting_address
    from search.study import load

    limits = read_limits(
        max_latency_ms=max_latency_ms,
        max_params=max_params,
        max_gflops=max_gflops,
        max_memory_gb=max_memory_gb,
        min_psnr_db=min_psnr_db,
        max_distance=max_distance,
    )
    chosen_otherwise = trial is not None or knee or one_standard_error or bool(weigh)
    if by_eye is not None:
        if chosen_otherwise or answers is not None or out is not None:
            raise InputError(
                "--by-eye writes a page and picks nothing yet: leave --out and other criteria out"
            )
        check_other_file(by_eye, storage)
        require_place(by_eye)
        given = Given(supernet, None, images, teacher)
        command = write_comparisons(by_eye, (storage, study), given, limits, comparisons, seed)
        lines = [str(by_eye), "open it and save its answers"]
        return Result({"file": str(by_eye)}, lines, [by_eye], shlex.split(command))
    if out is None:
        raise InputError("give --out FILE, to write the pick, or --by-eye PAGE, to compare by eye first")
    check_other_file(out, storage)
    require_place(out)
    record = load(storage, study)
    if answers is not None:
        if chosen_otherwise:
            raise InputError(
                "--answers is a criterion of its own: leave the others out, but for ceilings and a floor"
            )
        found = choose_by_eye(record, read_answers(answers, record), limits)
    else:
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
    system = require_system(record)
    picked = system.as_picked(study, found.point).with_reason(lasting_address(storage), found.reason)
    picked.save(out)
    facts = picked.facts()
    Lineage(picked, storage).record("pick", out, None, facts)
    then = system.command("finetune", out, "--out", out.with_suffix(".safetensors"))
    answer = {"file": str(out), "trial": picked.trial, "reason": found.reason, **facts}
    return Result(answer, [str(out), found.reason], [out], then)
