"""The losses of MFAGAN's paper (section 3.5), equations (1) to (6), and the discriminator's loss.

Every distance is taken in float32 at least, whatever precision the networks ran in.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mfagan.errors import InputError

__all__ = [
    "Norm",
    "PerceptualLoss",
    "adapters",
    "discriminator_loss",
    "distillation_loss",
    "feature_distance",
    "generator_adversarial_loss",
    "reconstruction_loss",
    "weighted_sum",
]

Norm = Literal["mse", "l2"]
"""How feature maps are compared: the paper's text says mean square error, its formulas a 2-norm.

mse: the mean of the squared differences. l2: each image's 2-norm, divided by the root of its number of
elements so that neither width nor crop size changes its scale, then averaged over the batch: for one image,
the root of mse.
"""

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


def weighted_sum(terms: Mapping[str, Tensor], weights: Mapping[str, float]) -> Tensor:
    """Equation (1): the sum over terms of weight x term.

    A term whose weight is 0 or not given is skipped, so that it may be NaN.

    Args:
        terms: scalars by name.
        weights: by the terms' names.

    Returns:
        A scalar.

    Raises:
        InputError: a weight that is not 0 names no term, or no term has a weight.
    """
    for name, weight in weights.items():
        if weight and name not in terms:
            raise InputError(
                f"loss {name!r} has weight {weight} but was not computed; known: {', '.join(terms)}"
            )
    weighed = [weights[name] * term for name, term in terms.items() if weights.get(name)]
    if not weighed:
        raise InputError(f"no loss has a weight: {dict(weights)}; weigh at least one of {', '.join(terms)}")
    return torch.stack(weighed).sum()


def reconstruction_loss(sr: Tensor, hr: Tensor) -> Tensor:
    """Equation (2): the mean absolute difference of images.

    Args:
        sr: generated images (N, 3, H, W).
        hr: the originals, likewise.

    Returns:
        A scalar.
    """
    return F.l1_loss(*_widened(sr, hr))


def feature_distance(features: Tensor, target: Tensor, norm: Norm = "mse") -> Tensor:
    """The distance of feature maps; equal maps get no gradient.

    Args:
        features: (N, C, H, W).
        target: likewise.
        norm: how they are compared, see `Norm`.

    Returns:
        A scalar.
    """
    features, target = _widened(features, target)
    if norm == "mse":
        return F.mse_loss(features, target)
    difference = (features - target).flatten(1)  # (N, C H W)
    return torch.linalg.vector_norm(difference, dim=1).mean() / difference.shape[1] ** 0.5


def adapters(student_channels: Sequence[int], teacher_channels: Sequence[int]) -> nn.ModuleList:
    """Make learned 1x1 convolutions from each student layer's channels to its teacher layer's, for training alone.

    The paper names none, though student and teacher differ in width; FitNets and GAN Compression use these.

    Args:
        student_channels: of each layer.
        teacher_channels: of the same layers.

    Returns:
        One convolution a layer.
    """
    return nn.ModuleList(
        nn.Conv2d(student, teacher, 1)
        for student, teacher in zip(student_channels, teacher_channels, strict=True)
    )


def distillation_loss(
    student_features: Sequence[Tensor],
    teacher_features: Sequence[Tensor],
    adapters: nn.ModuleList,
    norm: Norm = "mse",
) -> Tensor:
    """Equations (3) and (4): the mean over layers of the distance from adapter(student) to teacher.

    Args:
        student_features: of each layer, (N, C, H, W) with its own C.
        teacher_features: of the same layers; they receive no gradient.
        adapters: one a layer, as `adapters` makes them.
        norm: how the features are compared, see `Norm`.

    Returns:
        A scalar.
    """
    layers = zip(student_features, teacher_features, adapters, strict=True)
    distances = [
        feature_distance(adapter(student), teacher.detach(), norm) for student, teacher, adapter in layers
    ]
    return torch.stack(distances).mean()


class PerceptualLoss(nn.Module):
    """Equation (5): the distance of two images in the feature space of a VGG; the paper's is VGG19, conv5_4.

    Of several layers it is the weighted sum, as in Real-ESRGAN (Wang et al. 2021).
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self, vgg_features: nn.Module, norm: Norm = "mse", weights: Sequence[float] = (1.0,)
    ) -> None:
        """Make the loss.

        Args:
            vgg_features: images normalised for ImageNet -> one feature map or a tuple of them, as
                `pretrained.load_vgg` gives; frozen here.
            norm: how the features are compared, see `Norm`.
            weights: one for each feature map.
        """
        super().__init__()
        self.features = vgg_features.requires_grad_(False)
        self.norm: Norm = norm
        self.weights = tuple(weights)
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(1, 3, 1, 1), persistent=False)

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        """Compute the distance.

        Args:
            sr: generated images (N, 3, H, W), RGB in [0, 1], at least 16 x 16.
            hr: the originals, likewise; they receive no gradient.

        Returns:
            A scalar.
        """
        layers = zip(self._describe(sr), self._describe(hr.detach()), self.weights, strict=True)
        distances = [weight * feature_distance(x, y, self.norm) for x, y, weight in layers]
        return torch.stack(distances).sum()

    def _describe(self, images: Tensor) -> tuple[Tensor, ...]:
        found = self.features((images - self.mean) / self.std)
        return found if isinstance(found, tuple) else (found,)


def generator_adversarial_loss(fake_logits: Tensor) -> Tensor:
    """Equation (6): -log D(G(x)), the mean over patches.

    Args:
        fake_logits: the discriminator's, of generated images.

    Returns:
        A scalar.
    """
    return F.softplus(-_wide(fake_logits)).mean()


def discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """The discriminator's minimax loss: -log D(y) - log(1 - D(G(x))), each the mean over patches.

    Args:
        real_logits: of originals.
        fake_logits: of generated images.

    Returns:
        A scalar.
    """
    return F.softplus(-_wide(real_logits)).mean() + F.softplus(_wide(fake_logits)).mean()


def _wide(x: Tensor) -> Tensor:
    return x.to(torch.promote_types(x.dtype, torch.float32))


def _widened(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    return _wide(x), _wide(y)
