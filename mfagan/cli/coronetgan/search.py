"""`mfagan coronetgan search`: search the widths of a translator."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

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

if TYPE_CHECKING:
    from search.latency import LatencyTable

__all__ = ["run_search"]

SCORING = "What slices are scored on"
"""The heading of the options of the pictures."""


@keeps("finished trials are kept, and the same command continues")
def run_search(
    lut: Annotated[Path, typer.Option(help="A table of `mfagan coronetgan lut build`.")],
    supernet: Annotated[
        Path,
        typer.Option(help="The weight-shared translator (`supernet.safetensors`).", **NAMED_CHECKPOINT),
    ],
    data: Annotated[
        Path,
        typer.Option(
            metavar="DIR",
            help="A folder of two domains (trainA trainB testA testB, or train test), one of pictures of the first "
            "domain alone, or `drawings`.",
        ),
    ],
    quality: Annotated[
        Literal["psnr_db", "distance"] | None,
        typer.Option(
            help="PSNR to the targets, or the distance to the unpruned network (default: PSNR of pairs).",
            rich_help_panel=SCORING,
        ),
    ] = None,
    unpruned: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The network that slices are compared with, such as the dense one (default: the full width).",
            rich_help_panel=SCORING,
        ),
    ] = None,
    part: Annotated[
        Literal["val", "test", "train"] | None,
        typer.Option(
            help="The part that is translated (default: val; of a folder without one, what training has held out).",
            rich_help_panel=SCORING,
        ),
    ] = None,
    paired: Annotated[
        bool,
        typer.Option(
            "--paired",
            help="Files of equal names in valA and valB are pairs.",
            rich_help_panel=SCORING,
        ),
    ] = False,
    direction: Annotated[
        Literal["AtoB", "BtoA"] | None,
        typer.Option(
            help="Which domain is translated into which (default: as the network was trained).",
            rich_help_panel=SCORING,
        ),
    ] = None,
    max_images: Annotated[
        int, typer.Option(min=1, help="Translate this many pictures.", rich_help_panel=SCORING)
    ] = 32,
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
    """Search the widths of a weight-shared translator by the quality of its pictures and latency.

    Pictures are resized to the table's size. Batch norms that have running statistics take a slice's own from pictures
    of the training. KID compares Inception's features of a slice's pictures with those of the other domain; it is one
    value for a slice, so it cannot be raced.

    The same command again continues the study. Run it on several machines with one --storage, and they share the
    study; give each a --seed of its own.
    """
    from mfagan import checkpoint
    from mfagan.coronetgan.kinds import direction_of, training_side
    from mfagan.coronetgan.network.statistics import has_running_statistics
    from mfagan.coronetgan.study.networks import load_supernet
    from mfagan.coronetgan.study.problem import Scoring, SliceProblem
    from mfagan.coronetgan.study.scoring.pictures import PictureSource, read_pictures, subject_of
    from mfagan.coronetgan.study.table import describe_build, describe_rebuild
    from mfagan.latency.priced_problem import Target
    from mfagan.progress import show_bar
    from search.latency import LatencyTable

    if race is not None and extra_objective == "kid":
        raise InputError(
            "--race with --objective kid: KID is of all pictures together, not of each; leave out one of them"
        )
    network, found = load_supernet(supernet), checkpoint.read(supernet)
    if not lut.is_file():
        raise InputError(
            f"latency table {lut}: no such file; build it with: "
            f"{describe_build(supernet, training_side(found, network), lut)}"
        )
    table = LatencyTable.read(lut)
    side = _require_square(table)
    network.require_size(side, side)
    scoring = Scoring(
        quality=quality,
        **load_extra_scoring(extra_objective, weights, inception, device),
    )
    target = Target(
        table.under_load() if sustained else table,
        (side, side),
        describe_rebuild(table, supernet, side),
        name_ceilings(
            max_latency_ms=max_latency_ms,
            max_params=max_params,
            max_gflops=max_gflops,
            max_memory_gb=max_memory_gb,
            max_rejected=max_rejected,
        ),
        delegate,
    )
    source = PictureSource(
        data, part, paired, direction or direction_of(found), max_images, subject_of(found)
    )
    pictures = read_pictures(source, side, has_running_statistics(network), show_bar)
    sources = {"lut": str(lut.resolve()), **source.to_texts()}
    problem = SliceProblem(supernet, pictures, target, scoring, unpruned, sources)
    settings = make_settings(
        trials=trials, sampler=sampler, population=population, seed=seed, lease=lease, race=race
    )
    return search_study(problem, storage, study, settings)


def _require_square(table: "LatencyTable") -> int:
    height, width = table.input_size
    if height != width:
        raise InputError(
            f"latency table: it is for pictures of {height}x{width} px, and a search translates squares; build "
            "one with --size PX"
        )
    return height
