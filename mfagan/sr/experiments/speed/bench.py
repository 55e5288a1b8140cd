"""`make bench`: ratios of two things measured in turn in one run, since the machines are noisy.

Prints a table and writes a JSON list of {name, value, unit, aim, met}; aim and met are null where no aim is set.
"""

import itertools
import json
import random
import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from PIL import Image

from mfagan import checkpoint
from mfagan.data.crops import CropSampler, waiting_share
from mfagan.data.layouts import find_pairs
from mfagan.data.pairs import Pair
from mfagan.data.splits import EMBEDDED, read_files, read_pairs, read_split
from mfagan.devices import CPU, computes_bf16, to_device
from mfagan.errors import InputError
from mfagan.evaluation.experiments.measurements import (
    Measurement,
    at_least,
    at_most,
    format_rows,
    ratio_in_turn,
    seconds_of,
)
from mfagan.evaluation.psnr_ssim import psnr_y
from mfagan.evaluation.scores import super_resolve
from mfagan.files import require_place, write_atomic
from mfagan.graph.passes import passes_for
from mfagan.latency.audit import audit_table
from mfagan.latency.building import build_table
from mfagan.latency.machine import match_machine
from mfagan.latency.measuring.runtimes import find_runtime
from mfagan.latency.priced_problem import Target
from mfagan.latency.tables import TableMachine, describe_build, read_table
from mfagan.progress import show_bar
from mfagan.sr.network.mfanet import INPUT_SIZE, MFANet
from mfagan.sr.network.supergenerator import SuperGenerator
from mfagan.sr.network.widths import OPTIONS, Widths, every_choice, random_choice
from mfagan.sr.shipped import LATENCY_TABLE, SUPERGENERATOR
from mfagan.sr.study.calibrating.drawn_networks import draw_networks
from mfagan.sr.study.calibrating.table_blocks import table_blocks
from mfagan.sr.study.problem import Scoring, SubGeneratorProblem
from mfagan.sr.study.scoring.bf16_scoring import ScoringPrecision
from mfagan.sr.study.scoring.prefix_walk import PrefixWalk
from mfagan.sr.training.learner import GANLearner
from mfagan.sr.training.recipe import Recipe, Sampling
from mfagan.sr.training.stages import read_recipe
from mfagan.sr.training.width_sampling import draw_widths
from mfagan.training.fabric import make_fabric

__all__ = [
    "bench_compile",
    "bench_data",
    "bench_exhaustive",
    "bench_layout",
    "bench_table",
    "bench_training",
    "bench_walk",
    "main",
]

N_LARGE_IMAGES = 12
FULL = Widths.uniform(max(OPTIONS))
TABLES = (
    ("litert", 1, "fp32", (2.0, 0.97)),
    ("litert", 2, "fp32", (2.0, 0.97)),
    ("litert", 1, "int8", (2.0, 0.97)),
    ("onnx", 1, "fp32", (5.0, 0.95)),
    ("torch", 1, "fp32", (5.0, 0.95)),
)
"""Runtime, threads, precision, and aims of the latency tables that are audited."""


def bench_training() -> Measurement:
    """A SuperGenerator's training step at full width against the plain MFANet's."""
    recipe = read_recipe("demo")
    stage = replace(recipe.stages["supernet"], steps=1_000)
    crop_px, scale = recipe.crop_px, recipe.scale
    lr = torch.rand(recipe.batch, 3, crop_px, crop_px)
    hr = torch.rand(recipe.batch, 3, crop_px * scale, crop_px * scale)
    fabric = make_fabric("cpu", recipe.precision)
    plain = GANLearner(recipe, stage, MFANet(FULL, scale, recipe.residual), fabric)
    elastic = GANLearner(
        recipe, stage, SuperGenerator(FULL, scale, recipe.residual), fabric, draw=lambda number: [FULL]
    )
    value = ratio_in_turn(lambda: elastic.step(0, lr, hr), lambda: plain.step(0, lr, hr))
    return at_most("SuperGenerator step at full width / plain MFANet step", value, "x", 1.05)


def bench_compile(batch: int = 16, crop_px: int = 32, repeats: int = 5) -> list[Measurement]:
    """Training steps with torch.compile against those without, at full width and under the sandwich rule.

    Args:
        batch: crops a step.
        crop_px: side of a crop in LR pixels.
        repeats: pairs of steps that are timed, after those that compile.

    Returns:
        The ratios of the times.
    """
    eager = replace(read_recipe("demo"), batch=batch, crop_px=crop_px, compile=False)
    compiled = replace(eager, compile=True)
    side_px = crop_px * eager.scale
    crops = torch.rand(batch, 3, crop_px, crop_px), torch.rand(batch, 3, side_px, side_px)

    def step_of(recipe: Recipe, sampling: Sampling) -> Callable[[], object]:
        stage = replace(recipe.stages["supernet"], steps=1_000, sampling=sampling)
        learner = GANLearner(
            recipe,
            stage,
            SuperGenerator(FULL, recipe.scale, recipe.residual),
            make_fabric("cpu", recipe.precision),
            draw=lambda number: draw_widths(sampling, FULL, 0, number),
        )
        numbers = itertools.count()  # by which a compiled step and the other draw the same slices
        return lambda: learner.step(next(numbers), *crops)

    full_width, sandwich = (
        ratio_in_turn(step_of(eager, sampling), step_of(compiled, sampling), repeats)
        for sampling in (Sampling(full_first=1_000), Sampling(rule="sandwich"))
    )
    return [
        at_least("training step at full width, eager / compiled", full_width, "x", 1.4),
        Measurement("training step under the sandwich rule, eager / compiled", sandwich, "x"),
    ]


def bench_data() -> list[Measurement]:
    """What part of a student's plain step waits for its crops: embedded photographs, and images of DIV2K's size."""
    name = "share of a training step that waits for data"
    rows = [at_most(f"{name}, bundled photographs", _waiting_percent(read_split(EMBEDDED)[0]), "%", 5)]
    with tempfile.TemporaryDirectory() as folder:
        rng = np.random.default_rng(0)
        for i in range(N_LARGE_IMAGES):
            coarse = Image.fromarray(rng.integers(0, 256, (170, 255, 3), dtype=np.uint8))
            picture = coarse.resize((2040, 1360), Image.Resampling.BICUBIC)
            picture.save(Path(folder) / f"{i}.png", compress_level=1)
        with show_bar("images of DIV2K's size") as report:
            pairs = read_files(find_pairs(folder), cache=Path(folder) / "cache", ram_limit_bytes=0)
            report(1, 1, "")
        share = _waiting_percent(pairs)
    return [*rows, at_most(f"{name}, 2040x1360 px from the disk cache", share, "%", 5)]


def _waiting_percent(pairs: Sequence[Pair]) -> float:
    recipe = read_recipe("demo")
    stage = replace(recipe.stages["teacher"], steps=1_000)
    network = MFANet(FULL, recipe.scale, recipe.residual)
    trainer = GANLearner(recipe, stage, network, make_fabric("cpu", recipe.precision))
    crops = CropSampler(pairs, recipe.crop_px, recipe.batch)
    return 100 * waiting_share(crops, lambda lr, hr: trainer.step(0, lr, hr))


def bench_layout(width: int) -> Measurement:
    """Scoring a slice in channels_last against NCHW, in fp32.

    Args:
        width: every width of the slice.

    Returns:
        The ratio of the times.
    """
    nchw = SuperGenerator(FULL, residual="bicubic").extract(Widths.uniform(width))
    channels_last = to_device(SuperGenerator(FULL, residual="bicubic").extract(Widths.uniform(width)))
    lr = torch.rand(3, *INPUT_SIZE)

    @torch.inference_mode()
    def run_nchw() -> None:
        nchw(lr[None])

    def run_channels_last() -> None:
        super_resolve(channels_last, lr)

    value = ratio_in_turn(run_channels_last, run_nchw)
    return Measurement(f"slice evaluation in channels_last / in NCHW, {width} everywhere", value, "x")


def bench_walk(n_choices: int = 50) -> Measurement:
    """Scoring a random generation in one walk over shared prefixes against network by network, both channels_last.

    Args:
        n_choices: slices of the generation.

    Returns:
        The ratio of the times.
    """
    rng = random.Random(0)
    choices = [random_choice(rng) for _ in range(n_choices)]
    supernet = to_device(SuperGenerator(FULL, residual="bicubic"))
    lr = torch.rand(3, 64, 64)

    def run_walk() -> None:
        for _ in PrefixWalk(supernet).run(lr[None].contiguous(memory_format=torch.channels_last), choices):
            pass

    def run_each() -> None:
        for widths in choices:
            super_resolve(to_device(supernet.extract(widths)), lr)

    value = ratio_in_turn(run_walk, run_each, repeats=5)
    return Measurement(f"{n_choices} random slices in one walk / one by one", value, "x")


def bench_exhaustive(
    precision: ScoringPrecision, aim: float, rounds: int = 5, n_usual: int = 8
) -> list[Measurement]:
    """A SubGenerator's share of evaluating all of them on the held-out photos, against the usual way.

    The usual way sets the widths, runs the whole network in fp32 and NCHW and takes PSNR-Y, choice by choice. All
    choices below a random trunk, first and second CFAB represent the whole space, and a few of them are evaluated in
    the usual way. What is scored again in fp32 counts; bf16's error, measured once a search, does not.

    Args:
        precision: what the walk scores in.
        aim: the smallest ratio that meets the aim.
        rounds: prefixes that are drawn.
        n_usual: choices evaluated in the usual way a round.

    Returns:
        The ratio of the times and, in bf16, the share that is scored again.
    """
    pairs = read_pairs(EMBEDDED, record=checkpoint.read(SUPERGENERATOR).record)
    target = Target(read_table(LATENCY_TABLE), INPUT_SIZE, "")
    problem = SubGeneratorProblem(SUPERGENERATOR, pairs, target, Scoring(precision=precision))
    network = SuperGenerator.from_checkpoint(checkpoint.read(SUPERGENERATOR), SUPERGENERATOR)  # in NCHW
    problem.evaluate(problem.known_choices)
    rng = random.Random(0)
    ratios, n_rescored, n_evaluated = [], 0, 0
    with show_bar(f"exhaustive walk, {precision}") as report:
        for i in range(rounds):
            prefix = [rng.choice(OPTIONS) for _ in range(3)]
            choices = [widths for widths in every_choice() if list(widths)[:3] == prefix]
            sample = rng.sample(choices, n_usual)
            found = []

            def run_walk(batch: Sequence[Widths] = choices, found: list = found) -> None:
                found += problem.evaluate([widths.as_choice() for widths in batch])

            @torch.inference_mode()
            def run_usual(sample: Sequence[Widths] = sample) -> None:
                for widths, pair in itertools.product(sample, pairs):
                    psnr_y(network(pair.lr[None], widths)[0], pair.hr, pair.scale)

            order = (run_walk, run_usual) if i % 2 else (run_usual, run_walk)
            seconds = {run: seconds_of(run) for run in order}
            ratios.append(seconds[run_usual] / n_usual / (seconds[run_walk] / len(choices)))
            n_rescored += sum(one.attributes["precision"] == "fp32" for one in found)
            n_evaluated += len(found)
            report(i + 1, rounds, f"{statistics.median(ratios):.2f} x")
    name = f"time per SubGenerator, usual way / exhaustive walk, {precision}"
    rows = [at_least(name, statistics.median(ratios), "x", aim)]
    if precision == "bf16":
        name = "share of SubGenerators scored again in fp32, walk in bf16"
        rows.append(Measurement(name, 100 * n_rescored / n_evaluated, "%"))
    return rows


def bench_table(
    runtime: str, threads: int, precision: str, rounds: int, aims: tuple[float, float], n_networks: int = 12
) -> list[Measurement]:
    """A latency table that is built and then audited, as `mfagan lut build` and `lut audit` do.

    Args:
        runtime: one of `mfagan.latency.measuring.runtimes.RUNTIMES`.
        threads: CPU threads.
        precision: one that the runtime is measured in.
        rounds: rounds of the table and of the audit.
        aims: the largest mean absolute error in %, and the least tau.
        n_networks: networks of the audit.

    Returns:
        The error of the prices at the machine's pace, and Kendall's tau of pairs that differ by more than 2 %.
    """
    passes = passes_for(precision) if find_runtime(runtime, precision).rewrites else ()
    with show_bar("latency table") as report:
        table = build_table(
            table_blocks(INPUT_SIZE, 4, passes, precision),
            runtime=runtime,
            threads=threads,
            precision=precision,
            input_size=INPUT_SIZE,
            command=describe_build(threads, INPUT_SIZE, runtime, passes=passes, precision=precision),
            passes=passes,
            rounds=rounds,
            report=report,
        )
    networks = draw_networks(n_networks, 0, INPUT_SIZE)
    machine = match_machine(TableMachine.of(table))
    with show_bar("audit") as report:
        audit = audit_table(table, networks, machine, rounds=rounds, report=report)
    assert audit.mape_at_pace is not None
    name = f"prices of {n_networks} networks, {runtime} {precision}, {threads} thread{'s' * (threads > 1)}"
    rows = [at_most(f"{name}, mean error", 100 * audit.mape_at_pace, "%", aims[0])]
    if audit.kendall_tau_apart is not None:
        rows.append(at_least(f"{name}, tau of pairs 2 % apart", audit.kendall_tau_apart, "", aims[1]))
    return rows


def main(
    out: Annotated[Path, typer.Option(help="The JSON file to write.")] = Path("runs/bench.json"),
    threads: Annotated[int, typer.Option(min=1, help="Threads of PyTorch.")] = 2,
    rounds: Annotated[int, typer.Option(min=2, help="Rounds of a latency table.")] = 8,
) -> None:
    """Measure ratios of two things in turn, print them and write them as JSON."""
    try:
        require_place(out)
    except InputError as error:
        raise typer.BadParameter(str(error), param_hint="--out") from None
    torch.set_num_threads(threads)
    rows = [
        bench_training(),
        *bench_compile(),
        *bench_data(),
        *(bench_layout(width) for width in OPTIONS),
        bench_walk(),
    ]
    rows += bench_exhaustive("fp32", aim=5)
    if computes_bf16(CPU):
        rows += bench_exhaustive("bf16", aim=8)
    for runtime, n_threads, one_precision, aims in TABLES:
        rows += bench_table(runtime, n_threads, one_precision, rounds, aims)
    write_atomic(out, json.dumps([asdict(row) for row in rows], indent=2) + "\n")
    print(format_rows(rows), end="")


if __name__ == "__main__":
    typer.run(main)
