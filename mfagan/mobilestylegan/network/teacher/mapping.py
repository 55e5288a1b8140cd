"""The mapping network of StyleGAN2: latents z -> styles w (Karras et al. 2019, section 2)."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mfagan.errors import InputError
from mfagan.graph.operators import Block
from mfagan.graph.recorder import OperatorRecorder
from mfagan.mobilestylegan.network.layers.linear import EqualisedLinear
from mfagan.mobilestylegan.network.layers.modulation import EPSILON, GAIN, SLOPE

__all__ = ["Mapping", "normalise"]


def normalise(z: Tensor) -> Tensor:
    """Scale each latent to a mean square of 1 (PixelNorm).

    Args:
        z: (N, features).
    """
    return z * z.square().mean(1, keepdim=True).add(EPSILON).rsqrt()


class Mapping(nn.Module):
    """z normalised, then equalised linear layers, each with LeakyReLU 0.2 times sqrt(2)."""

    def __init__(self, features: int = 512, n_layers: int = 8, lr_mul: float = 0.01) -> None:
        """Make an untrained mapping network.

        Args:
            features: Numbers of z and of w.
            n_layers: How many layers; 8, or 2 in the `cfg=auto` of StyleGAN2-ADA.
            lr_mul: As in `EqualisedLinear`.

        Raises:
            InputError: No layer or no features, or `lr_mul` is not positive.
        """
        super().__init__()
        if features < 1 or n_layers < 1 or not 0 < lr_mul < math.inf:
            raise InputError(
                f"mapping network: {n_layers} layers of {features} features, lr_mul {lr_mul}; give positive numbers"
            )
        self.features = features
        self.lr_mul = lr_mul
        self.layers = nn.ModuleList(EqualisedLinear(features, features, lr_mul) for _ in range(n_layers))

    def forward(self, z: Tensor) -> Tensor:
        """Compute styles.

        Args:
            z: Latents, (N, features), of N(0, 1).

        Returns:
            Styles w, (N, features).

        Raises:
            InputError: Latents of another shape.
        """
        if z.dim() != 2 or z.shape[1] != self.features:
            raise InputError(f"latents of the shape {tuple(z.shape)}: give (N, {self.features})")
        w = normalise(z)
        for layer in self.layers:
            # leaky_relu(x) sqrt(2) = leaky_relu(x sqrt(2)): the factor is in the weights.
            w = F.leaky_relu(layer(w, GAIN), SLOPE)
        return w

    @torch.no_grad()
    def mean_style(self, count: int = 4096, seed: int = 0) -> Tensor:
        """The mean of random styles, for truncation.

        Args:
            count: How many styles.
            seed: Of their latents.

        Returns:
            (features,).
        """
        z = torch.randn(count, self.features, generator=torch.Generator("cpu").manual_seed(seed))
        return self(z.to(self.layers[0].get_parameter("weight"))).mean(0)

    def blocks(self) -> list[Block]:
        """The operators for one latent, as one look-up-table block."""
        recorder = OperatorRecorder()
        z = recorder.value(1, 1, self.features)
        energy = recorder.mean(recorder.elementwise("square", z))
        norm = recorder.elementwise("rsqrt", recorder.elementwise("add_scalar", energy, value=EPSILON))
        w = recorder.elementwise("multiply", z, norm)
        for i in range(len(self.layers)):
            w = recorder.linear(w, f"layers.{i}", self.features)
            w = recorder.elementwise("leaky_relu", w, value=SLOPE)
        recorder.close_block(f"mapping layers={len(self.layers)} features={self.features}")
        return recorder.blocks

    def constants(self) -> dict[str, Tensor]:
        """The weights that its operators name."""
        found: dict[str, Tensor] = {}
        for i, layer in enumerate(self.layers):
            assert isinstance(layer, EqualisedLinear)
            found[f"layers.{i}.weight"], found[f"layers.{i}.bias"] = layer.used(GAIN)
        return found
