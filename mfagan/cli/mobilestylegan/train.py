"""`mfagan mobilestylegan train`: a student, and a weight-shared one, learn their teacher's images."""

from pathlib import Path
from typing import Annotated

import typer

from mfagan.cli.mobilestylegan.options import TeacherOption, Vgg16Option
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

__all__ = ["train"]


@keeps(TRAINING_KEPT)
def train(
    recipe: Annotated[str, typer.Argument(help="demo, published, or a TOML file.")],
    teacher: TeacherOption,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="The folder to write checkpoints into.")],
    stage: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Run this stage alone, distill or supernet (repeatable)."),
    ] = None,
    init: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A student that each stage starts from, with all heads (default: as the recipe says).",
        ),
    ] = None,
    vgg: Vgg16Option = None,
    device: DeviceOption = "auto",
    seed: SeedOption = 0,
    max_steps: MaxStepsOption = None,
    minutes: MinutesOption = None,
    restart: RestartOption = False,
) -> Result:
    """Distil a student, and a weight-shared one, from a StyleGAN2.

    No images are needed: they learn what the teacher makes of random numbers, and the PSNR against its images is shown.
    The same command again goes on where an interrupted one stopped. Several devices: `torchrun --nproc-per-node N -m
    mfagan mobilestylegan train ...`.
    """
    from mfagan import checkpoint
    from mfagan.files import require_place, require_writable
    from mfagan.mobilestylegan.training import stages as training
    from mfagan.mobilestylegan.training.recipe import read_student_recipe
    from mfagan.mobilestylegan.training.run import StudentRunOptions, prepare_student_run
    from mfagan.training.time_limit import Stopped

    limit = start_clock(minutes)
    settings = read_student_recipe(recipe)
    stages = training.check_stages(stage)
    options = StudentRunOptions(require_writable(out), device, seed, restart, max_steps, limit=limit, vgg=vgg)
    for spec in stages:
        require_place(spec.path(out), *(path for path in (teacher, init, vgg) if path is not None))
    run = open_run(prepare_student_run, settings, options, stages=[spec.name for spec in stages])
    try:
        paths = [training.train_student(run, teacher, spec, init) for spec in stages]
    except Stopped as stop:
        return report_stop(run, stop)
    if not run.fabric.is_global_zero:
        return Result()
    found = {path: checkpoint.read(path).record for path in paths}
    lines = [
        f"{path}: {record['psnr_db']:.2f} dB against the teacher's images of held-out latents"
        for path, record in found.items()
    ]
    scores = {str(path): record["psnr_db"] for path, record in found.items()}
    then = ["mfagan", "mobilestylegan", "sample", paths[-1], "--out", out / "samples.png"]
    return Result({"checkpoints": list(scores), "psnr_db": scores}, lines, paths, then)
