"""`mfagan mobilestylegan teacher`: a StyleGAN2 of one's own."""

from pathlib import Path
from typing import Annotated

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
from search.commands.command import keeps
from search.commands.result import Result

__all__ = ["teacher"]


@keeps(TRAINING_KEPT)
def teacher(
    recipe: Annotated[str, typer.Argument(help="drawings, pictures, stylegan2, or a TOML file.")],
    out: Annotated[
        Path, typer.Option(metavar="FOLDER", help="The folder to write teacher.safetensors into.")
    ],
    images: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FOLDER",
            help="A folder of pictures (repeatable), where the recipe learns pictures.",
            rich_help_panel=IMAGES,
        ),
    ] = None,
    device: DeviceOption = "auto",
    seed: SeedOption = 0,
    max_steps: MaxStepsOption = None,
    minutes: MinutesOption = None,
    terms: TermsOption = "",
    restart: RestartOption = False,
) -> Result:
    """Train a StyleGAN2 to distil from.

    Recipe drawings fits a small one to faces that are drawn by a formula, in minutes and without data; that is no GAN.
    Recipes pictures and stylegan2 train against a discriminator on a folder of thousands of aligned pictures, which
    takes days. The same command again goes on where an interrupted one stopped.
    """
    from mfagan import checkpoint
    from mfagan.files import require_writable
    from mfagan.mobilestylegan.training.recipe import read_teacher_recipe
    from mfagan.mobilestylegan.training.run import prepare_teacher_run
    from mfagan.mobilestylegan.training.stages import fit_teacher
    from mfagan.training.run import RunOptions
    from mfagan.training.time_limit import Stopped

    limit = start_clock(minutes)
    settings = read_teacher_recipe(recipe)
    options = RunOptions(require_writable(out), device, seed, restart, max_steps, terms=terms, limit=limit)
    run = open_run(prepare_teacher_run, settings, options, images=images or ())
    try:
        path = fit_teacher(run)
    except Stopped as stop:
        return report_stop(run, stop)
    if not run.fabric.is_global_zero:
        return Result()
    record = checkpoint.read(path).record
    if settings.learns == "drawings":
        name, line = "psnr_db", f"{record['psnr_db']:.2f} dB against the drawings of held-out latents"
    else:
        name, line = (
            "patch_distance",
            f"patch distance {record['patch_distance']:.4f} from the pictures (not FID)",
        )
    return Result(
        {"file": str(path), name: record[name], "steps": run.settings("teacher").steps},
        [f"{path}: {line}"],
        [path],
        ["mfagan", "mobilestylegan", "train", "demo", "--teacher", path, "--out", out],
    )
