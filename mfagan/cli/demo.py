"""The demo: the commands in turn on the bundled photos."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from mfagan.cli.history import find_lineage
from mfagan.cli.networks import export, finetune, train
from mfagan.cli.options import MaxStepsOption, SeedOption
from mfagan.cli.studies import build_lut, front, pick, run_search
from mfagan.sr.shipped import DISCRIMINATOR, SUPERGENERATOR, WEIGHTS


def demo(
    out: Annotated[Path, typer.Option(help="The folder to write into.")] = Path("runs/demo"),
    seed: SeedOption = 0,
    trials: Annotated[int, typer.Option(min=1, help="Trials of the search.")] = 150,
    max_steps: MaxStepsOption = None,
    from_scratch: Annotated[
        bool, typer.Option("--from-scratch", help="Train through all four stages first, for minutes.")
    ] = False,
) -> None:
    """Price, search, browse, pick, fine-tune and export on the bundled photos, from the shipped SuperGenerator."""
    from mfagan.files import require_writable
    from mfagan.sr.experiments.demo_report import THREADS, summarize, write_report
    from mfagan.sr.study.problem import as_finding
    from search import pareto
    from search.study import load

    require_writable(out)
    database, study, lut, picked = out / "study.db", "demo", out / "lut.json", out / "picked.json"
    weights = out / "weights" if from_scratch else WEIGHTS
    supernet, discriminator = weights / SUPERGENERATOR.name, weights / DISCRIMINATOR.name
    subgenerator, model = out / "subgenerator.safetensors", out / "subgenerator.tflite"
    database.unlink(missing_ok=True)  # the study of an earlier demo is about another SuperGenerator
    storage = str(database)
    seconds: dict[str, float] = {}
    if from_scratch:
        with _timed(seconds, "train"):
            train("demo", out=weights, seed=seed, max_steps=max_steps, restart=True)
    with _timed(seconds, "lut"):
        build_lut(out=lut)
    with _timed(seconds, "search"):
        run_search(str(lut), supernet, storage=storage, study=study, trials=trials, seed=seed)
    with _timed(seconds, "front"):
        front(out=out / "front.html", storage=storage, study=study)
    with _timed(seconds, "pick"):
        pick(out=picked, storage=storage, study=study, knee=True)
    with _timed(seconds, "finetune"):
        finetune(picked, subgenerator, discriminator, seed=seed, max_steps=max_steps, restart=True)
    with _timed(seconds, "export"):
        export(subgenerator, out=model)
    record = load(storage, study)
    trials_found = [as_finding(point) for point in record.points]
    front_found = [as_finding(point) for point in pareto.front(record.points, record.objectives)]
    facts = write_report(out, supernet, subgenerator, model, picked, trials_found, front_found, seconds)
    lineage, latency_ms = find_lineage(subgenerator, None), facts["tflite_latency_ms"]
    if lineage is not None and isinstance(latency_ms, float):
        lineage.record_latency(model, latency_ms, THREADS)
    print(summarize(facts, out))


@contextmanager
def _timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[step] = round(time.perf_counter() - start, 2)
