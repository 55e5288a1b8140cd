"""The paper's training stages 1a to 3 (section 4.1); `finetune` is the fourth.

Each stage writes its networks into one folder and reads the previous stage's from there.
"""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from mfagan import backbones, checkpoint
from mfagan.checkpoint import Checkpoint
from mfagan.data import CropSampler, Pair
from mfagan.errors import InputError
from mfagan.evaluate import mean_psnr_db
from mfagan.losses import (
    PerceptualLoss,
    discriminator_loss,
    generator_adversarial_loss,
    reconstruction_loss,
    weighted_sum,
)
from mfagan.progress import Bars, Report
from mfagan.sr.discriminator import PatchGAN
from mfagan.sr.distill import Distillation
from mfagan.sr.elastic import SuperGenerator
from mfagan.sr.generator import MFANet
from mfagan.sr.importance import sort_channels
from mfagan.sr.recipe import Recipe, Stage, as_record
from mfagan.sr.widths import Widths, random_choice

TRAINED_STAGES = ("teacher", "teacher_gan", "distill", "supernet")
"""The stages that `train` runs, in order."""

TEACHER = "teacher.safetensors"
TEACHER_GAN = "teacher_gan.safetensors"
TEACHER_DISCRIMINATOR = "teacher_discriminator.safetensors"
STUDENT = "student.safetensors"
DISCRIMINATOR = "discriminator.safetensors"
SUPERGENERATOR = "supergenerator.safetensors"


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
        self.generator = _place(generator, device).train()
        self.discriminator = None if discriminator is None else _place(discriminator, device).train()
        self.distillation = None if distillation is None else _place(distillation, device)
        self.perceptual = None if perceptual is None else _place(perceptual, device)
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
            taps: list[Tensor] = []
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

    def run(self, crops: CropSampler, report: Report, after_step: Callable[[int], None] | None = None) -> None:
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


def computes_bf16(device: torch.device) -> bool:
    """Whether the device multiplies bfloat16 natively; elsewhere bf16 is slower than fp32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        abilities = torch.cpu.get_capabilities()
        return bool(abilities.get("avx512_bf16") or abilities.get("amx_bf16"))
    return False


def _place(module, device: torch.device):  # noqa: ANN001, ANN202 - any module, itself
    return module.to(device=device, memory_format=torch.channels_last)


def load_perceptual(recipe: Recipe, vgg19: Path | None, say: Callable[[str], None]) -> PerceptualLoss | None:
    """The perceptual loss, or None where VGG19's weights are absent and the recipe goes on without them."""
    path = backbones.find_weights("vgg19", vgg19)
    if path is not None:
        return PerceptualLoss(backbones.load_vgg19_features(path), recipe.norm)
    missing = backbones.describe_missing("vgg19")
    if recipe.perceptual == "required":
        raise InputError(f"recipe {recipe.name} needs the perceptual loss: {missing}")
    say(f"training without the perceptual loss: {missing}")
    return None


@dataclass(frozen=True)
class TrainingRun:
    """One run of `train`: where it writes and what it trains on."""

    recipe: Recipe
    folder: Path
    training: Sequence[Pair]
    validation: Sequence[Pair]
    images: str
    device: torch.device
    seed: int
    perceptual: PerceptualLoss | None
    bars: Bars

    def train(self, stages: Sequence[str]) -> list[Path]:
        """Run these stages in the paper's order; returns the files written."""
        return [path for name in TRAINED_STAGES if name in stages for path in getattr(self, f"_{name}")()]

    def _teacher(self) -> list[Path]:
        generator = self._new_generator(self.recipe.teacher_width)
        self._run("teacher", StageTrainer(self.recipe, self.recipe.stages.teacher, generator, self.device))
        return [self._save(TEACHER, "teacher", "teacher", generator)]

    def _teacher_gan(self) -> list[Path]:
        generator = self.load(TEACHER, "teacher")
        torch.manual_seed(self.seed)
        discriminator = PatchGAN(self.recipe.teacher_discriminator)
        stage = self.recipe.stages.teacher_gan
        self._run(
            "teacher_gan",
            StageTrainer(self.recipe, stage, generator, self.device, discriminator, perceptual=self.perceptual),
        )
        return [
            self._save(TEACHER_GAN, "teacher_gan", "teacher_gan", generator, TEACHER),
            self._save(TEACHER_DISCRIMINATOR, "teacher_gan", "teacher_discriminator", discriminator),
        ]

    def _distill(self) -> list[Path]:
        teacher = self.load(TEACHER_GAN, "teacher_gan")
        teacher_discriminator = load_discriminator(self.folder / TEACHER_DISCRIMINATOR, "teacher_discriminator")
        student = self._new_generator(self.recipe.student_width)
        discriminator = PatchGAN(self.recipe.student_discriminator)
        distillation = Distillation(
            teacher, teacher_discriminator, student, discriminator, self.recipe.norm
        )
        stage = self.recipe.stages.distill
        trainer = StageTrainer(
            self.recipe, stage, student, self.device, discriminator, distillation, self.perceptual
        )
        self._run("distill", trainer)
        parents = (TEACHER_GAN, TEACHER_DISCRIMINATOR)
        return [
            self._save(STUDENT, "distill", "student", student, *parents),
            self._save(DISCRIMINATOR, "distill", "discriminator", discriminator, *parents),
        ]

    def _supernet(self) -> list[Path]:
        student = checkpoint.read(self.folder / STUDENT, "mfanet", "student")
        generator = SuperGenerator.from_checkpoint(student, self.folder / STUDENT)
        sort_channels(generator)
        draw = random.Random(self.seed)
        trainer = StageTrainer(
            self.recipe,
            self.recipe.stages.supernet,
            generator,
            self.device,
            perceptual=self.perceptual,
            draw_widths=lambda: random_choice(draw),
        )
        self._run("supernet", trainer)
        return [self._save(SUPERGENERATOR, "supernet", "supergenerator", generator, STUDENT)]

    def _run(self, name: str, trainer: StageTrainer) -> None:
        seed = self.seed * len(TRAINED_STAGES) + TRAINED_STAGES.index(name)
        crops = CropSampler(list(self.training), self.recipe.crop_px, self.recipe.batch, seed)
        with self.bars(name) as report:
            trainer.run(crops, report)

    def _new_generator(self, width: int) -> MFANet:
        torch.manual_seed(self.seed)
        return MFANet(Widths.uniform(width), self.recipe.scale, self.recipe.residual)

    def load(self, name: str, role: str) -> MFANet:
        """A generator that an earlier stage wrote."""
        path = self.folder / name
        return MFANet.from_checkpoint(checkpoint.read(path, "mfanet", role), path)

    def _save(self, name: str, stage: str, role: str, network: MFANet | PatchGAN, *parents: str) -> Path:
        record = self.describe(stage) | {"parents": {p: checkpoint.sha256(self.folder / p) for p in parents}}
        if isinstance(network, MFANet):
            record["validation_psnr_db"] = mean_psnr_db(network, self.validation)
        save_network(self.folder / name, network, role, record)
        return self.folder / name

    def describe(self, stage: str) -> dict[str, object]:
        """What a checkpoint records of how it was trained."""
        return {
            "stage": stage,
            "steps": getattr(self.recipe.stages, stage).steps,
            "recipe": as_record(self.recipe),
            "seed": self.seed,
            "images": self.images,
            "training_images": [pair.name for pair in self.training],
            "validation_images": [pair.name for pair in self.validation],
            "perceptual_loss": self.perceptual is not None,
            "torch": torch.__version__,
        }


def save_network(path: Path, network: MFANet | PatchGAN, role: str, record: dict[str, object]) -> None:
    """Write a generator or a discriminator with what rebuilds it."""
    kind = "mfanet" if isinstance(network, MFANet) else "patchgan"
    checkpoint.save(path, Checkpoint(kind, role, network.config(), network.state_dict(), record))


def load_discriminator(path: str | Path, role: str = "discriminator") -> PatchGAN:
    """A PatchGAN from its checkpoint."""
    found = checkpoint.read(path, "patchgan", role)
    return checkpoint.load_weights(PatchGAN(int(str(found.config["base"]))), found, path)


def cap_steps(recipe: Recipe, max_steps: int | None) -> Recipe:
    """The recipe with every stage at most `max_steps` long."""
    if max_steps is None:
        return recipe
    if max_steps < 1:
        raise InputError(f"max_steps is {max_steps}: give at least 1, or leave it out")
    capped = {
        name: replace(stage, steps=min(stage.steps, max_steps))
        for name, stage in vars(recipe.stages).items()
        if isinstance(stage, Stage)
    }
    return replace(recipe, stages=replace(recipe.stages, **capped))


def choose_device(name: str) -> torch.device:
    """`auto` is CUDA where there is one, else the CPU; other names are PyTorch's, such as cuda:1."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"device {name!r} cannot be used here ({str(error).splitlines()[0]}); try cpu") from None
    return device
