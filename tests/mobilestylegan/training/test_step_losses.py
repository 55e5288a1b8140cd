import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mfagan.mobilestylegan.network import MobileStyleGAN, extract, forward_haar, inverse_haar
from mfagan.mobilestylegan.training.distances import resize_target
from mfagan.mobilestylegan.training.draws import Draws
from mfagan.mobilestylegan.training.recipe import LossWeights
from mfagan.mobilestylegan.training.step_losses import DiscriminatorObjective, DistillationObjective
from tests.mobilestylegan.training.small import WEIGHTS, build_teacher


def build() -> tuple[MobileStyleGAN, Tensor, list[Tensor], Tensor]:
    teacher = build_teacher()
    student = MobileStyleGAN.for_teacher(teacher)
    z, noise = Draws(8, teacher.synthesis.noise_sides, 2, 0).draw(0)
    with torch.no_grad():
        w = teacher.styles(z)
        return student, w, noise, teacher.synthesis(w, noise)


@pytest.mark.parametrize("targets", ["bilinear", "area"])
def test_all_heads_are_added_with_equal_weights(targets):
    student, w, noise, image = build()
    terms, made = DistillationObjective(student.synthesis, WEIGHTS, targets)(w, noise, image, 0)
    rgb = dwt = torch.zeros(())
    for bands, side in zip(student.synthesis.forward_heads(w, noise), (8, 16), strict=True):
        target = resize_target(image, side, targets)
        difference = inverse_haar(bands) - target
        rgb = rgb + difference.abs().mean() + difference.square().mean()
        difference = bands - forward_haar(target)
        dwt = dwt + difference.abs().mean() + difference.square().mean()
    assert set(terms) == {"rgb", "dwt"}
    torch.testing.assert_close(terms["rgb"], rgb)
    torch.testing.assert_close(terms["dwt"], dwt)
    torch.testing.assert_close(made, student.synthesis(w, noise))


def test_a_student_that_makes_its_teachers_images_has_no_loss():
    student, w, noise, _ = build()
    with torch.no_grad():
        image = student.synthesis(w, noise)
    terms, _ = DistillationObjective(student.synthesis, WEIGHTS)(w, noise, image, 0)
    assert terms["rgb"] > 0.1  # the lower head is another image
    student.synthesis.forward_heads = lambda w, noise: [  # type: ignore[method-assign]
        forward_haar(resize_target(image, side, "bilinear")) for side in (8, 16)
    ]
    terms, _ = DistillationObjective(student.synthesis, WEIGHTS)(w, noise, image, 0)
    assert max(term.item() for term in terms.values()) < 1e-5


def test_a_weight_shared_students_terms_are_the_mean_over_its_slices():
    student, w, noise, image = build()
    slices = [(16, 16), (8, 8), (12, 8)]
    objective = DistillationObjective(student.synthesis, WEIGHTS, draw=lambda number: slices[: number + 1])
    terms, made = objective(w, noise, image, 2)
    single = [
        DistillationObjective(extract(student.synthesis, channels), WEIGHTS)(w, noise, image, 0)
        for channels in slices
    ]
    for name in ("rgb", "dwt"):
        torch.testing.assert_close(terms[name], torch.stack([one[name] for one, _ in single]).mean())
    torch.testing.assert_close(made, single[0][1])
    torch.testing.assert_close(objective(w, noise, image, 0)[0]["rgb"], single[0][0]["rgb"])


def test_the_adversarial_term_is_not_saturating_and_trains_the_student_alone():
    student, w, noise, image = build()
    critic = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 1)).requires_grad_(False)
    objective = DistillationObjective(student.synthesis, LossWeights(adv=0.5), discriminator=critic)
    terms, made = objective(w, noise, image, 0)
    torch.testing.assert_close(terms["adv"], F.softplus(-critic(made)).mean())
    terms["adv"].backward()
    assert student.synthesis.constant.grad is not None
    assert {id(one) for one in objective.parameters()} == {id(one) for one in student.synthesis.parameters()}


class Linear(nn.Module):
    """Its gradient is its weight everywhere."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(3, 4, 4))

    def forward(self, x: Tensor) -> Tensor:
        return (x * self.weight).sum((1, 2, 3))[:, None]


def test_r1_is_the_squared_gradient_of_real_images():
    torch.manual_seed(0)
    critic = Linear()
    real, fake = torch.randn(2, 2, 3, 4, 4)
    terms = DiscriminatorObjective(critic)(real, fake, penalised=True)
    torch.testing.assert_close(terms["r1"], critic.weight.square().sum())
    torch.testing.assert_close(terms["real"], F.softplus(-critic(real)).mean())
    torch.testing.assert_close(terms["fake"], F.softplus(critic(fake)).mean())
    terms["r1"].backward()
    torch.testing.assert_close(critic.weight.grad, 2 * critic.weight)
    assert "r1" not in DiscriminatorObjective(critic)(real, fake, penalised=False)


def test_gradients_of_a_slice_equal_those_of_the_slice_alone():
    """At the full student's weights, which the slice shares."""
    student, w, noise, image = build()
    channels = (8, 8)
    small = extract(student.synthesis, channels)
    for objective in (
        DistillationObjective(student.synthesis, WEIGHTS, draw=lambda number: [channels]),
        DistillationObjective(small, WEIGHTS),
    ):
        terms, _ = objective(w, noise, image, 0)
        sum(terms.values(), torch.zeros(())).backward()
    pairs = dict(student.synthesis.named_parameters())
    for name, one in small.named_parameters():
        grad = pairs[name].grad
        assert grad is not None
        torch.testing.assert_close(grad[tuple(slice(n) for n in one.shape)], one.grad)
