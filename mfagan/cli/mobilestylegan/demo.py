"""`mfagan mobilestylegan demo`: the commands in turn, without any data."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from mfagan.cli.demo_steps import note, timed
from mfagan.cli.mobilestylegan.export import export
from mfagan.cli.mobilestylegan.lut import build_lut
from mfagan.cli.mobilestylegan.search import run_search
from mfagan.cli.mobilestylegan.teacher import teacher
from mfagan.cli.mobilestylegan.train import train
from mfagan.cli.options import MaxStepsOption, SeedOption
from mfagan.cli.study.front import front
from mfagan.cli.study.pick import pick
from search.commands.command import keeps
from search.commands.result import Result

__all__ = ["demo"]

TRAINED = "weights"
LUT = "lut.json"
DATABASE = "study.db"
FRONT = "front.html"
PICKED = "picked.json"
MODEL = "student.tflite"
MAPPING = "mapping.tflite"
STUDY = "demo"


@keeps("the files of the steps that ended stay, and the same command starts again")
def demo(
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="The folder to write into.")] = Path(
        "runs/demo-mobilestylegan"
    ),
    seed: SeedOption = 0,
    max_steps: MaxStepsOption = None,
) -> Result:
    """Run all steps on faces that are drawn by a formula: no data is needed.

    Fit a teacher to the drawings, distil a student, train a weight-shared one, price and score all its slices, browse,
    pick and export. Run again in the same folder, it replaces its own files alone.
    """
    from mfagan.cli.demo_folder import DemoFolder
    from mfagan.mobilestylegan.experiments.demo_report import (
        REPORT,
        SHEET,
        MeasuredFiles,
        SliceFound,
        summarize,
        write_report,
    )
    from mfagan.mobilestylegan.training.stages import DISTILL, SUPERNET, TEACHER
    from search.study import load

    weights, database = out / TRAINED, str(out / DATABASE)
    large, small, shared = (spec.path(weights) for spec in (TEACHER, DISTILL, SUPERNET))
    seconds: dict[str, float] = {}
    names = [f"{TRAINED}/", LUT, DATABASE, FRONT, PICKED, MODEL, MAPPING, REPORT, SHEET]
    with DemoFolder(out).claim(names):
        (out / DATABASE).unlink(missing_ok=True)  # its own: `claim` has refused another's
        with timed(seconds, "teacher"):
            note(teacher("drawings", weights, seed=seed, max_steps=max_steps, restart=True))
        with timed(seconds, "student"):
            note(train("demo", large, weights, [DISTILL.name], seed=seed, max_steps=max_steps, restart=True))
        with timed(seconds, "supernet"):
            note(
                train(
                    "demo",
                    large,
                    weights,
                    [SUPERNET.name],
                    seed=seed,
                    max_steps=max_steps,
                    restart=True,
                )
            )
        with timed(seconds, "lut"):
            note(build_lut(out / LUT, shared))
        with timed(seconds, "search"):
            found = run_search(
                out / LUT, shared, large, storage=database, study=STUDY, sampler="exhaustive", seed=seed
            )
            note(found)
        with timed(seconds, "front"):
            note(front(out=out / FRONT, storage=database, study=[STUDY]))
        with timed(seconds, "pick"):
            note(pick(out=out / PICKED, storage=database, study=STUDY, knee=True))
        with timed(seconds, "export"):
            exported = export(small, out / MODEL, mapping_out=out / MAPPING, teacher=large)
            note(exported)
        slices = [
            SliceFound(
                tuple(int(width) for width in point.choice.values()),
                point.values[0],
                int(str(point.attributes["macs"])),
                point.values[1],
            )
            for point in load(database, STUDY).points
        ]
        beside = exported.facts["beside_teacher"]
        assert isinstance(beside, Mapping)
        measured = MeasuredFiles(
            beside["teacher"]["latency_ms"],
            beside["student"]["latency_ms"],
            float(str(exported.facts["max_abs_difference"])),
        )
        facts = write_report(out, large, small, slices, measured, seconds)
    made = [out / name for name in (REPORT, SHEET, FRONT, PICKED, LUT, MODEL, MAPPING)]
    then = ["mfagan", "mobilestylegan", "sample", small, "--seeds", "0-31", "--out", "sheet.png"]
    return Result(facts, summarize(facts, out), made, then)
