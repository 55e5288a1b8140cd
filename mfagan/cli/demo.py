"""The demo: every command in turn on the bundled photos."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from mfagan.cli.networks import export, finetune, train
from mfagan.cli.options import MaxStepsOption, SeedOption
from mfagan.cli.studies import build_lut, front, pick, run_search


def demo(
    out: Annotated[Path, typer.Option(help="The folder to write into.")] = Path("runs/demo"),
    seed: SeedOption = 0,
    trials: Annotated[int, typer.Option(min=1, help="Trials of the search.")] = 150,
    max_steps: MaxStepsOption = None,
) -> None:
    """Run everything on the bundled photos: train, price, search, browse, pick, fine-tune, export."""
    from mfagan.output import require_writable
    from mfagan.sr.problem import as_finding
    from mfagan.sr.report import summarize, write_report
    from search import pareto
    from search.study import load

    require_writable(out)
    database, study, lut, picked = out / "study.db", "demo", out / "lut.json", out / "picked.json"
    supernet = out / "weights" / "supergenerator.safetensors"
    discriminator = out / "weights" / "discriminator.safetensors"
    subgenerator, model = out / "subgenerator.safetensors", out / "subgenerator.tflite"
    database.unlink(missing_ok=True)  # the study of an earlier demo is about another SuperGenerator
    storage = str(database)
    seconds: dict[str, float] = {}
    with _timed(seconds, "train"):
        train("demo", out=supernet.parent, seed=seed, max_steps=max_steps)
    with _timed(seconds, "lut"):
        build_lut(out=lut)
    with _timed(seconds, "search"):
        run_search(str(lut), supernet, storage=storage, study=study, trials=trials, population=30, seed=seed)
    with _timed(seconds, "front"):
        front(out=out / "front.html", storage=storage, study=study)
    with _timed(seconds, "pick"):
        pick(out=picked, storage=storage, study=study, knee=True)
    with _timed(seconds, "finetune"):
        finetune(picked, subgenerator, discriminator, seed=seed, max_steps=max_steps)
    with _timed(seconds, "export"):
        export(subgenerator, out=model)
    record = load(storage, study)
    trials_found = [as_finding(point) for point in record.points]
    front_found = [as_finding(point) for point in pareto.front(record.points, record.objectives)]
    facts = write_report(out, supernet, subgenerator, model, picked, trials_found, front_found, seconds)
    print(summarize(facts, out))


@contextmanager
def _timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[step] = round(time.perf_counter() - start, 2)
