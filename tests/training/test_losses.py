import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mfagan.errors import InputError
from mfagan.training.losses import (
    Norm,
    PerceptualLoss,
    adapters,
    discriminator_loss,
    distillation_loss,
    feature_distance,
    generator_adversarial_loss,
    reconstruction_loss,
    weighted_sum,
)

BOTH_NORMS = pytest.mark.parametrize("norm", ["mse", "l2"])


def random(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def test_weighted_sum_known_value_and_gradients():
    recon, adv = (torch.tensor(value, requires_grad=True) for value in (2.0, 3.0))
    total = weighted_sum({"recon": recon, "adv": adv}, {"recon": 1, "adv": 10.0})
    assert total.item() == 32
    assert total.shape == ()
    total.backward()
    assert (recon.grad, adv.grad) == (1, 10)


def test_weighted_sum_skips_terms_without_weight_even_where_they_are_nan():
    nan = torch.tensor(math.nan, requires_grad=True)
    terms = {"recon": torch.tensor(2.0, requires_grad=True), "percep": nan, "adv": nan}
    total = weighted_sum(terms, {"recon": 0.5, "percep": 0, "distill_g": 0.0})
    total.backward()
    assert total.item() == 1
    assert nan.grad is None


def test_weighted_sum_refuses_a_weight_without_a_term():
    with pytest.raises(InputError, match=r"'percap' has weight 1 but was not computed; known: recon"):
        weighted_sum({"recon": torch.tensor(1.0)}, {"recon": 1, "percap": 1})


@pytest.mark.parametrize("weights", [{}, {"recon": 0.0}])
def test_weighted_sum_refuses_to_sum_nothing(weights: dict[str, float]):
    with pytest.raises(InputError, match="no loss has a weight"):
        weighted_sum({"recon": torch.tensor(1.0)}, weights)


def test_reconstruction_is_the_mean_absolute_difference():
    hr = random(2, 3, 4, 5)
    sr = hr.clone()
    sr[1, 2, 3, 4] -= 6  # one element of 120
    assert reconstruction_loss(sr, hr).item() == pytest.approx(6 / 120)
    assert reconstruction_loss(hr, sr) == reconstruction_loss(sr, hr)
    assert reconstruction_loss(hr, hr) == 0


def test_feature_distances_known_values():
    target = torch.zeros(2, 3, 2, 2, dtype=torch.float64)
    features = target.clone()
    features[0] += 3
    features[1] += 4
    assert feature_distance(features, target, "mse").item() == pytest.approx((9 + 16) / 2)
    assert feature_distance(features, target, "l2").item() == pytest.approx((3 + 4) / 2)


def test_l2_is_the_formulas_norm_up_to_a_constant():
    features, target = random(2, 3, 4, 5), random(2, 3, 4, 5, seed=1)
    norms = [torch.sqrt(((a - b) ** 2).sum()) for a, b in zip(features, target, strict=True)]
    expected = sum(norms) / 2 / math.sqrt(3 * 4 * 5)
    torch.testing.assert_close(feature_distance(features, target, "l2"), expected)


@BOTH_NORMS
def test_distance_scale_does_not_depend_on_crop_or_width(norm: Norm):
    features, target = random(2, 3, 4, 5), random(2, 3, 4, 5, seed=1)
    tiled = feature_distance(features.repeat(1, 2, 3, 2), target.repeat(1, 2, 3, 2), norm)
    torch.testing.assert_close(tiled, feature_distance(features, target, norm))


@BOTH_NORMS
def test_equal_features_are_at_distance_0_with_gradient_0(norm: Norm):
    features = random(2, 3, 4, 5).requires_grad_()
    distance = feature_distance(features, features.detach().clone(), norm)
    distance.backward()
    assert distance == 0
    assert features.grad is not None
    assert not features.grad.any()  # NaN would count


@BOTH_NORMS
def test_gradient_by_finite_differences(norm: Norm):
    target = random(2, 2, 2, 2, seed=1)
    assert torch.autograd.gradcheck(
        lambda x: feature_distance(x, target, norm), random(2, 2, 2, 2).requires_grad_()
    )


@BOTH_NORMS
def test_half_precision_is_widened_before_it_is_squared(norm: Norm):
    features = torch.full((1, 2, 3, 3), 300.0, dtype=torch.float16)  # 300^2 is beyond half precision
    distance = feature_distance(features, torch.zeros_like(features), norm)
    assert distance.dtype == torch.float32
    assert distance.item() == pytest.approx({"mse": 90_000, "l2": 300}[norm])


def test_adapters_are_one_1x1_convolution_a_layer():
    made = adapters([4, 6], [8, 5])
    assert [tuple(weight.shape) for name, weight in made.named_parameters() if "weight" in name] == [
        (8, 4, 1, 1),
        (5, 6, 1, 1),
    ]
    assert all(parameter.requires_grad for parameter in made.parameters())
    with pytest.raises(ValueError, match="zip"):
        adapters([4, 6], [8])


@BOTH_NORMS
def test_distillation_is_the_mean_over_layers_of_adapted_distances(norm: Norm):
    students = [random(2, 2, 4, 4), random(2, 3, 2, 2)]
    teachers = [random(2, 5, 4, 4, seed=1), random(2, 4, 2, 2, seed=2)]
    made = adapters([2, 3], [5, 4]).double()
    lifted = [
        torch.einsum("oi,nihw->nohw", weight[:, :, 0, 0], student) + bias[None, :, None, None]
        for (weight, bias), student in zip((made[i].parameters() for i in range(2)), students, strict=True)
    ]
    expected = sum(feature_distance(a, b, norm) for a, b in zip(lifted, teachers, strict=True)) / 2
    torch.testing.assert_close(distillation_loss(students, teachers, made, norm), expected)


def test_distillation_trains_student_and_adapters_but_not_the_teacher():
    student, teacher = random(2, 2, 4, 4).requires_grad_(), random(2, 5, 4, 4, seed=1).requires_grad_()
    made = adapters([2], [5]).double()
    distillation_loss([student], [teacher], made).backward()
    assert teacher.grad is None
    for tensor in (student, *made.parameters()):
        assert tensor.grad is not None
        assert tensor.grad.abs().sum() > 0


def test_distillation_needs_as_many_layers_on_both_sides():
    layer = random(1, 2, 4, 4)
    with pytest.raises(ValueError, match="zip"):
        distillation_loss([layer, layer], [layer], adapters([2, 2], [2, 2]).double())


def test_perceptual_loss_normalises_as_imagenet():
    class Recorder(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            seen.append(x)
            return x

    seen: list[Tensor] = []
    black, white = torch.zeros(1, 3, 16, 16), torch.ones(1, 3, 16, 16)
    loss = PerceptualLoss(Recorder())(white, black)
    white_seen, black_seen = (x[0, :, 0, 0].tolist() for x in seen)
    assert white_seen == pytest.approx([(1 - 0.485) / 0.229, (1 - 0.456) / 0.224, (1 - 0.406) / 0.225])
    assert black_seen == pytest.approx([-0.485 / 0.229, -0.456 / 0.224, -0.406 / 0.225])
    assert loss.item() == pytest.approx((0.229**-2 + 0.224**-2 + 0.225**-2) / 3)


@BOTH_NORMS
def test_perceptual_loss_compares_features(norm: Norm):
    features = nn.Conv2d(3, 4, 3).double()
    loss = PerceptualLoss(features, norm).double()
    sr, hr = random(2, 3, 16, 16).requires_grad_(), random(2, 3, 16, 16, seed=1)
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    described_sr, described_hr = (
        features(((x.movedim(1, -1) - mean) / std).movedim(-1, 1)) for x in (sr, hr)
    )
    expected = feature_distance(described_sr, described_hr, norm)
    torch.testing.assert_close(loss(sr, hr), expected, rtol=1e-6, atol=0)
    assert loss(hr, hr) == 0


def test_perceptual_loss_trains_the_sr_image_alone():
    features = nn.Conv2d(3, 4, 3)
    loss = PerceptualLoss(features)
    sr, hr = (torch.rand(1, 3, 16, 16).requires_grad_() for _ in range(2))
    loss(sr, hr).backward()
    assert sr.grad is not None
    assert sr.grad.abs().sum() > 0
    assert hr.grad is None
    assert features.weight.grad is None
    assert not any(parameter.requires_grad for parameter in loss.parameters())


def test_adversarial_losses_from_probabilities():
    real, fake = random(2, 1, 3, 3), random(2, 1, 3, 3, seed=1)
    torch.testing.assert_close(generator_adversarial_loss(fake), -fake.sigmoid().log().mean())
    expected = F.binary_cross_entropy(real.sigmoid(), torch.ones_like(real))
    expected = expected + F.binary_cross_entropy(fake.sigmoid(), torch.zeros_like(fake))
    torch.testing.assert_close(discriminator_loss(real, fake), expected)


def test_adversarial_losses_of_an_undecided_discriminator():
    undecided = torch.zeros(4, 1, 2, 2)
    assert generator_adversarial_loss(undecided).item() == pytest.approx(math.log(2))
    assert discriminator_loss(undecided, undecided).item() == pytest.approx(2 * math.log(2))


def test_adversarial_losses_stay_finite_where_probabilities_would_not():
    sure = torch.full((1, 1, 1, 1), 1000.0, requires_grad=True)
    loss = generator_adversarial_loss(-sure)  # D is certain that the image is generated
    loss.backward()
    assert loss.item() == 1000
    assert sure.grad is not None
    assert sure.grad.item() == 1
    assert discriminator_loss(sure, -sure).item() == 0
    assert discriminator_loss(-sure, sure).item() == 2000


def test_adversarial_losses_pull_in_opposite_directions():
    real, fake = (torch.zeros(1, 1, 2, 2, requires_grad=True) for _ in range(2))
    (to_fool,) = torch.autograd.grad(generator_adversarial_loss(fake), fake)
    to_tell = torch.autograd.grad(discriminator_loss(real, fake), [real, fake])
    assert (to_fool < 0).all()
    assert (to_tell[0] < 0).all()
    assert (to_tell[1] > 0).all()


def test_losses_of_half_precision_come_in_float32():
    half = torch.full((1, 1, 2, 2), 0.3, dtype=torch.bfloat16)
    for loss in (
        generator_adversarial_loss(half),
        discriminator_loss(half, half),
        reconstruction_loss(half, half.float()),
    ):
        assert loss.dtype == torch.float32
