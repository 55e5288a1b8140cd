"""Stage 4: fine-tuning a picked SubGenerator with the distilled discriminator (paper section 4.1)."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mfagan import checkpoint
from mfagan.networks.discriminators import load_discriminator
from mfagan.sr.network.mfanet import MFANet
from mfagan.training.run import TrainingRun
from mfagan.training.stage import StageTrainer


@dataclass(frozen=True)
class FineTuned:
    """What validation saw: PSNR-Y in dB of the start and of the best step; step 0 is the start."""

    best_step: int
    psnr_before_db: float
    psnr_after_db: float


def finetune(
    run: TrainingRun, network: MFANet, discriminator_path: Path, out: Path, facts: Mapping[str, object]
) -> FineTuned:
    """Train `network` against the discriminator of a file and write its best validation, the start included.

    A recipe that does not weigh the adversarial term needs no discriminator. facts: what the checkpoint records
    besides, such as the pick.
    """
    stage = run.recipe.stages.finetune

    def start() -> StageTrainer:
        discriminator = load_discriminator(discriminator_path) if stage.weights.adv else None
        return StageTrainer(run.recipe, stage, network, run.fabric, discriminator, perceptual=run.perceptual)

    run.train("finetune", {"subgenerator": out}, start, [discriminator_path], facts, keep_best=True)
    record = checkpoint.read(out, role="subgenerator").record
    return FineTuned(**{name: record[name] for name in FineTuned.__dataclass_fields__})  # pyright: ignore[reportArgumentType]
