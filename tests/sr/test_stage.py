import dataclasses

import pytest
import torch

from mfagan.losses import PerceptualLoss
from mfagan.sr.discriminator import PatchGAN
from mfagan.sr.distill import Distillation
from mfagan.sr.elastic import SuperGenerator
from mfagan.sr.generator import MFANet
from mfagan.sr.recipe import LossWeights, Recipe, Stage, read_recipe
from mfagan.sr.stage import StageTrainer, learning_rate
from mfagan.sr.widths import Widths

CPU = torch.device("cpu")


@pytest.fixture
def recipe() -> Recipe:
    return dataclasses.replace(read_recipe("demo"), precision="fp32")


def crops() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    return torch.rand(2, 3, 16, 16), torch.rand(2, 3, 64, 64)


def snapshot(module: torch.nn.Module) -> list[torch.Tensor]:
    return [parameter.detach().clone() for parameter in module.parameters()]


def moved(module: torch.nn.Module, before: list[torch.Tensor]) -> bool:
    return any(not torch.equal(a, b) for a, b in zip(module.parameters(), before, strict=True))


def test_halvings_and_cosine():
    halved = Stage(steps=20, learning_rate=8.0, halve_at=(5, 10))
    assert [learning_rate(halved, step) for step in (0, 4, 5, 9, 10, 19)] == [8, 8, 4, 4, 2, 2]
    cosine = Stage(steps=20, learning_rate=8.0, cosine=True)
    assert learning_rate(cosine, 0) == 8
    assert learning_rate(cosine, 10) == pytest.approx(4)
    assert learning_rate(cosine, 20) == pytest.approx(0)


def test_a_plain_stage_trains_the_generator_on_l1(recipe: Recipe):
    generator = MFANet(Widths.uniform(8), residual="bicubic")
    stage = Stage(steps=5, learning_rate=1e-3, weights=LossWeights(recon=1))
    trainer = StageTrainer(recipe, stage, generator, CPU)
    lr, hr = crops()
    terms = [trainer.step(number, lr, hr) for number in range(5)]
    assert set(terms[0]) == {"recon"}
    assert terms[-1]["recon"] < terms[0]["recon"]


def test_a_distilling_stage_trains_the_student_pair_and_no_teacher(recipe: Recipe):
    torch.manual_seed(0)
    teacher, teacher_discriminator = MFANet(Widths.uniform(12)), PatchGAN(6)
    student, discriminator = MFANet(Widths.uniform(8), residual="bicubic"), PatchGAN(4)
    torch.nn.init.normal_(student.fusion.reconstruct.weight, std=0.1)
    perceptual = PerceptualLoss(torch.nn.Conv2d(3, 4, 3))  # random weights: only that it takes part is tested
    distillation = Distillation(teacher, teacher_discriminator, student, discriminator)
    weights = LossWeights(recon=1, percep=1, adv=0.005, distill_g=0.05, distill_d=0.05)
    stage = Stage(steps=2, learning_rate=1e-3, weights=weights)
    trainer = StageTrainer(recipe, stage, student, CPU, discriminator, distillation, perceptual)
    frozen = [(module, snapshot(module)) for module in (teacher, teacher_discriminator, perceptual)]
    learned = [
        (module, snapshot(module))
        for module in (
            student,
            discriminator,
            distillation.generator_adapters,
            distillation.discriminator_adapters,
        )
    ]
    lr, hr = crops()
    trainer.step(0, lr, hr)
    terms = trainer.step(1, lr, hr)
    assert set(terms) == {"recon", "percep", "adv", "distill_g", "discriminator", "distill_d"}
    assert all(moved(module, before) for module, before in learned)
    assert not any(moved(module, before) for module, before in frozen)


def test_the_adversarial_term_alone_moves_the_generator(recipe: Recipe):
    torch.manual_seed(0)
    generator, discriminator = MFANet(Widths.uniform(8)), PatchGAN(4)
    stage = Stage(steps=1, learning_rate=1e-3, weights=LossWeights(recon=0, adv=10))
    before = snapshot(generator)
    StageTrainer(recipe, stage, generator, CPU, discriminator).step(0, *crops())
    assert moved(generator, before)


def test_the_discriminator_learns_to_tell_real_from_generated(recipe: Recipe):
    torch.manual_seed(0)
    generator, discriminator = MFANet(Widths.uniform(8)), PatchGAN(4)
    stage = Stage(steps=30, learning_rate=1e-3, weights=LossWeights(recon=1))
    trainer = StageTrainer(recipe, stage, generator, CPU, discriminator)
    lr, hr = crops()
    losses = [trainer.step(number, lr, hr)["discriminator"] for number in range(30)]
    assert losses[-1] < 0.7 * losses[0]


def test_a_supernet_stage_trains_the_widths_that_are_drawn(recipe: Recipe):
    torch.manual_seed(0)
    network = SuperGenerator(Widths.uniform(48), residual="bicubic")
    torch.nn.init.normal_(network.fusion.reconstruct.weight, std=0.1)
    stage = Stage(steps=1, learning_rate=1e-3, weights=LossWeights(recon=1))
    drawn = []

    def draw() -> Widths:
        drawn.append(Widths.uniform(24))
        return drawn[-1]

    trainer = StageTrainer(recipe, stage, network, CPU, draw_widths=draw)
    before = network.head.weight.detach().clone()
    trainer.step(0, *crops())
    change = (network.head.weight.detach() - before).abs().sum((1, 2, 3))
    assert len(drawn) == 1
    assert (change[:24] > 0).all()
    assert (change[24:] == 0).all()


def test_bf16_steps_stay_close_to_fp32(recipe: Recipe):
    losses = []
    for precision in ("fp32", "bf16"):
        torch.manual_seed(0)
        generator = MFANet(Widths.uniform(8), residual="bicubic")
        stage = Stage(steps=3, learning_rate=1e-3)
        trainer = StageTrainer(dataclasses.replace(recipe, precision=precision), stage, generator, CPU)
        assert trainer.bf16 == (precision == "bf16")
        losses.append([trainer.step(number, *crops())["recon"] for number in range(3)])
    assert losses[1] == pytest.approx(losses[0], rel=2e-2)
    assert losses[1] != losses[0]
