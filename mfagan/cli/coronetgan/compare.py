"""`mfagan coronetgan compare`: ways to a smaller translator, trained and tabulated side by side."""

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

__all__ = ["compare"]


@keeps(TRAINING_KEPT)
def compare(
    recipe: Annotated[str, typer.Argument(help="demo, pix2pix, cyclegan, or a TOML file.")],
    data: Annotated[
        str, typer.Option(metavar="FOLDER", help="A folder of pictures, or `drawings` for drawn ones.")
    ],
    ratio: Annotated[
        float, typer.Option(metavar="SHARE", help="The share of the MACs to keep, such as 0.5.")
    ],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="The folder for checkpoints and tables.")],
    way: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Train this way beside dense: uniform, rescaled, masked, published, magnitude or distilled "
            "(repeatable; default: all).",
        ),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds to train with.")] = 1,
    paired: Annotated[
        bool, typer.Option("--paired", help="Pictures of trainA and trainB are pairs by their names.")
    ] = False,
    device: DeviceOption = "auto",
    seed: SeedOption = 0,
    max_steps: MaxStepsOption = None,
    minutes: MinutesOption = None,
    restart: RestartOption = False,
) -> Result:
    """Train translators of a ratio in several ways, and compare them.

    Each has as many steps: dense; uniform widths from scratch; pruned while it trains, masked and rescaled (ours),
    masked alone or as published; dense with small filters dropped; distilled from dense. The same command continues an
    interrupted one.
    """
    from mfagan.coronetgan.experiments.comparison import compare_ways, draw_ways, tabulate_ways
    from mfagan.coronetgan.experiments.ways import choose_ways
    from mfagan.coronetgan.training.recipe import read_recipe
    from mfagan.coronetgan.training.run import prepare_run
    from mfagan.data.images import write_image
    from mfagan.evaluation.experiments.reports import write_report
    from mfagan.files import require_place, require_writable
    from mfagan.training.run import RunOptions
    from mfagan.training.time_limit import Stopped

    limit = start_clock(minutes)
    ways, settings = choose_ways(way), read_recipe(recipe)
    require_writable(out)
    files = [require_place(out / name) for name in ("compare.md", "compare.json", "compare.png")]
    found, run = [], None
    for number in range(seed, seed + seeds):
        folder = require_writable(out / f"seed_{number}")
        options = RunOptions(folder, device, number, restart, max_steps, limit=limit)
        run = open_run(prepare_run, settings, options, data=data, ratio=ratio, paired=paired)
        try:
            found.append(compare_ways(run, ways))
        except Stopped as stop:
            return report_stop(run, stop)
    assert run is not None
    if not run.fabric.is_global_zero:
        return Result()
    table = tabulate_ways(found, run)
    text = write_report(table, out, run.options.command)
    write_image(files[-1], draw_ways(found[0], run))
    return Result(table.as_dict(run.options.command), [text], files)
