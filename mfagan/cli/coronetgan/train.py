"""`mfagan coronetgan train`: translators that are pruned to a ratio while they train, and what to compare them with."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mfagan.cli.options import (
    IMAGES,
    TRAINING_KEPT,
    DeviceOption,
    MaxStepsOption,
    MinutesOption,
    RestartOption,
    SeedOption,
    TermsOption,
    open_run,
    report_stop,
    start_clock,
)
from mfagan.errors import InputError
from search.commands.command import keeps
from search.commands.result import Result

if TYPE_CHECKING:
    from mfagan.coronetgan.training.run import TranslationRun

__all__ = ["train"]

PRUNING = "Pruning"


@keeps(TRAINING_KEPT)
def train(
    recipe: Annotated[str, typer.Argument(help="demo, pix2pix, cyclegan, or a TOML file.")],
    data: Annotated[
        str,
        typer.Option(
            metavar="FOLDER",
            help="A folder with trainA trainB testA testB, or train and test of A and B side by side; or `drawings`.",
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="The folder to write checkpoints into.")],
    ratio: Annotated[
        float | None,
        typer.Option(
            help="The share of the multiply-accumulates that shall be left, above 0 and at most 1.",
            rich_help_panel=PRUNING,
        ),
    ] = None,
    stage: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Run this stage alone (repeatable): dense, uniform, search, pruned, supernet, magnitude, distilled "
            "(default: search, pruned).",
        ),
    ] = None,
    model: Annotated[
        Literal["pix2pix", "cyclegan"] | None,
        typer.Option(help="What is trained (default: as the recipe says)."),
    ] = None,
    paired: Annotated[
        bool,
        typer.Option(
            "--paired", help="Files of equal names in trainA and trainB are pairs.", rich_help_panel=IMAGES
        ),
    ] = False,
    direction: Annotated[
        Literal["AtoB", "BtoA"] | None,
        typer.Option(
            help="Which pictures are translated (default: as the recipe says).", rich_help_panel=IMAGES
        ),
    ] = None,
    init: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="An experiment: start the search, or a weight-shared network, from a trained translator (for CycleGAN "
            "give two).",
            rich_help_panel=PRUNING,
        ),
    ] = None,
    mask: Annotated[
        Literal["search", "bake"] | None,
        typer.Option(
            help="Whether masks have effect in the search, or at its end alone as published (default: as the recipe "
            "says).",
            rich_help_panel=PRUNING,
        ),
    ] = None,
    round_to: Annotated[
        int | None, typer.Option(help="Make widths multiples of this.", rich_help_panel=PRUNING)
    ] = None,
    gamma: Annotated[
        float | None,
        typer.Option(help="Latents shrink by this times the learning rate.", rich_help_panel=PRUNING),
    ] = None,
    tau: Annotated[
        float | None, typer.Option(help="Smaller entries of latents are pruned.", rich_help_panel=PRUNING)
    ] = None,
    device: DeviceOption = "auto",
    seed: SeedOption = 0,
    max_steps: MaxStepsOption = None,
    minutes: MinutesOption = None,
    terms: TermsOption = "",
    restart: RestartOption = False,
) -> Result:
    """Train pix2pix or CycleGAN, and prune the generators to a ratio on the way.

    How many steps the ratio needs, and how much memory, is said before training starts. The same command again goes on
    where an interrupted one stopped. Several devices: `torchrun --nproc-per-node N -m mfagan coronetgan train ...`.
    """
    from mfagan.coronetgan.training import stages as training
    from mfagan.coronetgan.training.recipe import change_recipe, read_recipe
    from mfagan.coronetgan.training.run import RATIO_STAGES, prepare_run
    from mfagan.files import require_place, require_writable
    from mfagan.training.run import RunOptions
    from mfagan.training.time_limit import Stopped

    limit = start_clock(minutes)
    given = {
        "model": model,
        "direction": direction,
        "mask": mask,
        "round_to": round_to,
        "gamma": gamma,
        "tau": tau,
    }
    settings = change_recipe(
        read_recipe(recipe), {name: value for name, value in given.items() if value is not None}
    )
    names = training.check_stages(settings.model, stage)
    if ratio is None and any(name in RATIO_STAGES for name in names):
        raise InputError(
            "give --ratio, the share of the multiply-accumulates that shall be left, such as 0.5"
        )
    starting = [name for name in names if name in training.STARTING]
    if init and not starting:
        raise InputError(
            f"--init: no stage of {', '.join(names)} starts from a given file; leave it out, or name "
            f"{' or '.join(training.STARTING)}"
        )
    options = RunOptions(require_writable(out), device, seed, restart, max_steps, terms=terms, limit=limit)
    for name in names:
        for file in training.stage_files(name, settings.model).values():
            require_place(out / file, *(init or ()))
    run = open_run(
        prepare_run, settings, options, data=data, ratio=1.0 if ratio is None else ratio, paired=paired
    )
    try:
        paths = [
            path
            for name in names
            for path in training.train_started(run, name, init if name in starting else None)
        ]
    except Stopped as stop:
        return report_stop(run, stop)
    return _report(run, paths, data, paired)


def _report(run: "TranslationRun", paths: list[Path], data: str, paired: bool) -> Result:
    from mfagan import checkpoint
    from mfagan.coronetgan.training.pictures import DRAWINGS
    from mfagan.data.translation.folders import find_translation

    if not run.fabric.is_global_zero:
        return Result()
    lines, found = [], {}
    for path in paths:
        record = checkpoint.read(path).record
        end = path.stem[-2:] if run.recipe.model == "cyclegan" else ""
        figures = {
            name: record[f"{name}{end}"] if f"{name}{end}" in record else record.get(name)
            for name in ("psnr_db", "cycle_psnr_db", "ratio_reached", "landed_at", "training_minutes")
        }
        figures = {name: value for name, value in figures.items() if value is not None}
        asked = record.get("ratio_asked")
        found[str(path)] = figures | ({} if asked is None else {"ratio_asked": asked})
        score = (
            f"{figures['psnr_db']:.2f} dB on held-out pairs"
            if "psnr_db" in figures
            else f"{figures['cycle_psnr_db']:.2f} dB there and back"
        )
        pruned = (
            f", ratio {figures['ratio_reached']:.4f} of {asked:g} asked" if "ratio_reached" in figures else ""
        )
        lines.append(f"{path}: {score}{pruned}, {figures['training_minutes']:.1f} minutes")
    pictures = None
    if data != DRAWINGS:
        pictures = find_translation(data, paired, run.recipe.direction).folder_to_translate()
    made = paths[-2] if run.recipe.model == "cyclegan" else paths[-1]
    into = run.options.folder / "translated"
    then = ["mfagan", "coronetgan", "translate", made, pictures or "PICTURES", "--out", into]
    return Result({"checkpoints": list(found), "figures": found}, lines, paths, then)
