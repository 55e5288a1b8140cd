"""The demo: the commands in turn on the bundled photos."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from mfagan.cli.demo_steps import note, timed
from mfagan.cli.lut.build import build_lut
from mfagan.cli.options import NAMED_TABLE, MaxStepsOption, RescaleOption, SeedOption, find_lpips
from mfagan.cli.study.front import front
from mfagan.cli.study.history import find_lineage
from mfagan.cli.study.pick import pick
from mfagan.cli.study.search import run_search
from mfagan.cli.train.networks import finetune, train
from mfagan.cli.use.export import export
from mfagan.sr.shipped import DISCRIMINATOR, SUPERGENERATOR, WEIGHTS
from search.commands.command import keeps
from search.commands.result import Result

__all__ = ["demo"]

logger = logging.getLogger(__name__)

LUT = "lut.json"
FRONT = "front.html"
PICKED = "picked.json"
SUBGENERATOR = "subgenerator.safetensors"
MODEL = "subgenerator.tflite"
TRAINED = "weights"


@keeps("the files of the steps that ended stay, and the same command starts again")
def demo(
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="The folder to write into.")] = Path(
        "runs/demo"
    ),
    seed: SeedOption = 0,
    trials: Annotated[int, typer.Option(min=1, help="Trials of the search.")] = 150,
    max_steps: MaxStepsOption = None,
    from_scratch: Annotated[
        bool, typer.Option("--from-scratch", help="Train through all four stages first, for minutes.")
    ] = False,
    lut: Annotated[
        str | None,
        typer.Option(
            help="A latency table, instead of measuring one: a file or a shipped name.", **NAMED_TABLE
        ),
    ] = None,
    rescale: RescaleOption = False,
) -> Result:
    """Run all steps on the bundled photos, from the shipped SuperGenerator.

    Price, search, browse, pick, fine-tune and export. Run again in the same folder, it replaces its own files alone
    and adds a study to study.db.
    """
    from mfagan.checkpoint import sha256
    from mfagan.cli.demo_folder import DemoFolder
    from mfagan.sr.experiments.demo_report import PICTURE, REPORT

    folder, database, table = DemoFolder(out), out / "study.db", out / LUT
    _check_database(database)
    names = [LUT, FRONT, PICKED, SUBGENERATOR, f"{Path(SUBGENERATOR).stem}.state", MODEL, REPORT, PICTURE]
    seconds: dict[str, float] = {}
    with folder.claim([*names, *([f"{TRAINED}/"] if from_scratch else [])]):
        weights = out / TRAINED if from_scratch else WEIGHTS
        if from_scratch:
            with timed(seconds, "train"):
                note(train("demo", out=weights, seed=seed, max_steps=max_steps, restart=True))
        with timed(seconds, "lut"):
            if lut is None:
                note(build_lut(out=table))
            else:
                _copy_table(lut, table, rescale)
        # Studies are never deleted. One of an earlier demo is of another table, and maybe of another SuperGenerator.
        study = f"demo-{sha256(table)[:8]}" if database.exists() else "demo"
        return _search_and_export(out, weights, (str(database), study), trials, seed, max_steps, seconds)


def _search_and_export(
    out: Path,
    weights: Path,
    where: tuple[str, str],
    trials: int,
    seed: int,
    max_steps: int | None,
    seconds: dict[str, float],
) -> Result:
    from mfagan.sr.experiments.demo_report import (
        PICTURE,
        REPORT,
        THREADS,
        DemoFiles,
        summarize,
        write_report,
    )
    from mfagan.sr.study.findings import as_finding
    from search import pareto
    from search.study import load

    storage, study = where
    supernet, discriminator = weights / SUPERGENERATOR.name, weights / DISCRIMINATOR.name
    picked, subgenerator, model = out / PICKED, out / SUBGENERATOR, out / MODEL
    with timed(seconds, "search"):
        note(run_search(str(out / LUT), supernet, storage=storage, study=study, trials=trials, seed=seed))
    with timed(seconds, "front"):
        note(front(out=out / FRONT, storage=storage, study=[study]))
    with timed(seconds, "pick"):
        note(pick(out=picked, storage=storage, study=study, knee=True))
    with timed(seconds, "finetune"):
        note(finetune(picked, subgenerator, discriminator, seed=seed, max_steps=max_steps, restart=True))
    with timed(seconds, "export"):
        note(export(subgenerator, out=model))
    record = load(storage, study)
    trials_found = [as_finding(point) for point in record.points]
    front_found = [as_finding(point) for point in pareto.front(record.points, record.objectives)]
    files = DemoFiles(out, supernet, subgenerator, model, picked)
    facts = write_report(files, trials_found, front_found, seconds, find_lpips(None))
    lineage, latency_ms = find_lineage(subgenerator, None), facts["tflite_latency_ms"]
    if lineage is not None and isinstance(latency_ms, float):
        lineage.record_latency(model, latency_ms, THREADS, lineage.describe_price())
    made = [model, subgenerator, picked, out / FRONT, out / LUT, out / REPORT, out / PICTURE]
    then = ["mfagan", "webpage", model, "--out", model.with_suffix(".html")]
    return Result(facts, [summarize(facts, out)], made, then)


def _copy_table(lut: str, out: Path, rescale: bool) -> None:
    """Take a table that was measured before; where that was is told."""
    from mfagan.files import write_atomic
    from mfagan.latency.machine import match_machine, rescale_table
    from mfagan.latency.tables import TableMachine, read_table

    table = read_table(lut)
    match = match_machine(TableMachine.of(table))
    if match.warning is not None:
        logger.warning(match.warning)
    if rescale:
        table = rescale_table(table, match)
        logger.warning("its prices are multiplied by %.3f", table.rescaled_by)
    write_atomic(out, table.to_json())


def _check_database(database: Path) -> None:
    """SearchError for a file that cannot hold the demo's study, before anything is measured."""
    from search.optuna_logging import quiet_optuna
    from search.storage.connection import connect

    if database.exists():
        with quiet_optuna(), connect(str(database), create=False):
            pass
