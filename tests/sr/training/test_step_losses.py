import itertools

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mfagan.networks.discriminators import PatchGAN
from mfagan.sr.network.discriminators import ESRGANDiscriminator
from mfagan.sr.network.mfanet import MFANet
from mfagan.sr.network.supergenerator import SuperGenerator
from mfagan.sr.network.widths import Widths
from mfagan.sr.training.distillation import Distillation
from mfagan.sr.training.recipe import LossWeights
from mfagan.sr.training.step_losses import DiscriminatorObjective, ElasticObjective, GeneratorObjective
from mfagan.training.losses import PerceptualLoss, discriminator_loss, generator_adversarial_loss


def crops() -> tuple[Tensor, Tensor]:
    torch.manual_seed(0)
    return torch.rand(2, 3, 16, 16), torch.rand(2, 3, 64, 64)


def generator() -> MFANet:
    torch.manual_seed(0)
    return MFANet(Widths.uniform(8))


def perceptual() -> PerceptualLoss:
    torch.manual_seed(0)
    return PerceptualLoss(nn.Conv2d(3, 4, 3))  # random weights: only that it takes part is tested


def distillation(student: MFANet, discriminator: PatchGAN) -> Distillation:
    torch.manual_seed(0)
    return Distillation(MFANet(Widths.uniform(12)), PatchGAN(6), student, discriminator)


def trained(module: nn.Module) -> set[Tensor]:
    return {parameter for parameter in module.parameters() if parameter.requires_grad}


# The generator's


@pytest.mark.parametrize("weighed", list(itertools.product([False, True], repeat=3)))
def test_terms_are_those_that_have_a_weight(weighed: tuple[bool, ...]):
    percep, adv, distill_g = weighed
    student, discriminator = generator(), PatchGAN(4)
    weights = LossWeights(percep=float(percep), adv=float(adv), distill_g=float(distill_g))
    objective = GeneratorObjective(
        student, weights, discriminator, distillation(student, discriminator), perceptual()
    )
    terms, _ = objective(*crops(), 0)
    named = {"percep": percep, "adv": adv, "distill_g": distill_g}
    assert set(terms) == {"recon"} | {name for name, wanted in named.items() if wanted}
    assert all(term.shape == () and term.isfinite() for term in terms.values())


def test_a_weight_without_its_part_gives_no_term():
    """The demo goes on without VGG19."""
    terms, _ = GeneratorObjective(generator(), LossWeights(percep=1, adv=1, distill_g=1))(*crops(), 0)
    assert set(terms) == {"recon"}


def test_terms_are_unweighted_losses_of_the_enlarged_images():
    student, discriminator, vgg = generator(), PatchGAN(4), perceptual()
    weights = LossWeights(recon=7, percep=7, adv=7, distill_g=7)
    teaching = distillation(student, discriminator)
    lr, hr = crops()
    terms, sr = GeneratorObjective(student, weights, discriminator, teaching, vgg)(lr, hr, 0)
    torch.testing.assert_close(sr, student(lr))
    torch.testing.assert_close(terms["recon"], (sr - hr).abs().mean())
    torch.testing.assert_close(terms["percep"], vgg(sr, hr))
    torch.testing.assert_close(terms["adv"], generator_adversarial_loss(discriminator(sr)))
    taps = student.forward_with_taps(lr)[1]
    torch.testing.assert_close(terms["distill_g"], teaching.generator_loss(lr, taps))


@pytest.mark.parametrize("distill_g", [0.0, 0.05])
def test_its_optimizer_trains_the_generator_and_adapters_in_use_alone(distill_g: float):
    student, discriminator, vgg = generator(), PatchGAN(4), perceptual()
    teaching = distillation(student, discriminator)
    weights = LossWeights(percep=1, adv=1, distill_g=distill_g)
    objective = GeneratorObjective(student, weights, discriminator, teaching, vgg)
    adapters = set(teaching.generator_adapters.parameters()) if distill_g else set()
    assert trained(objective) == set(objective.parameters()) == set(student.parameters()) | adapters
    names = {name.split(".")[0] for name in objective.state_dict()}
    assert names == ({"generator", "adapters"} if distill_g else {"generator"})


# The SuperGenerator's


def supernet() -> SuperGenerator:
    torch.manual_seed(0)
    return SuperGenerator(Widths.uniform(48))


@pytest.mark.parametrize("in_place", [0.0, 0.5])
def test_one_slice_learns_as_a_plain_network_does(in_place: float):
    network, widths, vgg = supernet(), Widths.uniform(24), perceptual()
    weights = LossWeights(percep=1)
    elastic = ElasticObjective(network, weights, lambda number: [widths], in_place, vgg)
    plain = GeneratorObjective(network.extract(widths), weights, perceptual=vgg)
    terms, sr = elastic(*crops(), 0)
    expected, picture = plain(*crops(), 0)
    torch.testing.assert_close(sr, picture, rtol=1e-4, atol=1e-5)
    assert terms.keys() == expected.keys() == {"recon", "percep"}
    for name, term in terms.items():
        torch.testing.assert_close(term, expected[name], rtol=1e-4, atol=1e-6)


def test_several_slices_learn_their_mean():
    network, widths = supernet(), [Widths.uniform(width) for width in (48, 24, 32)]
    drawn: list[int] = []

    def draw(number: int) -> list[Widths]:
        drawn.append(number)
        return widths

    lr, hr = crops()
    terms, sr = ElasticObjective(network, LossWeights(percep=1), draw, perceptual=perceptual())(lr, hr, 5)
    pictures = [network(lr, one) for one in widths]
    torch.testing.assert_close(sr, pictures[0])
    for name, distance in {"recon": F.l1_loss, "percep": perceptual()}.items():
        torch.testing.assert_close(terms[name], sum(distance(one, hr) for one in pictures) / len(pictures))
    assert drawn == [5]


def test_narrower_slices_can_weigh_more():
    network, widths = supernet(), [Widths.uniform(width) for width in (48, 24, 32)]
    lr, hr = crops()
    terms, _ = ElasticObjective(network, LossWeights(), lambda number: widths, narrow_weight=3.0)(lr, hr, 0)
    first, *others = (F.l1_loss(network(lr, one), hr) for one in widths)
    torch.testing.assert_close(terms["recon"], (first + 3 * sum(others)) / 7)


def test_with_in_place_distillation_alone_only_the_first_slice_sees_the_original():
    network, widths = supernet(), [Widths.uniform(48), Widths.uniform(24)]
    lr, hr = crops()
    objective = ElasticObjective(network, LossWeights(percep=1), lambda number: widths, 1.0, perceptual())
    terms, sr = objective(lr, hr, 0)
    (moved, _), narrow = objective(lr, hr + 1, 0), network(lr, widths[1])
    first = [F.l1_loss(sr, target) for target in (hr, hr + 1)]
    torch.testing.assert_close(2 * (moved["recon"] - terms["recon"]), first[1] - first[0])
    torch.testing.assert_close(2 * terms["recon"], first[0] + F.l1_loss(narrow, sr))
    expected = perceptual()(sr, hr) + perceptual()(narrow, sr)
    torch.testing.assert_close(2 * terms["percep"], expected)


def test_a_supergenerators_terms_and_parameters():
    network, vgg = supernet(), perceptual()
    objective = ElasticObjective(network, LossWeights(adv=1), lambda number: [Widths.uniform(24)], 0.0, vgg)
    assert set(objective(*crops(), 0)[0]) == {"recon"}
    assert set(objective.parameters()) == set(network.parameters())
    without = ElasticObjective(network, LossWeights(percep=1), lambda number: [Widths.uniform(24)])
    assert set(without(*crops(), 0)[0]) == {"recon"}


# The discriminator's


def test_telling_real_from_generated():
    discriminator = PatchGAN(4)
    hr, sr = crops()[1], torch.rand(2, 3, 64, 64, requires_grad=True)
    terms = DiscriminatorObjective(discriminator)(hr, sr)
    assert set(terms) == {"discriminator"}
    torch.testing.assert_close(
        terms["discriminator"], discriminator_loss(discriminator(hr), discriminator(sr))
    )
    terms["discriminator"].backward()
    assert sr.grad is None
    assert all(parameter.grad is not None for parameter in discriminator.parameters())


def test_a_distilled_one_gives_the_same_logits_and_learns_the_teachers_layers():
    discriminator = PatchGAN(4)
    teaching = distillation(generator(), discriminator)
    hr, sr = crops()[1], torch.rand(2, 3, 64, 64, requires_grad=True)
    objective = DiscriminatorObjective(discriminator, teaching)
    terms = objective(hr, sr)
    assert set(terms) == {"discriminator", "distill_d"}
    torch.testing.assert_close(
        terms["discriminator"], discriminator_loss(discriminator(hr), discriminator(sr))
    )
    images = torch.cat((hr, sr))
    expected = teaching.discriminator_loss(images, discriminator.taps(images)[1])
    torch.testing.assert_close(terms["distill_d"], expected)
    adapters = set(teaching.discriminator_adapters.parameters())
    assert trained(objective) == set(objective.parameters()) == set(discriminator.parameters()) | adapters
    (terms["discriminator"] + terms["distill_d"]).backward()
    assert sr.grad is None
    assert all(parameter.grad is not None for parameter in objective.parameters())


def test_any_discriminator_can_be_used():
    terms = DiscriminatorObjective(ESRGANDiscriminator(64, base=2))(crops()[1], torch.rand(2, 3, 64, 64))
    assert set(terms) == {"discriminator"}
    assert terms["discriminator"].isfinite()
