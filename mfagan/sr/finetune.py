"""Stage 4: fine-tuning a picked SubGenerator with the distilled discriminator (paper section 4.1)."""

from collections.abc import Sequence
from dataclasses import dataclass

from mfagan.crops import CropSampler
from mfagan.data import Pair
from mfagan.evaluate import mean_psnr_db
from mfagan.progress import Report
from mfagan.sr.generator import MFANet
from mfagan.sr.stage import StageTrainer


@dataclass(frozen=True)
class FineTuned:
    """What validation saw: PSNR-Y in dB of the start and of the best step; step 0 is the start."""

    best_step: int
    psnr_before_db: float
    psnr_after_db: float


def finetune(
    trainer: StageTrainer, crops: CropSampler, validation: Sequence[Pair], report: Report
) -> FineTuned:
    """Run the trainer's stage, then give its generator the weights of the best validation, the start included."""
    network, stage = trainer.generator, trainer.stage
    before = best = mean_psnr_db(network.eval(), validation)
    best_step, best_state = 0, _copy_weights(network)
    network.train()

    def validate(step: int) -> None:
        nonlocal best, best_step, best_state
        if step != stage.steps and (stage.validate_every == 0 or step % stage.validate_every):
            return
        psnr_db = mean_psnr_db(network.eval(), validation)
        network.train()
        if psnr_db > best:
            best, best_step, best_state = psnr_db, step, _copy_weights(network)

    trainer.run(crops, report, validate)
    network.load_state_dict(best_state)
    return FineTuned(best_step, before, best)


def _copy_weights(network: MFANet) -> dict:
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}
