"""The paper's ablations (Table 1, figure 6) and the choice of the sampling rule, at the scale of a recipe.

Every network is trained by an `SRRun`, so an interrupted ablation goes on where it stopped, and studies in one
folder share the stages that they have in common.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import torch

from mfagan import checkpoint
from mfagan.data.crops import CropSampler
from mfagan.evaluation.candidates import EvaluationSet
from mfagan.evaluation.experiments.reports import ExperimentReport
from mfagan.evaluation.report import EvaluationReport, NetworkScores
from mfagan.evaluation.report_table import COST_COLUMNS, cost_cells, quality_cells, quality_columns
from mfagan.evaluation.text_table import Cell, Column
from mfagan.pretrained import Lpips
from mfagan.sr.experiments.calibration import BiasCalibration
from mfagan.sr.experiments.paper_tables import TABLE_1, TABLE_1_PRUNED
from mfagan.sr.experiments.ranking import Ranking, rank_slices
from mfagan.sr.experiments.results import budget, rank, score, tune_slice
from mfagan.sr.network.supergenerator import load_supernet
from mfagan.sr.network.widths import OPTIONS, Widths
from mfagan.sr.training.recipe import Sampling
from mfagan.sr.training.run import SRRun
from mfagan.sr.training.stages import (
    DISTILL,
    PIPELINE,
    SUPERNET,
    TEACHER,
    TEACHER_GAN,
    new_discriminator,
    train,
)
from mfagan.sr.training.start import INIT
from mfagan.training.run import StageFiles

__all__ = [
    "PRUNED",
    "ablate_compression",
    "compare_discriminators",
    "compare_sampling",
    "rules",
]

PRUNED = Widths.parse(TABLE_1_PRUNED)
"""The slice whose costs are those of the paper's pruned networks."""

GROWN = f"grown from {min(OPTIONS)} channels, then sandwich"
"""The way without a student: the narrowest width alone first, see `mfagan.sr.network.growth`."""

CALIBRATION_CROPS = 32
"""Training crops on which the means of channels are taken."""


def rules(steps: int) -> dict[str, Sampling]:
    """The sampling rules that `compare_sampling` compares.

    Args:
        steps: of the training; two of the rules train the full width alone for the first half of them.

    Returns:
        Name of a rule -> its settings.
    """
    half = steps // 2
    return {
        "random (paper)": Sampling(),
        "sandwich": Sampling(rule="sandwich"),
        "sandwich, in-place distillation": Sampling(rule="sandwich", in_place=1.0),
        "full width first, then sandwich, in-place distillation": Sampling(
            rule="sandwich", full_first=half, in_place=1.0
        ),
        "full width first, then sandwich": Sampling(rule="sandwich", full_first=half),
        "sandwich, two drawn slices": Sampling(rule="sandwich", n_random=2),
        "sandwich, narrower slices weigh twice": Sampling(rule="sandwich", narrow_weight=2.0),
        "sandwich, channels not sorted": Sampling(rule="sandwich", sort=False),
    }


def ablate_compression(
    run: SRRun, lpips: Lpips | None = None, tests: Sequence[EvaluationSet] = ()
) -> ExperimentReport:
    """Train and score Table 1's five columns: MFAGAN_L; distilling G and D; G alone; pruning alone; both.

    Args:
        run: its recipe, images, device and folder.
        lpips: if given, its figures are in the table too.
        tests: sets whose figures are in the table besides those of the validation images.

    Returns:
        The table.
    """
    folder, recipe = run.options.folder, run.recipe
    train(run)
    generator_alone = run.varied(
        "distill_g",
        student_discriminator=recipe.teacher_discriminator,
        stages=recipe.with_stage(
            "distill", weights=replace(recipe.stages["distill"].weights, distill_d=0.0)
        ).stages,
    )
    generator_alone.train(DISTILL, StageFiles(read_from=folder))
    pruned_alone = run.varied("prune")
    teacher = TEACHER_GAN.path(folder)
    pruned_alone.train(SUPERNET, StageFiles(sources={"student": teacher}))
    files = [
        teacher,
        DISTILL.path(folder),
        DISTILL.path(generator_alone.options.folder),
        tune_slice(pruned_alone, PRUNED, TEACHER_GAN.path(folder, "teacher_discriminator")),
        tune_slice(run, PRUNED, DISTILL.path(folder, "discriminator")),
    ]
    _, *columns = TABLE_1
    names = [
        "MFAGAN_L",
        "distilled G and D",
        "distilled G",
        "pruned",
        "distilled G and D, pruned",
    ]
    found = score(run, dict(zip(names, files, strict=True)), lpips, tests=tests)
    bases = [
        recipe.teacher_discriminator,
        recipe.student_discriminator,
        recipe.teacher_discriminator,
        recipe.teacher_discriminator,
        recipe.student_discriminator,
    ]
    rows = [
        [name, base, *_quality(found, row), *cost_cells(row), paper.psnr_db, paper.lpips]
        for name, base, row, paper in zip(names, bases, found.rows[1:], columns, strict=True)
    ]
    return ExperimentReport(
        "compression",
        "Distillation and pruning (the paper's Table 1)",
        [
            Column("column"),
            Column("D channels", form="d"),
            *_quality_columns(found),
            *COST_COLUMNS,
            Column("PSNR", "dB", ".2f", "paper, Set5, quoted"),
            Column("LPIPS", "", ".4f", "paper, Set5, quoted"),
        ],
        rows,
        [
            _bicubic_note(found),
            "The paper does not name LPIPS's net.",
            f"Pruned networks are the slice {PRUNED}, whose costs are those of the paper's, fine-tuned.",
            budget(run),
        ],
    )


def compare_sampling(run: SRRun) -> ExperimentReport:
    """Compare ways to train a SuperGenerator whose slices rank, for as many steps each.

    Args:
        run: its recipe, images, device and folder.

    Returns:
        The table.
    """
    train(run, [spec for spec in PIPELINE if spec is not SUPERNET])
    steps = run.settings("supernet").steps
    rankings: dict[str, Ranking] = {}
    for number, (name, rule) in enumerate(rules(steps).items(), 1):
        stages = run.recipe.with_stage("supernet", sampling=rule).stages
        variant = run.varied(f"sampling_{number}", stages=stages)
        variant.train(SUPERNET, StageFiles(read_from=run.options.folder))
        path = SUPERNET.path(variant.options.folder)
        rankings[name] = rank(variant, path)
        if rule == Sampling(rule="sandwich"):
            rankings[f"{name}, biases calibrated"] = _rank_calibrated(variant, path)
    sandwich = run.recipe.with_stage("supernet", sampling=Sampling(rule="sandwich")).stages
    grown = run.varied("sampling_grown", stages=sandwich, teacher_width=min(OPTIONS))
    (narrow,) = grown.train(TEACHER)
    grown.train(SUPERNET, StageFiles(sources={INIT: narrow}))
    rankings[GROWN] = rank(grown, SUPERNET.path(grown.options.folder))
    rows: list[list[Cell]] = []
    for name, ranking in rankings.items():
        drawn = [one.psnr_db for one in ranking.drawn]
        figures = [fmean(drawn), min(drawn), max(drawn), ranking.spearman]
        rows.append([name, *(one.psnr_db for one in ranking.uniform), *figures])
    uniform = [Column(str(width), "dB", ".3f", "everywhere") for width in OPTIONS]
    group = f"{len(rankings[GROWN].drawn)} drawn"
    spread = [Column(word, "dB", ".3f", group) for word in ("mean", "least", "most")]
    return ExperimentReport(
        "sampling",
        "How a SuperGenerator's widths are drawn",
        [Column("rule"), *uniform, *spread, Column("Spearman", "", ".3f", "PSNR, FLOPs")],
        rows,
        [
            f"Inherited weights; {steps} steps each, from one student; the grown one from a generator of "
            f"{min(OPTIONS)} channels, trained alone for as many steps as the teacher.",
            budget(run),
        ],
    )


def _rank_calibrated(run: SRRun, supernet: Path) -> Ranking:
    network = load_supernet(supernet).to(run.fabric.device)
    crops = CropSampler(list(run.training), run.recipe.crop_px, CALIBRATION_CROPS, run.options.seed)
    lr, _ = crops.batch(0)
    calibration = BiasCalibration(network, lr.to(run.fabric.device))
    return rank_slices(network, run.validation, extract=calibration.extract, bars=run.bars)


def compare_discriminators(
    run: SRRun, lpips: Lpips | None = None, tests: Sequence[EvaluationSet] = ()
) -> ExperimentReport:
    """Compare PatchGAN with ESRGAN's discriminator (the paper's figure 6) in stage 1b, from one teacher.

    Args:
        run: its recipe, images, device and folder.
        lpips: if given, its figures are in the table too.
        tests: sets whose figures are in the table besides those of the validation images.

    Returns:
        The table.

    Raises:
        InputError: before any training, crops that do not suit ESRGAN's discriminator.
    """
    folder = run.options.folder
    other = run.varied("esrgan_discriminator", discriminator="esrgan")
    with torch.device("meta"):
        new_discriminator(
            other, run.recipe.teacher_discriminator
        )  # refuses unsuitable crops before any training
    train(run, [TEACHER, TEACHER_GAN])
    other.train(TEACHER_GAN, StageFiles(read_from=folder))
    files = {"PatchGAN": TEACHER_GAN.path(folder), "ESRGAN's": TEACHER_GAN.path(other.options.folder)}
    curves = [_curve(path) for path in files.values()]
    found = score(run, files, lpips, tests=tests)
    steps = [step for step in curves[0] if step in curves[1]]
    rows = [
        [name, *(curve[step] for step in steps), *_quality(found, row)]
        for name, curve, row in zip(("PatchGAN", "ESRGAN's"), curves, found.rows[1:], strict=True)
    ]
    return ExperimentReport(
        "discriminator",
        "PatchGAN against ESRGAN's discriminator (the paper's figure 6)",
        [
            Column("discriminator"),
            *(Column(f"step {step}", "dB", ".3f", "PSNR-Y during stage 1b") for step in steps),
            *_quality_columns(found),
        ],
        rows,
        [
            _bicubic_note(found),
            "The losses are the same for both (the paper's equation 6); ESRGAN's relativistic loss is not used.",
            budget(run),
        ],
    )


def _curve(path: Path) -> dict[int, float]:
    """Steps and PSNR-Y in dB of the validations during a training."""
    curve = checkpoint.read(path).record["validation_curve"]
    assert isinstance(curve, list)
    return dict(curve)


def _quality_columns(found: EvaluationReport) -> list[Column]:
    return [column for name in found.sources for column in quality_columns(found, name)]


def _quality(found: EvaluationReport, row: NetworkScores) -> list[Cell]:
    return [cell for name in found.sources for cell in quality_cells(found, row.mean(name))]


def _bicubic_note(found: EvaluationReport) -> str:
    bicubic = found.rows[0]
    figures = [f"{bicubic.mean(name).psnr_db:.3f} dB on {name}" for name in found.sources]
    return f"Bicubic: {', '.join(figures)}."
