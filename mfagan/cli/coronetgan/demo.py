"""`mfagan coronetgan demo`: the commands in turn, without any data."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from mfagan.cli.coronetgan.export import export
from mfagan.cli.coronetgan.lut import build_lut
from mfagan.cli.coronetgan.search import run_search
from mfagan.cli.demo_steps import note, timed
from mfagan.cli.options import MaxStepsOption, SeedOption, open_run
from mfagan.cli.study.front import front
from mfagan.cli.study.pick import pick
from search.commands.command import keeps
from search.commands.result import Result

__all__ = ["demo"]

TRAINED = "weights"
PICTURES = "pictures"
LUT = "lut.json"
DATABASE = "study.db"
FRONT = "front.html"
PICKED = "picked.json"
MODEL = "pruned.tflite"
STUDY = "demo"
RATIO = 0.5
TRIALS = 150
ROUNDS = 5
"""Of the latency table: enough to rank slices on a machine that does nothing else."""
SCORED = 16
"""Pairs that slices are scored on."""


@keeps("the files of the steps that ended stay, and the same command starts again")
def demo(
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="The folder to write into.")] = Path(
        "runs/demo-coronetgan"
    ),
    seed: SeedOption = 0,
    max_steps: MaxStepsOption = None,
) -> Result:
    """Run all steps on drawings of shapes: no data is needed.

    Train a dense translator, one that is pruned to half of the MACs meanwhile, and one of uniform widths; train a
    weight-shared one, price and search its slices, browse, pick; export. Run again in the same folder, it replaces its
    own files alone.
    """
    from mfagan.cli.demo_folder import DemoFolder
    from mfagan.coronetgan.experiments.demo_report import (
        REPORT,
        SHEET,
        DemoNetworks,
        MeasuredFiles,
        SliceFound,
        demo_recipe,
        summarize,
        write_report,
    )
    from mfagan.coronetgan.experiments.pairs import write_pairs
    from mfagan.coronetgan.experiments.step_times import time_steps
    from mfagan.coronetgan.experiments.trained import read_trained
    from mfagan.coronetgan.training.building import require_course
    from mfagan.coronetgan.training.run import prepare_run
    from mfagan.coronetgan.training.stages import train_dense, train_pruned, train_supernet, train_uniform
    from mfagan.files import require_writable
    from mfagan.training.run import RunOptions
    from search.study import load

    weights, database = out / TRAINED, str(out / DATABASE)
    seconds: dict[str, float] = {}
    names = [f"{TRAINED}/", f"{PICTURES}/", LUT, DATABASE, FRONT, PICKED, MODEL, REPORT, SHEET]
    with DemoFolder(out).claim(names):
        (out / DATABASE).unlink(missing_ok=True)  # its own: `claim` has refused another's
        options = RunOptions(require_writable(weights), "auto", seed, restart=True, max_steps=max_steps)
        recipe = demo_recipe(max_steps)
        run = open_run(prepare_run, recipe, options, data="drawings", ratio=RATIO)
        require_course(run)
        with timed(seconds, "dense"):
            (dense,) = train_dense(run)
        with timed(seconds, "search_and_pruned"):
            (pruned,) = train_pruned(run, RATIO)
        with timed(seconds, "uniform"):
            (uniform,) = train_uniform(run, RATIO)
        with timed(seconds, "supernet"):
            (shared,) = train_supernet(run)
        with timed(seconds, "step_times"):
            times = time_steps(run)
        with timed(seconds, "lut"):
            note(build_lut(out / LUT, shared, rounds=ROUNDS))
        with timed(seconds, "search"):
            pictures = write_pairs(run.pictures.held_out, out / PICTURES)
            note(
                run_search(
                    out / LUT,
                    shared,
                    pictures,
                    storage=database,
                    study=STUDY,
                    trials=TRIALS,
                    paired=True,
                    max_images=SCORED,
                    seed=seed,
                )
            )
        with timed(seconds, "front"):
            note(front(out=out / FRONT, storage=database, study=[STUDY]))
        with timed(seconds, "pick"):
            note(pick(out=out / PICKED, storage=database, study=STUDY, knee=True))
        with timed(seconds, "export"):
            exported = export(pruned, out / MODEL, beside=dense)
            note(exported)
        beside = exported.facts["beside"]
        assert isinstance(beside, Mapping)
        measured = MeasuredFiles(
            beside["dense"]["latency_ms"],
            beside["exported"]["latency_ms"],
            float(str(exported.facts["max_abs_difference"])),
        )
        slices = [
            SliceFound(
                {name: int(width) for name, width in point.choice.items()},
                point.values[0],
                int(str(point.attributes["macs"])),
                point.values[1],
            )
            for point in load(database, STUDY).points
        ]
        trained = [read_trained([one], recipe.model, recipe.crop_px)[0] for one in (dense, pruned, uniform)]
        facts = write_report(out, run, DemoNetworks(*trained), times, measured, slices, seconds)
    made = [out / name for name in (REPORT, SHEET, FRONT, PICKED, LUT, MODEL)]
    then = ["mfagan", "coronetgan", "translate", pruned, out / PICTURES / "valA", "--out", out / "translated"]
    return Result(facts, summarize(facts, out), made, then)
