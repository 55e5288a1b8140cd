"""`mfagan search`: search the widths of a SuperGenerator."""

import logging
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
    name_study,
    read_size,
)
from mfagan.cli.study.limits import (
    LIMITS,
    MaxGflopsOption,
    MaxLatencyOption,
    MaxMemoryOption,
    MaxParamsOption,
)
from mfagan.errors import InputError
from mfagan.sr.shipped import SUPERGENERATOR
from search.commands.command import keeps
from search.commands.result import Result

__all__ = ["run_search"]

if TYPE_CHECKING:
    from search.problem import Problem
    from search.running.settings import SearchSettings

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
    trials: Annotated[
        int | None,
        typer.Option(
            min=1, help="Finished trials the study shall have in all (200; exhaustive: every choice)."
        ),
    ] = None,
    sampler: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="nsga2, front (fewest evaluations), tpe, random, or exhaustive: every choice.",
        ),
    ] = "nsga2",
    max_latency_ms: MaxLatencyOption = None,
    sustained: SustainedOption = False,
    max_params: MaxParamsOption = None,
    max_gflops: MaxGflopsOption = None,
    max_memory_gb: MaxMemoryOption = None,
    delegate: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Count what it rejects: gpu, nnapi, nnapi-int8 or xnnpack.",
            rich_help_panel=LIMITS,
        ),
    ] = None,
    max_rejected: Annotated[
        int | None,
        typer.Option(help="Ceiling on the operators that --delegate rejects.", rich_help_panel=LIMITS),
    ] = None,
    extra_objective: Annotated[
        str | None,
        typer.Option("--objective", metavar="NAME", help="One more objective: memory, or lpips (slow)."),
    ] = None,
    weights: WeightsOption = None,
    population: Annotated[int, typer.Option(min=2, help="Trials of one generation of NSGA-II.")] = 10,
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
    lease: Annotated[
        float, typer.Option(min=1, help="Seconds after which a silent worker's choices go to others.")
    ] = 30,
    race: Annotated[
        float | None,
        typer.Option(
            metavar="ERROR",
            help="Drop a slice before it is scored on every image once a cheaper one is evidently better: "
            "the probability to be wrong, such as 0.05.",
        ),
    ] = None,
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
    from search import pareto
    from search.latency import LatencyTable
    from search.problem import count_choices
    from search.racing.settings import Race
    from search.report.dashboard import show_figures
    from search.report.text.summary import count_front
    from search.running.settings import SearchSettings
    from search.samplers import default_trials
    from search.study import load

    size_px = read_size(size)
    scale = _scale_of(supernet)
    path = find_table(lut, scale)
    table = LatencyTable.read(path)
    table = table.under_load() if sustained else table
    warning = warn_size(table, *size_px, scale)
    if warning:
        logger.warning(warning)
    ceilings = {
        "latency_ms": max_latency_ms,
        "params": max_params,
        "flops": None if max_gflops is None else 1e9 * max_gflops,
        "memory_bytes": None if max_memory_gb is None else 1e9 * max_memory_gb,
        "rejected_operators": max_rejected,
    }
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
        {name: ceiling for name, ceiling in ceilings.items() if ceiling is not None},
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
    settings = SearchSettings(
        n_trials=default_trials(sampler) if trials is None else trials,
        sampler=sampler,
        population=population,
        batch=None,  # a whole generation at once: its choices share the work of their common prefixes
        seed=seed,
        lease_s=lease,
        race=None if race is None else Race(race),
    )
    if race is not None and precision == "bf16":
        raise InputError("--race with --precision bf16: only scores in fp32 can be raced; use fp32")
    _run_study(problem, storage, study, settings)
    record = load(storage, study)
    show_figures(storage, record)
    if record.n_unique_trials == count_choices(problem):
        logger.info("all %d choices are evaluated: the study is complete", record.n_unique_trials)
    dropped = f", {len(record.pruned)} of them dropped early" if record.race is not None else ""
    return Result(
        {
            "study": study,
            "n_trials": record.n_trials,
            "n_pruned": len(record.pruned),
            "n_unique_trials": record.n_unique_trials,
            "n_front": len(pareto.front(record.points, record.objectives)),
        },
        [f"study {study}: {record.n_trials} trials{dropped}, {count_front(record)}"],
        next=["mfagan", "front", *shlex.split(name_study(storage, study)), "--out", "front.html"],
    )


def _run_study(problem: "Problem", storage: str, study: str, settings: "SearchSettings") -> None:
    """Search with a progress bar of the best PSNR."""
    from mfagan.files import require_writable
    from mfagan.progress import show_bar
    from search.study import Progress, run_search

    if storage == DEFAULT_STORAGE:
        require_writable(Path(storage).parent)
    with show_bar("search") as report:

        def show(progress: Progress) -> None:
            best = "" if progress.best is None else f"best {progress.best:.3f} dB"
            if progress.n_dropped:
                best += f", {progress.n_dropped} dropped, {100 * progress.saved:.0f} % of the work saved"
            report(progress.n_finished, progress.n_trials, best)

        run_search(problem, storage, study, settings, show)


def _scale_of(path: Path) -> int:
    from mfagan import checkpoint
    from mfagan.sr.kinds import describe_generator

    return describe_generator(checkpoint.read(path, "mfanet"), path).scale
