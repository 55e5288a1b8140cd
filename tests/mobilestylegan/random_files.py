"""Random weights under the names and shapes of public files."""

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor


def stylegan2_state(
    channels: Sequence[int], features: int = 8, n_layers: int = 2, seed: int = 0
) -> dict[str, Tensor]:
    """A StyleGAN2 generator under the names of the public PyTorch files, buffers included."""
    generator = torch.Generator().manual_seed(seed)
    state: dict[str, Tensor] = {}

    def add(name: str, *shape: int, scale: float = 1.0, mean: float = 0.0) -> None:
        state[name] = torch.randn(shape, generator=generator) * scale + mean

    def add_modulated(path: str, channels: int, out: int, side: int) -> None:
        add(f"{path}.weight", 1, out, channels, side, side)
        add(f"{path}.modulation.weight", channels, features)
        add(f"{path}.modulation.bias", channels, mean=1)

    def add_styled(path: str, channels: int, out: int, up: bool = False) -> None:
        add_modulated(f"{path}.conv", channels, out, 3)
        if up:
            add(f"{path}.conv.blur.kernel", 4, 4)
        add(f"{path}.noise.weight", 1)
        add(f"{path}.activate.bias", out)

    def add_rgb(path: str, channels: int, up: bool = True) -> None:
        if up:
            add(f"{path}.upsample.kernel", 4, 4)
        add_modulated(f"{path}.conv", channels, 3, 1)
        add(f"{path}.bias", 1, 3, 1, 1)

    for number in range(1, n_layers + 1):
        add(f"style.{number}.weight", features, features, scale=100)
        add(f"style.{number}.bias", features, scale=10)
    add("input.input", 1, channels[0], 4, 4)
    add_styled("conv1", channels[0], channels[0])
    add_rgb("to_rgb1", channels[0], up=False)
    for i, (before, after) in enumerate(itertools.pairwise(channels)):
        add_styled(f"convs.{2 * i}", before, after, up=True)
        add_styled(f"convs.{2 * i + 1}", after, after)
        add_rgb(f"to_rgbs.{i}", after)
    for i in range(2 * len(channels) - 1):
        side = 4 << ((i + 1) // 2)
        add(f"noises.noise_{i}", 1, 1, side, side)
    return state


def authors_state(
    channels: Sequence[int], features: int = 8, n_layers: int = 2, seed: int = 0
) -> dict[str, Tensor]:
    """The MobileStyleGAN authors' Lightning module: student, mapping network, mean style, and what else it holds."""
    generator = torch.Generator().manual_seed(seed)
    state: dict[str, Tensor] = {}

    def add(name: str, *shape: int, scale: float = 1.0, mean: float = 0.0) -> None:
        state[name] = torch.randn(shape, generator=generator) * scale + mean

    def add_affine(path: str, channels: int) -> None:
        add(f"{path}.modulation.weight", channels, features, scale=0.3)
        add(f"{path}.modulation.bias", channels, mean=1)

    def add_styled(path: str, channels: int, out: int, dense: bool = False) -> None:
        if dense:
            add(f"{path}.conv.weight", out, channels, 3, 3)
        else:
            add(f"{path}.conv.weight_dw", channels, 1, 3, 3)
            add(f"{path}.conv.weight_permute", out, channels, 1, 1)
        add(f"{path}.conv.style_inv", 1, 1, channels, 1, 1)
        add_affine(f"{path}.conv", channels)
        add(f"{path}.noise.weight", 1)
        add(f"{path}.bias", 1, out, 1, 1)

    def add_image(path: str, channels: int) -> None:
        add(f"{path}.conv.weight", 12, channels, 1, 1)
        add_affine(f"{path}.conv", channels)
        add(f"{path}.bias", 1, 12, 1, 1)

    for number in range(1, n_layers + 1):
        add(f"mapping_net.layers.{number}.weight", features, features, scale=100)
        add(f"mapping_net.layers.{number}.bias", features, scale=10)
    state["device_info"] = torch.tensor(1)
    add("style_mean", 1, 3 * len(channels) - 1, features)
    state["style_mean"][:] = state["style_mean"][:, :1]
    add("synthesis_net.input.input", 1, channels[0], 4, 4)
    add("loss.perceptual_loss.mean", 3)
    add("inception.fc.weight", 2, 2)
    add("student.device_info", 1)
    add("student.idwt.g0_col", 1, 1, 2, 1)
    add("student.input.input", 1, channels[0], 4, 4)
    add_styled("student.conv1", channels[0], channels[0], dense=True)
    add_image("student.to_img1", channels[0])
    for i, (before, after) in enumerate(itertools.pairwise(channels)):
        path = f"student.layers.{i}"
        add(f"{path}.up.idwt.g0_col", 1, 1, 2, 1)
        add_affine(f"{path}.up", before)
        add_styled(f"{path}.conv1", before // 4, after)
        add_styled(f"{path}.conv2", after, after)
        add_image(f"{path}.to_img", after)
    return state
