"""Slices against the same networks trained from scratch, and against the networks of other authors.

All are trained on the same images with L1 alone. Ours go the way of the package's SuperGenerator: the full width
alone, then the SuperGenerator that begins with it, then the slices. These and all others keep their best validation.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median

import torch

from mfagan import checkpoint
from mfagan.evaluation.experiments.reports import ExperimentReport
from mfagan.evaluation.text_table import Cell, Column
from mfagan.sr.experiments.ranking import Slice
from mfagan.sr.experiments.results import budget, mean_figures, rank, score, tune_slice
from mfagan.sr.kinds import Generator, build
from mfagan.sr.network.mfanet import INPUT_SIZE
from mfagan.sr.network.widths import Widths
from mfagan.sr.training.learner import GANLearner
from mfagan.sr.training.recipe import LossWeights
from mfagan.sr.training.run import SRRun
from mfagan.sr.training.stages import SUPERNET, TEACHER, Sources, crop_seed
from mfagan.sr.training.start import INIT
from mfagan.training.loop import Diverged
from mfagan.training.run import StageFiles
from mfagan.training.stage import StageWork

__all__ = ["COMPARED_PEERS", "PickFront", "compare_peers", "compare_slices", "pick_slices"]

logger = logging.getLogger(__name__)

COMPARED_PEERS: dict[str, tuple[str, dict[str, object]]] = {
    "RRDBNet, 3 blocks": ("rrdbnet", {"n_blocks": 3, "features": 32, "growth": 16}),
    "IMDN": ("imdn", {}),
    "RFDN": ("rfdn", {}),
    "SPAN": ("span", {}),
    "SPAN, 28 features": ("span", {"features": 28}),
    "SPANV2": ("spanv2", {}),
    "QuickSRNet-Large": ("quicksrnet", {}),
    "SRVGGNetCompact": ("srvggnetcompact", {}),
    "EDSR-baseline": ("edsr", {}),
    "MFANet, 32 everywhere": ("mfanet", {"widths": list(Widths.uniform(32))}),
}
N_SLICES = 5
N_LEARNING_RATES = 4
"""A peer that diverges is trained again at half the rate, so many rates in all."""
_STAGES = ("teacher", "supernet", "finetune")
"""Those that our networks go through here."""

PickFront = Callable[[Sequence[Slice], int], list[Widths]]
"""Some slices of the front of PSNR and FLOPs, spread over it."""


def pick_slices(run: SRRun, pick_front: PickFront) -> list[Widths]:
    """Train the SuperGenerator of both comparisons and pick the slices that they compare.

    Args:
        run: its recipe, images, device and folder.
        pick_front: picks them from 203 that are scored with inherited weights.

    Returns:
        Their widths.
    """
    run = _without_adversary(run)
    (full,) = run.train(TEACHER)
    run.train(SUPERNET, StageFiles(sources={INIT: full}))
    ranking = rank(run, SUPERNET.path(run.options.folder))
    return pick_front([*ranking.uniform, *ranking.drawn], N_SLICES)


def compare_slices(run: SRRun, choices: Sequence[Widths]) -> ExperimentReport:
    """Compare fine-tuned slices across the front with the same widths trained from scratch for as long.

    Args:
        run: that of `pick_slices`.
        choices: the slices that it gave.

    Returns:
        The table.
    """
    run = _without_adversary(run)
    steps = _steps(run, "supernet", "finetune")
    rows: list[list[Cell]] = []
    for widths in choices:
        tuned, alone = _tune(run, widths), f"scratch_{_short(widths)}"
        _train_alone(run, alone, lambda widths=widths: _draw(run, "mfanet", {"widths": list(widths)}), steps)
        files = {"tuned": tuned, "alone": run.options.folder / f"{alone}.safetensors"}
        scores = [mean_figures(row).psnr_db for row in score(run, files).rows[1:]]
        before = checkpoint.read(tuned).record["psnr_before_db"]
        rows.append([str(widths), float(str(before)), *scores, scores[0] - scores[1]])
    gains = [float(str(row[-1])) for row in rows]
    return ExperimentReport(
        "slices",
        "Slices across the front against the same widths from scratch",
        [
            Column("widths"),
            Column("inherited", "dB", ".3f", "slice"),
            Column("fine-tuned", "dB", ".3f", "slice"),
            Column("from scratch", "dB", ".3f"),
            Column("gain", "dB", "+.3f"),
        ],
        rows,
        [
            f"Median gain {median(gains):+.3f} dB (aim: at least 0).",
            f"From scratch: {steps} steps each, as many as the SuperGenerator and the fine-tuning had together; those "
            "of the full width, with which the SuperGenerator begins, are not counted.",
            budget(run, _STAGES),
        ],
    )


def compare_peers(run: SRRun, choices: Sequence[Widths]) -> ExperimentReport:
    """Compare the fine-tuned front with other authors' networks in PSNR-Y and the latency of the whole network.

    Args:
        run: that of `pick_slices`.
        choices: the slices that it gave.

    Returns:
        The table.
    """
    run = _without_adversary(run)
    steps = _steps(run, *_STAGES)
    ours = {f"ours, {widths}": _tune(run, widths) for widths in choices}
    peers: dict[str, Path] = {}
    notes: list[str] = []
    for name in COMPARED_PEERS:
        path, rate = _train_peer(run, name, steps)
        if path is None:  # which says nothing about the others, trained for hours
            notes.append(
                f"{name} diverged at every learning rate from {_rate(run):g} to {rate:g}: without a row."
            )
            continue
        peers[name] = path
        if rate < _rate(run):
            notes.append(f"{name} learned at the rate {rate:g}, because it diverged at {2 * rate:g}.")
    found = score(run, ours | peers, latency_size=INPUT_SIZE)
    assert found.timing is not None
    figures = {row.name: (mean_figures(row).psnr_db, row.latency_ms or 0.0) for row in found.rows[1:]}
    rows: list[list[Cell]] = []
    for row in sorted(found.rows[1:], key=lambda row: row.latency_ms or 0.0):
        assert row.costs is not None
        psnr_db, latency_ms = figures[row.name]
        above = [other for other, (p, ms) in figures.items() if p > psnr_db and ms < latency_ms]
        dominating = "; ".join(sorted(name for name in above if (name in ours) != (row.name in ours)))
        rows.append(
            [
                row.name,
                psnr_db,
                latency_ms,
                row.costs.flops_g,
                row.costs.params_m,
                dominating or "none",
            ]
        )
    beaten = [row[0] for row in rows if row[0] in ours and row[-1] != "none"]
    verdict = (
        "no peer dominates any of our networks" if not beaten else f"dominated: {'; '.join(map(str, beaten))}"
    )
    timing = found.timing
    return ExperimentReport(
        "peers",
        "Our fine-tuned front against other authors' networks",
        [
            Column("network"),
            Column("PSNR-Y", "dB", ".3f"),
            Column("latency", "ms", ".1f"),
            Column("FLOPs", "G", ".2f"),
            Column("params", "M", ".3f"),
            Column("dominated by (of the other side)"),
        ],
        rows,
        [
            f"Aim: not dominated by any peer: {verdict}.",
            f"Latency of the whole network: {timing.describe()}, median of {timing.rounds} rounds in turn.",
            f"Peers: {steps} steps each, as many as full width, SuperGenerator and fine-tuning had together; "
            "the same images, L1 alone, and the same residual.",
            *notes,
            budget(run, _STAGES),
        ],
    )


def _without_adversary(run: SRRun) -> SRRun:
    """The run with L1 alone and a teacher as wide as the SuperGenerator, in a folder of its own."""
    stages = {name: replace(stage, weights=LossWeights()) for name, stage in run.recipe.stages.items()}
    return run.varied("l1", stages=stages, teacher_width=run.recipe.student_width)


def _tune(run: SRRun, widths: Widths) -> Path:
    return tune_slice(run, widths, None, f"tuned_{_short(widths)}.safetensors")


def _train_peer(run: SRRun, name: str, steps: int) -> tuple[Path | None, float]:
    """The file of a trained peer, or None if it diverged at all learning rates, and the last rate."""
    kind, config = COMPARED_PEERS[name]
    rate, file = _rate(run), _file(name)
    for _ in range(N_LEARNING_RATES):
        slower = replace(run, recipe=run.recipe.with_stage("teacher", learning_rate=rate))
        try:
            _train_alone(slower, file, lambda: _draw(run, kind, config), steps)
        except Diverged as error:
            logger.warning("%s at learning rate %g: %s", name, rate, error)
            rate /= 2
            file = f"{_file(name)}_rate_{rate:g}"
        else:
            return run.options.folder / f"{file}.safetensors", rate
    return None, 2 * rate


def _rate(run: SRRun) -> float:
    return run.recipe.stages["teacher"].learning_rate


def _train_alone(run: SRRun, name: str, make: Callable[[], Generator], steps: int) -> None:
    """A network trained with the teacher's settings on L1 for so many steps, into the file `name`."""
    recipe = run.recipe.with_stage(
        "teacher",
        steps=steps,
        validate_every=run.recipe.stages["finetune"].validate_every,
    )
    # `steps` adds up stages that are capped already.
    alone = replace(run, recipe=recipe, options=replace(run.options, max_steps=None))

    def build(run: SRRun, sources: Sources) -> StageWork:
        learner = GANLearner(run.recipe, run.settings("teacher"), make(), run.fabric)
        return run.work(learner, crop_seed(run, "teacher"))

    spec = replace(TEACHER, writes={"alone": f"{name}.safetensors"}, build=build, keep_best=True)
    alone.train(spec, facts={"network": name})


def _draw(run: SRRun, kind: str, config: dict[str, object]) -> Generator:
    torch.manual_seed(run.options.seed)
    return build(kind, config | {"scale": run.recipe.scale, "residual": run.recipe.residual})


def _steps(run: SRRun, *stages: str) -> int:
    return sum(run.settings(stage).steps for stage in stages)


def _short(widths: Widths) -> str:
    return "-".join(map(str, widths))


def _file(name: str) -> str:
    return "peer_" + "".join(c if c.isalnum() else "_" for c in name.lower())
