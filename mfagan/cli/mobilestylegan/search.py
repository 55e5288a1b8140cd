"""`mfagan mobilestylegan search`: search the widths of a student."""

from pathlib import Path
from typing import Annotated

import typer

from mfagan.cli.inception import INCEPTION_HELP
from mfagan.cli.options import (
    DEFAULT_STORAGE,
    DEFAULT_STUDY,
    NAMED_CHECKPOINT,
    DeviceOption,
    SeedOption,
    StorageOption,
    StudyOption,
    SustainedOption,
    WeightsOption,
)
from mfagan.cli.study.limits import MaxGflopsOption, MaxLatencyOption, MaxMemoryOption, MaxParamsOption
from mfagan.cli.study.searching import (
    DelegateOption,
    LeaseOption,
    MaxRejectedOption,
    PopulationOption,
    RaceOption,
    SamplerOption,
    TrialsOption,
    load_extra_scoring,
    make_settings,
    name_ceilings,
    search_study,
)
from mfagan.errors import InputError
from search.commands.command import keeps
from search.commands.result import Result

__all__ = ["run_search"]

SCORING = "What slices are scored on"
"""The heading of the options of the latents."""


@keeps("finished trials are kept, and the same command continues")
def run_search(
    lut: Annotated[Path, typer.Option(help="A table of `mfagan mobilestylegan lut build`.")],
    student: Annotated[
        Path,
        typer.Option(help="The weight-shared student (`supernet.safetensors`).", **NAMED_CHECKPOINT),
    ],
    teacher: Annotated[Path, typer.Option(help="Its teacher.", **NAMED_CHECKPOINT)],
    latents: Annotated[int, typer.Option(min=1, help="How many latents.", rich_help_panel=SCORING)] = 64,
    first_latent: Annotated[
        int, typer.Option(min=0, help="The seed of the first one.", rich_help_panel=SCORING)
    ] = 0,
    storage: StorageOption = DEFAULT_STORAGE,
    study: StudyOption = DEFAULT_STUDY,
    trials: TrialsOption = None,
    sampler: SamplerOption = "nsga2",
    max_latency_ms: MaxLatencyOption = None,
    sustained: SustainedOption = False,
    max_params: MaxParamsOption = None,
    max_gflops: MaxGflopsOption = None,
    max_memory_gb: MaxMemoryOption = None,
    delegate: DelegateOption = None,
    max_rejected: MaxRejectedOption = None,
    extra_objective: Annotated[
        str | None,
        typer.Option(
            "--objective", metavar="NAME", help="One more objective: memory, lpips (slow), or kid (slow)."
        ),
    ] = None,
    weights: WeightsOption = None,
    inception: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help=f"For --objective kid: {INCEPTION_HELP}"),
    ] = None,
    population: PopulationOption = 10,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    lease: LeaseOption = 30,
    race: RaceOption = None,
) -> Result:
    """Search the widths of a weight-shared student by its distance to the teacher and latency.

    KID compares Inception's features of a slice's images with those of the teacher's, of the same latents: a small
    count, at which it is unbiased but varies. It is one value for a slice, so it cannot be raced.

    The same command again continues the study. Run it on several machines with one --storage, and they share the
    study; give each a --seed of its own.
    """
    from mfagan.latency.priced_problem import Target
    from mfagan.mobilestylegan.study.problem import Scoring, StudentProblem, load_shared_student
    from mfagan.mobilestylegan.study.scoring.scorer import Latents
    from mfagan.mobilestylegan.study.table import describe_build, describe_rebuild
    from search.latency import LatencyTable

    if race is not None and extra_objective == "kid":
        raise InputError(
            "--race with --objective kid: KID is of all latents together, not of each; leave out one of them"
        )
    if not lut.is_file():
        raise InputError(f"latency table {lut}: no such file; build it with: {describe_build(student, lut)}")
    table = LatencyTable.read(lut)
    table = table.under_load() if sustained else table
    size = load_shared_student(student).size
    target = Target(
        table,
        (size, size),
        describe_rebuild(table, student),
        name_ceilings(
            max_latency_ms=max_latency_ms,
            max_params=max_params,
            max_gflops=max_gflops,
            max_memory_gb=max_memory_gb,
            max_rejected=max_rejected,
        ),
        delegate,
    )
    scoring = Scoring(
        latents=Latents(latents, first_latent),
        **load_extra_scoring(extra_objective, weights, inception, device),
    )
    problem = StudentProblem(student, teacher, target, scoring, {"lut": str(lut.resolve())})
    settings = make_settings(
        trials=trials, sampler=sampler, population=population, seed=seed, lease=lease, race=race
    )
    return search_study(problem, storage, study, settings)
