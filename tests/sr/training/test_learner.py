import dataclasses

import pytest
import torch

from mfagan.networks.discriminators import PatchGAN
from mfagan.sr.network.mfanet import MFANet
from mfagan.sr.network.supergenerator import SuperGenerator
from mfagan.sr.network.widths import Widths
from mfagan.sr.training.distillation import Distillation
from mfagan.sr.training.learner import GANLearner
from mfagan.sr.training.recipe import LossWeights, Recipe, Sampling, Stage
from mfagan.sr.training.stages import read_recipe
from mfagan.training.fabric import make_fabric
from mfagan.training.losses import PerceptualLoss

FP32 = make_fabric("cpu", "fp32")


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


def test_a_plain_stage_trains_the_generator_on_l1(recipe: Recipe):
    generator = MFANet(Widths.uniform(8), residual="bicubic")
    stage = Stage(steps=5, learning_rate=1e-3, weights=LossWeights(recon=1))
    trainer = GANLearner(recipe, stage, generator, FP32)
    lr, hr = crops()
    terms = [trainer.step(number, lr, hr) for number in range(5)]
    assert set(terms[0]) == {"recon", "gradient", "learning_rate"}
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
    trainer = GANLearner(
        recipe,
        stage,
        student,
        FP32,
        discriminator=discriminator,
        distillation=distillation,
        perceptual=perceptual,
    )
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
    losses = {"recon", "percep", "adv", "distill_g", "discriminator", "distill_d"}
    assert set(terms) == losses | {"gradient", "discriminator_gradient", "learning_rate"}
    assert all(moved(module, before) for module, before in learned)
    assert not any(moved(module, before) for module, before in frozen)


def test_the_adversarial_term_alone_moves_the_generator(recipe: Recipe):
    torch.manual_seed(0)
    generator, discriminator = MFANet(Widths.uniform(8)), PatchGAN(4)
    stage = Stage(steps=1, learning_rate=1e-3, weights=LossWeights(recon=0, adv=10))
    before = snapshot(generator)
    GANLearner(recipe, stage, generator, FP32, discriminator=discriminator).step(0, *crops())
    assert moved(generator, before)


def test_the_discriminator_learns_to_tell_real_from_generated(recipe: Recipe):
    torch.manual_seed(0)
    generator, discriminator = MFANet(Widths.uniform(8)), PatchGAN(4)
    stage = Stage(steps=30, learning_rate=1e-3, weights=LossWeights(recon=1))
    trainer = GANLearner(recipe, stage, generator, FP32, discriminator=discriminator)
    lr, hr = crops()
    losses = [trainer.step(number, lr, hr)["discriminator"] for number in range(30)]
    assert losses[-1] < 0.7 * losses[0]


def supernet() -> SuperGenerator:
    torch.manual_seed(0)
    network = SuperGenerator(Widths.uniform(48), residual="bicubic")
    torch.nn.init.normal_(network.fusion.reconstruct.weight, std=0.1)
    return network


def test_a_supernet_stage_trains_the_widths_that_are_drawn(recipe: Recipe):
    network = supernet()
    stage = Stage(steps=1, learning_rate=1e-3, weights=LossWeights(recon=1))
    drawn = []

    def draw(number: int) -> list[Widths]:
        drawn.append(number)
        return [Widths.uniform(24)]

    trainer = GANLearner(recipe, stage, network, FP32, draw=draw)
    before = network.head.weight.detach().clone()
    trainer.step(5, *crops())
    change = (network.head.weight.detach() - before).abs().sum((1, 2, 3))
    assert drawn == [5]
    assert (change[:24] > 0).all()
    assert (change[24:] == 0).all()


def slice_losses(network: SuperGenerator, widths: Widths, target: torch.Tensor) -> torch.Tensor:
    return (network(crops()[0], widths) - target).abs().mean()


@pytest.mark.parametrize("in_place", [0.0, 0.25, 1.0])
def test_sandwich_losses(recipe: Recipe, in_place: float):
    """The full width learns the original, the others a mixture of it and the full width's output."""
    network = supernet()
    widths = [Widths.uniform(48), Widths.uniform(24), Widths.uniform(32)]
    stage = Stage(
        steps=1, learning_rate=1e-3, sampling=Sampling(rule="sandwich", n_random=1, in_place=in_place)
    )
    trainer = GANLearner(recipe, stage, network, FP32, draw=lambda number: widths)
    hr = crops()[1]
    taught = network(crops()[0]).detach()
    expected = slice_losses(network, widths[0], hr)
    for one in widths[1:]:
        expected = expected + (1 - in_place) * slice_losses(network, one, hr)
        expected = expected + in_place * slice_losses(network, one, taught)
    (expected / 3).backward()
    gradient = network.head.weight.grad
    assert gradient is not None
    gradient = gradient.clone()
    terms = trainer.step(0, *crops())
    assert terms["recon"].item() == pytest.approx(expected.item() / 3, rel=1e-5)
    assert network.head.weight.grad is not None
    torch.testing.assert_close(network.head.weight.grad, gradient, rtol=1e-4, atol=1e-7)


def test_clipping(recipe: Recipe):
    torch.manual_seed(0)
    clipped = dataclasses.replace(recipe, clip_norm=1e-3)
    generator = MFANet(Widths.uniform(8), residual="bicubic")
    terms = GANLearner(clipped, Stage(steps=1, learning_rate=1e-3), generator, FP32).step(0, *crops())
    norms = [parameter.grad.norm() for parameter in generator.parameters() if parameter.grad is not None]
    assert terms["gradient"] > 1e-2
    assert torch.stack(norms).norm().item() == pytest.approx(1e-3, rel=1e-3)


def test_bf16_steps_stay_close_to_fp32(recipe: Recipe):
    losses = []
    for precision in ("fp32", "bf16"):
        torch.manual_seed(0)
        generator = MFANet(Widths.uniform(8), residual="bicubic")
        trainer = GANLearner(
            recipe, Stage(steps=3, learning_rate=1e-3), generator, make_fabric("cpu", precision)
        )
        losses.append([trainer.step(number, *crops())["recon"].item() for number in range(3)])
    assert losses[1] == pytest.approx(losses[0], rel=2e-2)
    assert losses[1] != losses[0]
