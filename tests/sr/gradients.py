"""Run by test_distributed under torchrun: one step, whose gradients the first process writes to a file.

python tests/sr/gradients.py STAGE FILE
"""

import atexit
import os
import sys
from dataclasses import replace

import torch
import torch.distributed
from torch import nn

from mfagan.data.crops import CropSampler
from mfagan.data.splits import read_pairs
from mfagan.networks.discriminators import PatchGAN
from mfagan.sr.network.mfanet import MFANet
from mfagan.sr.network.supergenerator import SuperGenerator
from mfagan.sr.network.widths import Widths
from mfagan.sr.training.distillation import Distillation
from mfagan.sr.training.learner import GANLearner
from mfagan.sr.training.recipe import LossWeights, Recipe, Sampling, Stage
from mfagan.sr.training.stages import read_recipe
from mfagan.sr.training.width_sampling import draw_widths
from mfagan.training.fabric import make_fabric
from mfagan.training.losses import PerceptualLoss

WEIGHTS = LossWeights(recon=1, percep=1, adv=0.1, distill_g=0.05, distill_d=0.05)


def distilling(recipe: Recipe, seed: int) -> GANLearner:
    torch.manual_seed(seed)
    student, discriminator = MFANet(Widths.uniform(8)), PatchGAN(4)
    distillation = Distillation(MFANet(Widths.uniform(12)), PatchGAN(6), student, discriminator)
    torch.manual_seed(0)  # frozen: nobody sends it round, so every process must have the same
    perceptual = PerceptualLoss(torch.nn.Conv2d(3, 4, 3))
    stage = Stage(steps=1, learning_rate=1e-3, weights=WEIGHTS)
    fabric = make_fabric("cpu", "fp32")
    return GANLearner(
        recipe,
        stage,
        student,
        fabric,
        discriminator=discriminator,
        distillation=distillation,
        perceptual=perceptual,
    )


def elastic(recipe: Recipe, seed: int) -> GANLearner:
    torch.manual_seed(seed)
    network = SuperGenerator(Widths.uniform(48))
    stage = Stage(steps=1, learning_rate=1e-3, sampling=Sampling(rule="sandwich", n_random=2, in_place=0.5))
    fabric = make_fabric("cpu", "fp32")
    return GANLearner(
        recipe,
        stage,
        network,
        fabric,
        draw=lambda number: draw_widths(stage.sampling, network.widths, 0, number),
    )


def compiled(recipe: Recipe, seed: int) -> GANLearner:
    """A network that is compiled in seconds."""
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 48, 1), nn.PixelShuffle(4))
    stage = Stage(steps=1, learning_rate=1e-3, weights=LossWeights(recon=1, adv=0.1))
    fabric = make_fabric("cpu", "fp32")
    return GANLearner(replace(recipe, compile=True), stage, network, fabric, discriminator=PatchGAN(4))


LEARNERS = {"distilling": distilling, "elastic": elastic, "compiled": compiled}


def say_whether_the_group_is_left() -> None:
    where = "in a process group" if torch.distributed.is_initialized() else "in no process group"
    os.write(sys.stdout.fileno(), f"{where}\n".encode())  # at once: print writes the line's end by itself


def main(kind: str, path: str) -> None:
    atexit.register(say_whether_the_group_is_left)  # before the fabric is made, so after its own handlers
    trainer = LEARNERS[kind](read_recipe("demo"), seed=0)
    fabric = trainer.fabric
    crops = CropSampler(read_pairs("embedded"), crop_px=16, batch=4, seed=3)
    figures = trainer.step(7, *crops.batch(7, fabric.global_rank, fabric.world_size))
    networks = {"generator": trainer.network, "discriminator": trainer.discriminator}
    gradients = {
        f"{name}.{weight}": parameter.grad
        for name, network in networks.items()
        if network is not None
        for weight, parameter in network.named_parameters()
    }
    if fabric.is_global_zero:
        torch.save({"world": fabric.world_size, "gradients": gradients, "figures": figures}, path)


if __name__ == "__main__":
    main(*sys.argv[1:])
