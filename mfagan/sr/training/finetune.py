"""Stage 4: fine-tuning a picked SubGenerator with the distilled discriminator (paper section 4.1)."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mfagan import checkpoint
from mfagan.errors import InputError
from mfagan.sr.network.discriminators import load_discriminator, rebuild_discriminator
from mfagan.sr.network.mfanet import MFANet
from mfagan.sr.training.learner import GANLearner
from mfagan.sr.training.recipe import Recipe, Stage
from mfagan.sr.training.run import SRRun
from mfagan.sr.training.stages import FINETUNE, Sources, crop_seed
from mfagan.training.run import StageFiles
from mfagan.training.stage import StageWork

__all__ = ["FineTuned", "finetune", "require_discriminator"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FineTuned:
    """What validation saw at the start and at the step that is kept; step 0 is the start.

    Args:
        best_step: The number of steps after which the kept weights were reached.
        psnr_before_db: PSNR-Y of the start in dB.
        psnr_after_db: PSNR-Y of the kept weights in dB.
        lpips_before: LPIPS of the start; None if it was not measured.
        lpips_after: LPIPS of the kept weights; None if it was not measured.
    """

    best_step: int
    psnr_before_db: float
    psnr_after_db: float
    lpips_before: float | None = None
    lpips_after: float | None = None

    def summarize(self) -> str:
        """The figures before and after, in words."""
        text = f"PSNR-Y {self.psnr_before_db:.3f} dB before, {self.psnr_after_db:.3f} dB after"
        if self.lpips_before is not None and self.lpips_after is not None:
            text += f"; LPIPS {self.lpips_before:.4f} before, {self.lpips_after:.4f} after"
        return text


def require_discriminator(recipe: Recipe, path: Path) -> None:
    """Check before long work that the discriminator of a fine-tuning can be used, if it needs one.

    Args:
        recipe: its fine-tuning may weigh the adversarial term, or not.
        path: the discriminator's checkpoint.

    Raises:
        InputError: as `load_discriminator`.
    """
    if recipe.stages["finetune"].weights.adv:
        load_discriminator(path)


def finetune(
    run: SRRun, network: MFANet, discriminator: Path | None, out: Path, facts: Mapping[str, object]
) -> FineTuned:
    """Train a network against a discriminator and write its best by the recipe's criterion, the start included.

    If that is the start, a line in the log gives the reason.

    Args:
        run: gives recipe, images and device.
        network: what is trained, in place.
        discriminator: a checkpoint; not read, and may be None, if the recipe does not weigh the adversarial term.
        out: the file to write.
        facts: plain data that the checkpoint records besides, such as the pick.

    Returns:
        The scores that the file records.

    Raises:
        InputError: as `TrainingRun.train`, or the recipe weighs the adversarial term and there is no discriminator.
    """
    settings = run.settings("finetune")

    def build(run: SRRun, sources: Sources) -> StageWork:
        source = sources.get("discriminator")
        adversary = None if source is None else rebuild_discriminator(source.checkpoint, source.path)
        learner = GANLearner(
            run.recipe, settings, network, run.fabric, discriminator=adversary, perceptual=run.perceptual
        )
        return run.work(learner, crop_seed(run, "finetune"), settings)

    sources = {}
    if settings.weights.adv:
        if discriminator is None:
            raise InputError(
                f"recipe {run.recipe.name}: stage finetune weighs adv {settings.weights.adv:g}: give a discriminator"
            )
        sources["discriminator"] = discriminator
    files = StageFiles(sources=sources, writes={"subgenerator": out})
    run.train(replace(FINETUNE, build=build), files, facts)
    record = checkpoint.read(out, role="subgenerator").record
    names = [name for name in FineTuned.__dataclass_fields__ if name in record]
    tuned = FineTuned(**{name: record[name] for name in names})  # pyright: ignore[reportArgumentType]
    if tuned.best_step == 0:
        explain = _explain if settings.criterion == "psnr" else _explain_lpips
        logger.warning("%s", explain(out, tuned, record, settings))
    return tuned


def _explain(out: Path, tuned: FineTuned, record: Mapping[str, Any], settings: Stage) -> str:
    curve = record["validation_curve"]
    step, psnr_db = max(curve, key=lambda point: point[1])
    of = "the only validation" if len(curve) == 1 else f"the best of {len(curve)} validations"
    weights = settings.weights
    traded = [name for name, weight in (("adv", weights.adv), ("percep", weights.percep)) if weight]
    remedy = "train for more steps, with a lower learning rate"
    if traded:
        remedy = f"the weight of {' and '.join(traded)} trades PSNR for looks: lower it, or {remedy}"
    return (
        f"{out} is the network that fine-tuning started from, at {tuned.psnr_before_db:.3f} dB: {of}, at step {step}, "
        f"has {psnr_db:.3f} dB; {remedy}"
    )


def _explain_lpips(out: Path, tuned: FineTuned, record: Mapping[str, Any], settings: Stage) -> str:
    step, lpips = min(record["validation_lpips_curve"], key=lambda point: point[1])
    psnr_db = dict(map(tuple, record["validation_curve"]))[step]
    remedy = "train for more steps, or weigh percep and adv more"
    if settings.max_psnr_loss_db is not None and psnr_db < tuned.psnr_before_db - settings.max_psnr_loss_db:
        remedy = (
            f"that is more than max_psnr_loss_db {settings.max_psnr_loss_db:g} below: weigh percep and adv less, "
            "lower the learning rate, or allow more"
        )
    return (
        f"{out} is the network that fine-tuning started from, with LPIPS {tuned.lpips_before:.4f} at "
        f"{tuned.psnr_before_db:.3f} dB: the lowest LPIPS of its validations, at step {step}, is {lpips:.4f} at "
        f"{psnr_db:.3f} dB; {remedy}"
    )
