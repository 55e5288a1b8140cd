"""Commands on networks: costs, train, finetune, rank."""

import logging
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from mfagan.cli.options import (
    NAMED_CHECKPOINT,
    SHIPPED_CHECKPOINT,
    TRAINING_KEPT,
    AlexnetOption,
    CompileOption,
    DeviceOption,
    HistoryOption,
    ImagesOption,
    ManyImagesOption,
    MaxStepsOption,
    MinutesOption,
    OutOption,
    RestartOption,
    SeedOption,
    SizeOption,
    TermsOption,
    ValidationOption,
    VggOption,
    open_run,
    read_size,
    report_stop,
    set_compile,
    start_clock,
    storage_file,
)
from mfagan.cli.study.history import open_lineage
from mfagan.sr.shipped import DISCRIMINATOR, LATENCY_TABLE, SUPERGENERATOR
from search.commands.command import keeps
from search.commands.result import Result

__all__ = [
    "costs",
    "finetune",
    "rank",
    "train",
]

logger = logging.getLogger(__name__)


def costs(
    widths: Annotated[
        str,
        typer.Option(
            metavar="WIDTHS", help="Eight positive widths, trunk, CFAB 1 to 6, fusion; or one for all."
        ),
    ],
    size: SizeOption = "128x128",
    residual: Annotated[
        str, typer.Option(metavar="KIND", help="none (the paper's network) or bicubic.")
    ] = "none",
) -> Result:
    """Print parameters, FLOPs and memory traffic of an MFANet.

    FLOPs by the paper's count, and multiply-accumulates.
    """
    from mfagan.evaluation.text_table import Column, format_text
    from mfagan.graph.costs import sum_costs
    from mfagan.sr.network.layers import require_residual
    from mfagan.sr.network.mfanet import operators
    from mfagan.sr.network.widths import Widths

    height, width = read_size(size)
    found = sum_costs(operators(Widths.parse(widths), height, width, residual=require_residual(residual)))
    units = {"macs": "multiply-accumulates", "flops": "by the paper's count", "memory_bytes": "bytes"}
    columns = [Column("cost"), Column("figure", form=",d"), Column("unit")]
    rows = [[name, figure, units.get(name, "")] for name, figure in found.as_dict().items()]
    return Result(found.as_dict(), [format_text(columns, rows).rstrip("\n")])


@keeps(TRAINING_KEPT)
def train(
    recipe: Annotated[str, typer.Argument(help="demo, paper, or a TOML file.")],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="The folder to write checkpoints into.")],
    images: ManyImagesOption = None,
    validation: ValidationOption = None,
    stage: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Run this stage alone (repeatable).")
    ] = None,
    init: Annotated[
        Path | None,
        typer.Option(
            help="A generator's checkpoint that --stage teacher, distill or supernet starts from; "
            "a narrower one is grown."
        ),
    ] = None,
    vgg: VggOption = None,
    alexnet: AlexnetOption = None,
    device: DeviceOption = "auto",
    seed: SeedOption = 0,
    max_steps: MaxStepsOption = None,
    minutes: MinutesOption = None,
    compile_steps: CompileOption = None,
    terms: TermsOption = "",
    restart: RestartOption = False,
) -> Result:
    """Train stages 1a to 3, from the teacher to the SuperGenerator.

    The teacher, its GAN, the distilled student pair, the SuperGenerator. The same command again goes on where an
    interrupted one stopped. Several devices: `torchrun --nproc-per-node N -m mfagan train ...`.
    """
    from mfagan.files import require_writable
    from mfagan.sr.training import stages as training
    from mfagan.sr.training.run import SRRunOptions, prepare_run
    from mfagan.sr.training.start import require_start
    from mfagan.training.time_limit import Stopped

    limit = start_clock(minutes)
    settings = set_compile(training.read_recipe(recipe), compile_steps)
    stages = training.check_stages(stage)
    if init is not None:
        require_start(settings, [spec.name for spec in stages], init)
    options = SRRunOptions(
        require_writable(out),
        device,
        seed,
        restart,
        max_steps,
        limit=limit,
        terms=terms,
        images=images or ["embedded"],
        validation=validation,
        vgg=vgg,
        alexnet=alexnet,
    )
    run = open_run(prepare_run, settings, options, stages=[spec.name for spec in stages])
    try:
        paths = training.train(run, stages, init)
    except Stopped as stop:
        return report_stop(run, stop)
    if not run.fabric.is_global_zero:
        return Result()
    for path in paths:
        _write_card(path)
    supernet = [path for path in paths if path.name == SUPERGENERATOR.name]
    then = ["mfagan", "search", "--supernet", *supernet, "--lut", LATENCY_TABLE] if supernet else []
    return Result({"checkpoints": [str(path) for path in paths]}, files=paths, next=then)


def _write_card(ckpt: Path) -> None:
    """Write the model card of a generator; a discriminator needs none."""
    from mfagan import checkpoint
    from mfagan.deploy.about.model_card import describe_checkpoint, write_card
    from mfagan.sr.kinds import KINDS

    if checkpoint.read(ckpt).network in KINDS:
        write_card(ckpt, describe_checkpoint(ckpt))


@keeps(TRAINING_KEPT)
def finetune(
    picked: Annotated[Path, typer.Argument(help="What `mfagan pick` wrote.")],
    out: OutOption,
    discriminator: Annotated[
        Path,
        typer.Option(help="The distilled discriminator's checkpoint.", show_default="the package's"),
    ] = DISCRIMINATOR,
    images: ManyImagesOption = None,
    validation: ValidationOption = None,
    supernet: Annotated[
        Path | None, typer.Option(help="The SuperGenerator, where it has moved.", **NAMED_CHECKPOINT)
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(metavar="FILE|NAME", help="demo, paper or a file (default: the SuperGenerator's)."),
    ] = None,
    vgg: VggOption = None,
    alexnet: AlexnetOption = None,
    device: DeviceOption = "auto",
    seed: SeedOption = 0,
    max_steps: MaxStepsOption = None,
    minutes: MinutesOption = None,
    compile_steps: CompileOption = None,
    terms: TermsOption = "",
    restart: RestartOption = False,
    storage: HistoryOption = None,
) -> Result:
    """Fine-tune a picked SubGenerator with the distilled discriminator (stage 4)."""
    from mfagan.checkpoint import require_checkpoint_place, sha256
    from mfagan.deploy.about.model_card import card_path
    from mfagan.files import require_place
    from mfagan.sr.study.picked import read_picked
    from mfagan.sr.training.finetune import finetune as tune
    from mfagan.sr.training.finetune import require_discriminator
    from mfagan.sr.training.run import SRRunOptions, prepare_run
    from mfagan.sr.training.stages import read_recipe, recipe_of
    from mfagan.training.run import join_terms
    from mfagan.training.time_limit import Stopped
    from search.storage.address import lasting_address

    limit = start_clock(minutes)
    choice, origin = read_picked(picked), sha256(picked)  # now: the file may be another by the end
    if storage is not None:
        choice = replace(choice, storage=lasting_address(storage))
    network, found = choice.load_supernet(supernet)
    settings = set_compile(recipe_of(found) if recipe is None else read_recipe(recipe), compile_steps)
    weights = choice.supernet if supernet is None else supernet
    inputs = picked, weights, discriminator, vgg, alexnet, storage_file(choice.storage)
    folder = require_checkpoint_place(out, *inputs).parent
    require_place(card_path(out), *inputs)
    require_discriminator(settings, discriminator)
    options = SRRunOptions(
        folder,
        device,
        seed,
        restart,
        max_steps,
        limit=limit,
        terms=join_terms(str(found.record.get("terms", "")), terms),
        images=images or ["embedded"],
        validation=validation,
        vgg=vgg,
        alexnet=alexnet,
    )
    run = open_run(prepare_run, settings, options, stages=["finetune"])
    lineage = open_lineage(choice, storage)
    try:
        tuned = tune(run, network.extract(choice.as_widths()), discriminator, out, choice.as_record())
    except Stopped as stop:
        return report_stop(run, stop)
    if not run.fabric.is_global_zero:
        return Result()
    _write_card(out)
    if lineage is not None:
        lineage.record("finetune", out, origin, asdict(tuned))
    steps = run.settings("finetune").steps
    return Result(
        {"file": str(out), **asdict(tuned), "steps": steps},
        [f"{out}: {tuned.summarize()} (best at step {tuned.best_step} of {steps})"],
        [out],
        ["mfagan", "export", out, "--out", out.with_suffix(".tflite")],
    )


def rank(
    ckpt: Annotated[
        Path,
        typer.Argument(
            help="A SuperGenerator's checkpoint, or the name of a shipped one.", **SHIPPED_CHECKPOINT
        ),
    ] = SUPERGENERATOR,
    images: ImagesOption = "embedded",
    slices: Annotated[int, typer.Option(min=3, help="How many slices are drawn.")] = 200,
    seed: SeedOption = 0,
) -> Result:
    """Measure how well a SuperGenerator ranks its slices.

    The PSNR-Y of slices drawn at random, and its correlation with their FLOPs.
    """
    from mfagan import checkpoint
    from mfagan.data.splits import read_pairs
    from mfagan.progress import show_bar
    from mfagan.sr.experiments.ranking import rank_slices
    from mfagan.sr.network.supergenerator import load_supernet

    network = load_supernet(ckpt)
    pairs = read_pairs(images, network.scale, record=checkpoint.read(ckpt).record, bars=show_bar)
    found = rank_slices(network, pairs, slices, seed, bars=show_bar)
    scores = [one.psnr_db for one in found.drawn]
    facts = {
        "uniform_psnr_db": {one.widths.trunk: one.psnr_db for one in found.uniform},
        "n_slices": slices,
        "least_psnr_db": min(scores),
        "most_psnr_db": max(scores),
        "spearman_psnr_flops": found.spearman,
    }
    lines = [
        f"{one.widths.trunk:>3} everywhere: {one.psnr_db:.3f} dB, {one.flops / 1e9:.2f} G FLOPs"
        for one in found.uniform
    ]
    correlation = "none, all score alike" if found.spearman is None else f"{found.spearman:.3f}"
    lines.append(
        f"{slices} slices drawn: {min(scores):.3f} to {max(scores):.3f} dB; "
        f"Spearman of PSNR-Y and FLOPs {correlation}"
    )
    return Result(facts, lines, next=["mfagan", "search", "--supernet", ckpt, "--lut", LATENCY_TABLE])
