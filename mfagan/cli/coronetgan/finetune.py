"""`mfagan coronetgan finetune`: a slice of a weight-shared translator, trained by itself."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import typer

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
        Path,
        typer.Argument(metavar="PICK|FILE", help="What `mfagan pick` wrote (.json), or a translator."),
    ],
    out: OutOption,
    data: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER",
            help="A folder as for `mfagan coronetgan train`, or `drawings` (default: what it was trained on).",
        ),
    ] = None,
    widths: Annotated[
        str | None,
        typer.Option(
            metavar="LIST",
            help="Of a translator's slice: its widths, one a choice, such as 64,96,256,192,96,64.",
        ),
    ] = None,
    supernet: Annotated[
        Path | None, typer.Option(help="The pick's weight-shared translator, where it has moved.")
    ] = None,
    partner: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="CycleGAN's other translator, if it does not stand beside the first."
        ),
    ] = None,
    paired: Annotated[
        bool, typer.Option("--paired", help="Files of equal names in trainA and trainB are pairs.")
    ] = False,
    direction: Annotated[
        Literal["AtoB", "BtoA"] | None,
        typer.Option(help="Which pictures are translated (default: as the recipe says)."),
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|NAME", help="demo, pix2pix, cyclegan or a file (default: the translator's)."
        ),
    ] = None,
    device: DeviceOption = "auto",
    seed: SeedOption = 0,
    max_steps: MaxStepsOption = None,
    minutes: MinutesOption = None,
    restart: RestartOption = False,
    storage: HistoryOption = None,
) -> Result:
    """Fine-tune a slice of a weight-shared translator by itself.

    The best of its validations is kept, the start included. Discriminators that stand beside the translator go on; of
    CycleGAN both translators are cut to the same widths and trained, and the other one is written beside. The same
    command again goes on where an interrupted one stopped.
    """
    from mfagan import checkpoint
    from mfagan.cli.study.history import open_lineage
    from mfagan.coronetgan.kinds import rebuild
    from mfagan.coronetgan.study.picked import read_picked
    from mfagan.coronetgan.training.finetuning import (
        find_files,
        finetune_translator,
        pictures_of,
        recipe_of,
    )
    from mfagan.coronetgan.training.recipe import change_recipe, read_recipe
    from mfagan.coronetgan.training.run import prepare_run
    from mfagan.training.run import RunOptions
    from mfagan.training.time_limit import Stopped
    from search.storage.address import lasting_address

    limit = start_clock(minutes)
    picked, origin = None, checkpoint.sha256(source)  # now: the file may be another by the end
    if source.suffix == ".json":
        if widths is not None:
            raise InputError(f"--widths {widths}: the pick {source} names its widths; leave the option out")
        picked = read_picked(source)
        if storage is not None:
            picked = replace(picked, storage=lasting_address(storage))
        start = picked.find_supernet(supernet)
        found = checkpoint.read(start)
        chosen = picked.widths(rebuild(found, start))
    else:
        if supernet is not None or storage is not None:
            raise InputError(
                f"--supernet and --storage belong to a pick, but {source} is a translator: leave them out"
            )
        start, found = source, checkpoint.read(source)
        network = rebuild(found, start, widths)
        chosen = None if widths is None else dict(network.widths)
    settings = recipe_of(found) if recipe is None else read_recipe(recipe)
    if direction is not None:
        settings = change_recipe(settings, {"direction": direction})
    if data is None:
        data, paired = pictures_of(found, start)
    files = find_files(settings, start, out, partner)
    kept = None if picked is None else storage_file(picked.storage)
    inputs = (source, *files.starts, *files.discriminators, kept)
    for one in files.outs:
        checkpoint.require_checkpoint_place(one, *inputs)
    options = RunOptions(out.parent, device, seed, restart, max_steps, limit=limit)
    run = open_run(prepare_run, settings, options, data=data, paired=paired)
    lineage = None if picked is None else open_lineage(picked, storage)
    try:
        facts = None if picked is None else picked.as_record()
        tuned = finetune_translator(run, files, chosen, facts)[files.own(out)]
    except Stopped as stop:
        return report_stop(run, stop)
    if not run.fabric.is_global_zero:
        return Result()
    if lineage is not None:
        lineage.record("finetune", out, origin, tuned.facts())
    steps = run.settings("finetune").steps
    return Result(
        {"file": str(out), "files": [str(one) for one in files.outs], **tuned.facts(), "steps": steps},
        [f"{out}: {tuned.summarize()} (best at step {tuned.best_step} of {steps})"],
        list(files.outs),
        ["mfagan", "coronetgan", "export", out, "--out", out.with_suffix(".tflite")],
    )
