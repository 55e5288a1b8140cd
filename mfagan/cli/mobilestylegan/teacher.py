"""`mfagan mobilestylegan teacher`: a small StyleGAN2 of one's own."""

from pathlib import Path
from typing import Annotated

import typer

from mfagan.cli.options import (
    TRAINING_KEPT,
    DeviceOption,
    MaxStepsOption,
    MinutesOption,
    RestartOption,
    SeedOption,
    open_run,
    report_stop,
    start_clock,
)
from search.commands.command import keeps
from search.commands.result import Result

__all__ = ["teacher"]


@keeps(TRAINING_KEPT)
def teacher(
    recipe: Annotated[str, typer.Argument(help="drawings, or a TOML file.")],
    out: Annotated[
        Path, typer.Option(metavar="FOLDER", help="The folder to write teacher.safetensors into.")
    ],
    device: DeviceOption = "auto",
    seed: SeedOption = 0,
    max_steps: MaxStepsOption = None,
    minutes: MinutesOption = None,
    restart: RestartOption = False,
) -> Result:
    """Train a small StyleGAN2 to distil from.

    Recipe drawings fits it to faces that are drawn by a formula, which takes minutes and no data; that is no GAN. The
    same command again goes on where an interrupted one stopped.
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
    options = RunOptions(require_writable(out), device, seed, restart, max_steps, limit=limit)
    run = open_run(prepare_teacher_run, settings, options)
    try:
        path = fit_teacher(run)
    except Stopped as stop:
        return report_stop(run, stop)
    if not run.fabric.is_global_zero:
        return Result()
    psnr_db = checkpoint.read(path).record["psnr_db"]
    return Result(
        {"file": str(path), "psnr_db": psnr_db, "steps": run.settings("teacher").steps},
        [f"{path}: {psnr_db:.2f} dB against the drawings of held-out latents"],
        [path],
        ["mfagan", "mobilestylegan", "train", "demo", "--teacher", path, "--out", out],
    )
