"""The ablation command: what each part of the method brings, as tables."""

import logging
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mfagan.cli.options import (
    TRAINING_KEPT,
    DeviceOption,
    ManyImagesOption,
    MaxStepsOption,
    SeedOption,
    ValidationOption,
    VggOption,
    WeightsOption,
    find_lpips,
    open_run,
)
from mfagan.errors import InputError
from search.commands.command import keeps
from search.commands.result import Result

__all__ = [
    "ablate",
    "pick_front",
]

if TYPE_CHECKING:
    from mfagan.sr.experiments.ranking import Slice
    from mfagan.sr.network.widths import Widths

logger = logging.getLogger(__name__)

TABLES = ("compression", "sampling", "discriminator", "slices", "peers")


@keeps(f"tables that were written stay; {TRAINING_KEPT}")
def ablate(
    recipe: Annotated[str, typer.Argument(help="A recipe's name or file, such as reduced.")],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="The folder for checkpoints and tables.")],
    table: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help=f"{', '.join(TABLES)} (repeatable; default: all)."),
    ] = None,
    images: ManyImagesOption = None,
    validation: ValidationOption = None,
    test: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FOLDER",
            help="A folder of images whose figures are in the tables compression and discriminator too (repeatable); "
            "nothing is chosen on them.",
        ),
    ] = None,
    vgg: VggOption = None,
    weights: WeightsOption = None,
    device: DeviceOption = "auto",
    seed: SeedOption = 0,
    max_steps: MaxStepsOption = None,
) -> Result:
    """Train and tabulate the paper's ablations and our comparisons.

    The same command resumes an interrupted run.

    compression: the paper's Table 1. sampling: how a SuperGenerator's widths are drawn. discriminator: figure 6.
    slices: against the same widths from scratch. peers: against other authors' networks.
    """
    from mfagan.evaluation.candidates import read_image_sets
    from mfagan.evaluation.experiments.reports import write_report
    from mfagan.files import require_place, require_writable
    from mfagan.sr.experiments import ablation, comparison
    from mfagan.sr.training.run import SRRunOptions, prepare_run
    from mfagan.sr.training.stages import read_recipe

    for name in table or ():
        if name not in TABLES:
            raise InputError(f"table {name!r}: choose from {', '.join(TABLES)}")
    settings = read_recipe(recipe)
    require_writable(out)
    for name in table or TABLES:
        for suffix in (".md", ".json"):
            require_place(out / f"{name}{suffix}")
    lpips = find_lpips(weights)
    options = SRRunOptions(
        out,
        device,
        seed,
        max_steps=max_steps,
        images=images or ["embedded"],
        validation=validation,
        vgg=vgg,
    )
    run = open_run(prepare_run, settings, options)
    tests = read_image_sets(test or (), settings.scale, bars=run.bars)
    slices = cache(lambda: comparison.pick_slices(run, pick_front))  # scored once for both tables
    make = {
        "compression": lambda: ablation.ablate_compression(run, lpips, tests),
        "sampling": lambda: ablation.compare_sampling(run),
        "discriminator": lambda: ablation.compare_discriminators(run, lpips, tests),
        "slices": lambda: comparison.compare_slices(run, slices()),
        "peers": lambda: comparison.compare_peers(run, slices()),
    }
    texts, facts, files = [], {}, []
    for name in TABLES:
        if table and name not in table:
            continue
        found = make[name]()
        if not run.fabric.is_global_zero:
            continue
        texts.append(write_report(found, out, run.options.command))
        facts[name] = found.as_dict(run.options.command)
        files += [out / f"{name}.md", out / f"{name}.json"]
        logger.info("wrote %s", files[-2])
    return Result({"tables": facts} if facts else {}, texts, files)


def pick_front(slices: "Sequence[Slice]", n: int) -> "list[Widths]":
    """Pick slices along the front of PSNR and FLOPs.

    Args:
        slices: scored slices.
        n: how many to pick at most.

    Returns:
        The widths, from the cheapest slice to the best, evenly spread along the front.
    """
    from search.pareto import front_mask

    mask = front_mask([(one.psnr_db, one.flops) for one in slices], ("maximize", "minimize"))
    front = sorted((one for one, kept in zip(slices, mask, strict=True) if kept), key=lambda one: one.flops)
    places = {round(i * (len(front) - 1) / max(1, n - 1)) for i in range(n)}
    return [front[i].widths for i in sorted(places)]
