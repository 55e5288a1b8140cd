"""`mfagan search`: search the widths of a SuperGenerator."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from mfagan.cli.options import (
    DEFAULT_STORAGE,
    DEFAULT_STUDY,
    NAMED_TABLE,
    SHIPPED_CHECKPOINT,
    DeviceOption,
    ImagesOption,
    SeedOption,
    SizeOption,
    StorageOption,
    StudyOption,
    SustainedOption,
    WeightsOption,
    find_lpips,
    read_size,
)
from mfagan.cli.study.limits import (
    MaxGflopsOption,
    MaxLatencyOption,
    MaxMemoryOption,
    MaxParamsOption,
)
from mfagan.cli.study.searching import (
    DelegateOption,
    LeaseOption,
    MaxRejectedOption,
    PopulationOption,
    RaceOption,
    SamplerOption,
    TrialsOption,
    make_settings,
    name_ceilings,
    search_study,
)
from mfagan.errors import InputError
from mfagan.sr.shipped import SUPERGENERATOR
from search.commands.command import keeps
from search.commands.result import Result

__all__ = ["run_search"]


logger = logging.getLogger(__name__)


@keeps("finished trials are kept, and the same command continues")
def run_search(
    lut: Annotated[
        str, typer.Option(help="A latency table: a file, or the name of a shipped one.", **NAMED_TABLE)
    ],
    supernet: Annotated[
        Path,
        typer.Option(
            help="The SuperGenerator's checkpoint, or the name of a shipped one.", **SHIPPED_CHECKPOINT
        ),
    ] = SUPERGENERATOR,
    images: ImagesOption = "embedded",
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
        typer.Option("--objective", metavar="NAME", help="One more objective: memory, or lpips (slow)."),
    ] = None,
    weights: WeightsOption = None,
    population: PopulationOption = 10,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    precision: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="fp32, or bf16: faster, with all that could be on a generation's front scored again in fp32.",
        ),
    ] = "fp32",
    size: SizeOption = "128x128",
    crop: Annotated[
        int | None, typer.Option(help="Score on the centre of each image, this many HR pixels a side.")
    ] = None,
    crops: Annotated[
        int, typer.Option(min=1, help="With --crop: score on this many crops of each image, not its centre.")
    ] = 1,
    max_images: Annotated[int | None, typer.Option(help="Score on the first images alone.")] = None,
    lease: LeaseOption = 30,
    race: RaceOption = None,
) -> Result:
    """Search the widths of a SuperGenerator by PSNR-Y and latency.

    The same command again continues the study. Run it on several machines with one --storage, and they share the
    study; give each a --seed of its own.
    """
    from mfagan import checkpoint
    from mfagan.data.splits import read_pairs
    from mfagan.devices import choose_device
    from mfagan.latency.priced_problem import Target
    from mfagan.latency.tables import describe_rebuild, find_table, warn_size
    from mfagan.progress import show_bar
    from mfagan.sr.study.problem import Scoring, SubGeneratorProblem
    from mfagan.sr.study.scoring.bf16_scoring import require_precision
    from mfagan.sr.study.sources import name_sources
    from search.latency import LatencyTable

    size_px = read_size(size)
    scale = _scale_of(supernet)
    path = find_table(lut, scale)
    table = LatencyTable.read(path)
    table = table.under_load() if sustained else table
    warning = warn_size(table, *size_px, scale)
    if warning:
        logger.warning(warning)
    scoring = Scoring(
        choose_device(device),
        require_precision(precision),
        extra_objective,
        find_lpips(weights) if extra_objective == "lpips" else None,
    )
    target = Target(
        table,
        size_px,
        describe_rebuild(table, size_px, scale, path),
        name_ceilings(
            max_latency_ms=max_latency_ms,
            max_params=max_params,
            max_gflops=max_gflops,
            max_memory_gb=max_memory_gb,
            max_rejected=max_rejected,
        ),
        delegate,
    )
    pairs = read_pairs(
        images,
        scale,
        max_images,
        crop,
        record=checkpoint.read(supernet).record,
        crops_per_image=crops,
        bars=show_bar,
    )
    problem = SubGeneratorProblem(
        supernet, pairs, target, scoring, name_sources(path, images, max_images, crop, crops)
    )
    settings = make_settings(
        trials=trials, sampler=sampler, population=population, seed=seed, lease=lease, race=race
    )
    if race is not None and precision == "bf16":
        raise InputError("--race with --precision bf16: only scores in fp32 can be raced; use fp32")
    return search_study(problem, storage, study, settings)


def _scale_of(path: Path) -> int:
    from mfagan import checkpoint
    from mfagan.sr.kinds import describe_generator

    return describe_generator(checkpoint.read(path, "mfanet"), path).scale
