"""One training stage: the optimization of a generator, alone or against a discriminator."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from mfagan.crops import CropSampler
from mfagan.devices import computes_bf16, place
from mfagan.losses import (
    PerceptualLoss,
    discriminator_loss,
    generator_adversarial_loss,
    reconstruction_loss,
    weighted_sum,
)
from mfagan.progress import Report
from mfagan.sr.discriminator import PatchGAN
from mfagan.sr.distill import Distillation
from mfagan.sr.generator import MFANet
from mfagan.sr.recipe import Recipe, Stage
from mfagan.sr.widths import Widths


class StageTrainer:
    """One stage's optimization of a generator, alone or against a discriminator.

    One step trains the generator on the losses (1) to (6) that the stage weighs, then the discriminator, if
    there is one, on the same images. `draw_widths` gives the SubGenerator that a step of a SuperGenerator trains.
    """

    def __init__(
        self,
        recipe: Recipe,
        stage: Stage,
        generator: MFANet,
        device: torch.device,
        discriminator: PatchGAN | None = None,
        distillation: Distillation | None = None,
        perceptual: PerceptualLoss | None = None,
        draw_widths: Callable[[], Widths] | None = None,
    ) -> None:
        self.stage = stage
        self.device = device
        self.generator = place(generator, device).train()
        self.discriminator = None if discriminator is None else place(discriminator, device).train()
        self.distillation = None if distillation is None else place(distillation, device)
        self.perceptual = None if perceptual is None else place(perceptual, device)
        self.draw_widths = draw_widths
        self.bf16 = recipe.precision == "bf16" or (recipe.precision == "auto" and computes_bf16(device))
        weights = stage.weights
        self.weights = {"recon": weights.recon, "percep": weights.percep, "adv": weights.adv}
        self.weights["distill_g"] = weights.distill_g
        learned = [self.generator.parameters()]
        if self.distillation is not None:
            learned.append(self.distillation.generator_adapters.parameters())
        self.optimizers = [self._adam(learned, recipe)]
        if self.discriminator is not None:
            learned = [self.discriminator.parameters()]
            if self.distillation is not None:
                learned.append(self.distillation.discriminator_adapters.parameters())
            self.optimizers.append(self._adam(learned, recipe))

    def _adam(self, parameters: list, recipe: Recipe) -> torch.optim.Adam:
        flat = [parameter for some in parameters for parameter in some]
        return torch.optim.Adam(flat, lr=self.stage.learning_rate, betas=recipe.betas, eps=1e-8)

    def step(self, number: int, lr: Tensor, hr: Tensor) -> dict[str, float]:
        """Train on crops (N, 3, c, c) and (N, 3, scale c, scale c); returns the unweighted loss terms."""
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(self.stage, number)
        lr, hr = (x.to(self.device).contiguous(memory_format=torch.channels_last) for x in (lr, hr))
        terms, sr = self._step_generator(lr, hr)
        if self.discriminator is not None:
            terms |= self._step_discriminator(sr.detach(), hr)
        return {name: term.item() for name, term in terms.items()}

    def _step_generator(self, lr: Tensor, hr: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        if self.discriminator is not None:
            self.discriminator.requires_grad_(False)
        with self._autocast():
            taps: tuple[Tensor, ...] = ()
            if self.draw_widths is not None:
                sr = self.generator(lr, self.draw_widths())
            else:
                sr, taps = self.generator.forward_with_taps(lr)
            terms = {"recon": reconstruction_loss(sr, hr)}
            if self.perceptual is not None and self.weights["percep"]:
                terms["percep"] = self.perceptual(sr, hr)
            if self.discriminator is not None and self.weights["adv"]:
                terms["adv"] = generator_adversarial_loss(self.discriminator(sr))
            if self.distillation is not None and self.weights["distill_g"]:
                terms["distill_g"] = self.distillation.generator_loss(lr, taps)
        weights = {name: self.weights[name] for name in terms}
        self._descend(self.optimizers[0], weighted_sum(terms, weights))
        return terms, sr

    def _step_discriminator(self, sr: Tensor, hr: Tensor) -> dict[str, Tensor]:
        assert self.discriminator is not None
        self.discriminator.requires_grad_(True)
        with self._autocast():
            images = torch.cat((hr, sr.to(hr.dtype)))
            logits, taps = self.discriminator.taps(images)
            real, fake = logits.chunk(2)
            terms = {"discriminator": discriminator_loss(real, fake)}
            weights = {"discriminator": 1.0}
            if self.distillation is not None and self.stage.weights.distill_d:
                terms["distill_d"] = self.distillation.discriminator_loss(images, taps)
                weights["distill_d"] = self.stage.weights.distill_d
        self._descend(self.optimizers[1], weighted_sum(terms, weights))
        return terms

    def _descend(self, optimizer: torch.optim.Adam, loss: Tensor) -> None:
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16)

    def run(
        self, crops: CropSampler, report: Report, after_step: Callable[[int], None] | None = None
    ) -> None:
        """All steps of the stage; `after_step` is called with the number of steps done."""
        for number in range(self.stage.steps):
            terms = self.step(number, *crops.batch(number))
            report(number + 1, self.stage.steps, f"L1 {terms['recon']:.4f}")
            if after_step is not None:
                after_step(number + 1)
        self.generator.eval()


def learning_rate(stage: Stage, step: int) -> float:
    """The learning rate of step `step` (from 0)."""
    if stage.cosine:
        return stage.learning_rate * 0.5 * (1 + math.cos(math.pi * step / stage.steps))
    return stage.learning_rate * 0.5 ** sum(step >= halved for halved in stage.halve_at)
