"""`mfagan mobilestylegan finetune`: a slice of a weight-shared student, trained by itself."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from mfagan.cli.mobilestylegan.options import Vgg16Option
from mfagan.cli.options import (
    TRAINING_KEPT,
    DeviceOption,
    HistoryOption,
    MaxStepsOption,
    MinutesOption,
    OutOption,
    RestartOption,
    SeedOption,
    open_run,
    report_stop,
    start_clock,
    storage_file,
)
from mfagan.errors import InputError
from search.commands.command import keeps
from search.commands.result import Result

__all__ = ["finetune"]


@keeps(TRAINING_KEPT)
def finetune(
    source: Annotated[
        Path, typer.Argument(metavar="PICK|STUDENT", help="What `mfagan pick` wrote (.json), or a student.")
    ],
    out: OutOption,
    teacher: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Its teacher; a pick knows it, but where it has moved."),
    ] = None,
    channels: Annotated[
        str | None,
        typer.Option(
            metavar="LIST", help="Of a student's slice: its channels at 4, 8, ... px, such as 64,48,64."
        ),
    ] = None,
    student: Annotated[
        Path | None, typer.Option(help="The pick's weight-shared student, where it has moved.")
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(metavar="FILE|NAME", help="demo, published or a file (default: the student's)."),
    ] = None,
    vgg: Vgg16Option = None,
    device: DeviceOption = "auto",
    seed: SeedOption = 0,
    max_steps: MaxStepsOption = None,
    minutes: MinutesOption = None,
    restart: RestartOption = False,
    storage: HistoryOption = None,
) -> Result:
    """Fine-tune a slice of a weight-shared student by itself.

    The best of its validations is kept, the start included. The same command again goes on where an interrupted one
    stopped.
    """
    from mfagan import checkpoint
    from mfagan.cli.study.history import open_lineage
    from mfagan.mobilestylegan.network.generator import MobileStyleGAN
    from mfagan.mobilestylegan.network.student.widths import read_channels
    from mfagan.mobilestylegan.study.picked import read_picked
    from mfagan.mobilestylegan.training.finetune import (
        cut_slice,
        finetune_student,
        recipe_of,
    )
    from mfagan.mobilestylegan.training.recipe import read_student_recipe
    from mfagan.mobilestylegan.training.run import StudentRunOptions, prepare_student_run
    from mfagan.training.time_limit import Stopped
    from search.storage.address import lasting_address

    limit = start_clock(minutes)
    picked, origin = None, checkpoint.sha256(source)  # now: the file may be another by the end
    if source.suffix == ".json":
        if channels is not None:
            raise InputError(
                f"--channels {channels}: the pick {source} names its channels; leave the option out"
            )
        picked = read_picked(source)
        if storage is not None:
            picked = replace(picked, storage=lasting_address(storage))
        start, slice_channels = picked.find_student(student), picked.channels
        found, teacher = checkpoint.read(start), picked.find_teacher(teacher)
    else:
        if student is not None or storage is not None:
            raise InputError(
                f"--student and --storage belong to a pick, but {source} is a student: leave them out"
            )
        if teacher is None:
            raise InputError(f"{source} is a student: give its teacher with --teacher")
        start, found = source, checkpoint.read(source, MobileStyleGAN.KIND)
        slice_channels = None if channels is None else read_channels(channels)
    settings = recipe_of(found) if recipe is None else read_student_recipe(recipe)
    cut_slice(found, start, slice_channels)  # what is wrong with the channels is said before long work
    kept = None if picked is None else storage_file(picked.storage)
    folder = checkpoint.require_checkpoint_place(out, source, start, teacher, vgg, kept).parent
    options = StudentRunOptions(folder, device, seed, restart, max_steps, limit=limit, vgg=vgg)
    run = open_run(prepare_student_run, settings, options, stages=["finetune"])
    lineage = None if picked is None else open_lineage(picked, storage)
    try:
        facts = None if picked is None else picked.as_record()
        tuned = finetune_student(run, teacher, start, slice_channels, out, facts)
    except Stopped as stop:
        return report_stop(run, stop)
    if not run.fabric.is_global_zero:
        return Result()
    if lineage is not None:
        lineage.record("finetune", out, origin, asdict(tuned))
    steps = run.settings("finetune").steps
    return Result(
        {"file": str(out), **asdict(tuned), "steps": steps},
        [f"{out}: {tuned.summarize()} (best at step {tuned.best_step} of {steps})"],
        [out],
        ["mfagan", "mobilestylegan", "export", out, "--out", out.with_suffix(".tflite")],
    )
