"""The losses by hand: least squares and cross-entropies, pairs, cycles, identity, teachers, masks."""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mfagan.coronetgan.network import ResnetTranslator
from mfagan.coronetgan.network.hyper.translator import HyperTranslator
from mfagan.coronetgan.training.objectives import (
    CycleObjective,
    DiscriminatorObjective,
    PairObjective,
    TranslatorPair,
    adversarial_loss,
)


class Judge(nn.Module):
    """The mean of the pictures as the one logit."""

    def forward(self, x: Tensor) -> Tensor:
        return x.mean().view(1, 1, 1, 1)


class Scale(nn.Module):
    def __init__(self, by: float) -> None:
        super().__init__()
        self.by = nn.Parameter(torch.tensor(by))

    def forward(self, x: Tensor, gates: object = None) -> Tensor:
        return x * self.by


A, B = torch.full((1, 3, 4, 4), 0.5), torch.full((1, 3, 4, 4), 0.2)


def judges(*names: str) -> nn.ModuleDict:
    return nn.ModuleDict({name: Judge() for name in names})


@pytest.mark.parametrize("real", [True, False])
def test_adversarial_losses(real: bool):
    logits = torch.tensor([0.5, -1.0])
    squares = [(0.5 - real) ** 2, (-1 - real) ** 2]
    assert adversarial_loss(logits, real, "lsgan").item() == pytest.approx(sum(squares) / 2)
    wanted = F.binary_cross_entropy_with_logits(logits, torch.full((2,), float(real)))
    assert adversarial_loss(logits, real, "vanilla").item() == pytest.approx(wanted.item())


def test_pairs_are_judged_beside_what_they_are_made_of():
    objective = PairObjective(Scale(0.8), judges("discriminator"), "lsgan", True, None, ())
    terms, shown = objective(A, B, 0)
    assert terms["l1"].item() == pytest.approx(0.2)
    assert terms["gan"].item() == pytest.approx((1 - 0.45) ** 2)
    real, fake = shown["discriminator"]
    assert torch.equal(real, torch.cat((A, B), 1))
    assert fake.shape == (1, 6, 4, 4)
    assert not fake.requires_grad
    judged = DiscriminatorObjective(judges("discriminator"), "vanilla")(shown)
    assert judged["real"].item() == pytest.approx(math.log1p(math.exp(-0.35)))
    assert judged["fake"].item() == pytest.approx(math.log1p(math.exp(0.45)))


def test_a_teacher_takes_the_place_of_the_pairs():
    teacher: list = [Scale(0.6)]
    terms, _ = PairObjective(Scale(0.8), judges("discriminator"), "lsgan", True, None, teacher)(A, B, 0)
    assert terms["l1"].item() == pytest.approx(0.1)


@pytest.mark.parametrize("identity", [True, False])
def test_cycles(identity: bool):
    pair = TranslatorPair(Scale(0.8), Scale(0.5))
    names = ("discriminator_a", "discriminator_b")
    objective = CycleObjective(pair, judges(*names), "lsgan", True, None, (), identity=identity)
    terms, shown = objective(A, B, 0)
    assert terms["gan_a"].item() == pytest.approx(0.6**2)
    assert terms["gan_b"].item() == pytest.approx(0.9**2)
    assert terms["cycle"].item() == pytest.approx(0.6 * 0.5 + 0.6 * 0.2)
    assert ("identity" in terms) == identity
    if identity:
        assert terms["identity"].item() == pytest.approx(0.2 * 0.2 + 0.5 * 0.5)
    assert torch.equal(shown["discriminator_a"][0], B)
    assert shown["discriminator_a"][1].mean().item() == pytest.approx(0.4)
    assert shown["discriminator_b"][1].mean().item() == pytest.approx(0.1)


def test_teachers_of_two_translators_make_pairs():
    teachers: list = [Scale(0.6), Scale(1.0)]
    names = ("discriminator_a", "discriminator_b")
    pair = TranslatorPair(Scale(0.8), Scale(0.5))
    terms, _ = CycleObjective(pair, judges(*names), "lsgan", True, None, teachers, identity=True)(A, B, 0)
    assert set(terms) == {"gan_a", "gan_b", "l1"}
    assert terms["l1"].item() == pytest.approx(0.1 + 0.1)


@pytest.mark.parametrize("masked", [True, False])
def test_masks_have_effect_in_the_search_or_not_before_they_are_baked(masked: bool):
    torch.manual_seed(0)
    network = HyperTranslator(ResnetTranslator.full(8, 1))
    with torch.no_grad():
        for one in network.hypernetworks.parameters():
            one.add_(0.1 * torch.randn_like(one))
    network.set_masks({name: torch.arange(len(z)) < len(z) // 2 for name, z in network.prunable().items()})
    x = torch.randn(1, 3, 16, 16)
    objective = PairObjective(network, judges("discriminator"), "lsgan", masked, None, ())
    _, shown = objective(x, x, 0)
    made = shown["discriminator"][1][:, 3:]
    assert torch.allclose(made, network(x, masked=masked), atol=1e-5)
    assert not torch.allclose(made, network(x, masked=not masked), atol=1e-2)


def test_terms_of_several_slices_are_averaged():
    translator = ResnetTranslator.full(8, 1)
    gates = [{}, {"stem": torch.zeros(8)}]
    every = [
        PairObjective(
            translator, judges("discriminator"), "lsgan", True, lambda number, drawn=drawn: drawn, ()
        )(
            A.expand(1, 3, 16, 16) if A.shape[-1] == 16 else torch.ones(1, 3, 16, 16),
            torch.zeros(1, 3, 16, 16),
            0,
        )[0]["l1"].item()
        for drawn in ([gates[0]], [gates[1]], gates)
    ]
    assert every[2] == pytest.approx((every[0] + every[1]) / 2)
    assert every[0] != every[1]
