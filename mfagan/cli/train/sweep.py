"""The sweep command: which learning rate, batch and crop a long training should have."""

from pathlib import Path
from typing import Annotated

import typer

from mfagan.cli.options import (
    TRAINING_KEPT,
    CompileOption,
    DeviceOption,
    ManyImagesOption,
    SeedOption,
    ValidationOption,
    open_run,
    set_compile,
)
from search.commands.command import keeps
from search.commands.result import Result

__all__ = ["sweep"]


@keeps(TRAINING_KEPT)
def sweep(
    recipe: Annotated[str, typer.Argument(help="A recipe's name or file, whose other settings are taken.")],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="The folder for checkpoints and the table.")],
    learning_rate: Annotated[
        list[float] | None,
        typer.Option(help="A learning rate (repeatable; default: that of the stage teacher)."),
    ] = None,
    batch: Annotated[
        list[int] | None, typer.Option(min=1, help="Crops a step (repeatable; default: the recipe's).")
    ] = None,
    crop: Annotated[
        list[int] | None,
        typer.Option(min=16, help="Side of a crop in LR px (repeatable; default: the recipe's)."),
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Steps of every training.")] = None,
    minutes: Annotated[
        float | None, typer.Option(help="Minutes of every training, instead of --steps.")
    ] = None,
    width: Annotated[int, typer.Option(min=1, help="Width of every layer of the network.")] = 24,
    images: ManyImagesOption = None,
    validation: ValidationOption = None,
    device: DeviceOption = "auto",
    seed: SeedOption = 0,
    compile_steps: CompileOption = None,
) -> Result:
    """Find the learning rate, batch and crop that a long training should have.

    A small network is trained briefly with every combination, and these are ordered by validation PSNR-Y. The same
    command goes on where an interrupted one stopped. The table is in sweep.md and sweep.json.
    """
    from mfagan.evaluation.experiments.reports import write_report
    from mfagan.files import require_place, require_writable
    from mfagan.sr.experiments import sweep as experiment
    from mfagan.sr.training.run import SRRunOptions, prepare_run
    from mfagan.sr.training.stages import read_recipe

    length = experiment.Length(steps, minutes)
    settings = set_compile(read_recipe(recipe), compile_steps)
    trials = experiment.every_trial(
        learning_rate or [settings.stages["teacher"].learning_rate],
        batch or [settings.batch],
        crop or [settings.crop_px],
    )
    require_writable(out)
    for suffix in (".md", ".json"):
        require_place(out / f"sweep{suffix}")
    options = SRRunOptions(out, device, seed, images=images or ["embedded"], validation=validation)
    run = open_run(prepare_run, experiment.swept_recipe(settings, trials, width), options, stages=["teacher"])
    text, facts = "", {}
    for found in experiment.sweep(run, trials, length):
        if run.fabric.is_global_zero:
            text, facts = write_report(found, out, run.options.command), found.as_dict(run.options.command)
    if not run.fabric.is_global_zero:
        return Result()
    return Result(facts, [text.rstrip("\n")], [out / "sweep.md", out / "sweep.json"])
