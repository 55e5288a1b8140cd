"""StyleGAN2 computed another way, by weights (equations (1) and (3) of its paper) and grouped convolutions, from the
weights that a public PyTorch file holds by its names; and MobileStyleGAN's student by dense kernels for each sample,
from its authors' names and channel order.
"""

import math
from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

State = Mapping[str, Tensor]
EPSILON = 1e-8


def part(state: State, prefix: str) -> dict[str, Tensor]:
    """The weights below a path."""
    start = f"{prefix}."
    return {name.removeprefix(start): one for name, one in state.items() if name.startswith(start)}


def map_latents(state: State, z: Tensor, lr_mul: float = 0.01) -> Tensor:
    """The mapping network `style.1`, `style.2`, ..."""
    w = z / (z.pow(2).mean(1, keepdim=True) + EPSILON).sqrt()
    number = 1
    while f"style.{number}.weight" in state:
        weight, bias = state[f"style.{number}.weight"], state[f"style.{number}.bias"]
        y = w @ weight.T * lr_mul / math.sqrt(weight.shape[1]) + bias * lr_mul
        w = torch.where(y > 0, y, 0.2 * y) * math.sqrt(2)
        number += 1
    return w


def fir(x: Tensor, padding: tuple[int, int], total: float) -> Tensor:
    row = torch.tensor([1.0, 3.0, 3.0, 1.0], dtype=x.dtype)
    kernel = (torch.outer(row, row) * total / 64)[None, None]
    n, c, h, w = x.shape
    first, last = padding
    padded = F.pad(x, (first, last, first, last)).reshape(n * c, 1, h + first + last, w + first + last)
    return F.conv2d(padded, kernel).reshape(n, c, h + first + last - 3, w + first + last - 3)


def modulated(state: State, x: Tensor, w: Tensor, up: bool = False, demodulate: bool = True) -> Tensor:
    """One convolution for each sample, as groups of one big convolution."""
    raw = state["weight"][0]  # (out, in, k, k)
    out, channels, k, _ = raw.shape
    affine = state["modulation.weight"]
    style = w @ affine.T / math.sqrt(affine.shape[1]) + state["modulation.bias"]
    weight = raw[None] * style[:, None, :, None, None] / math.sqrt(channels * k * k)
    if demodulate:
        weight = weight / (weight.pow(2).sum((2, 3, 4), keepdim=True) + EPSILON).sqrt()
    n, _, height, width = x.shape
    x = x.reshape(1, n * channels, height, width)
    if not up:
        y = F.conv2d(x, weight.reshape(n * out, channels, k, k), padding=k // 2, groups=n)
        return y.reshape(n, out, height, width)
    kernels = weight.transpose(1, 2).reshape(n * channels, out, k, k)
    y = F.conv_transpose2d(x, kernels, stride=2, groups=n)
    return fir(y.reshape(n, out, 2 * height + 1, 2 * width + 1), (1, 1), 4)


def styled(state: State, x: Tensor, w: Tensor, noise: Tensor, up: bool = False) -> Tensor:
    y = modulated(part(state, "conv"), x, w, up) + state["noise.weight"] * noise
    y = y + state["activate.bias"][:, None, None]
    return torch.where(y > 0, y, 0.2 * y) * math.sqrt(2)


def to_rgb(state: State, x: Tensor, w: Tensor, image: Tensor | None) -> Tensor:
    y = modulated(part(state, "conv"), x, w, demodulate=False) + state["bias"]
    if image is None:
        return y
    n, c, height, width = image.shape
    spread = torch.zeros(n, c, 2 * height, 2 * width, dtype=x.dtype)
    spread[..., ::2, ::2] = image
    return y + fir(spread, (2, 1), 4)


def synthesise(state: State, w: Tensor, noise: list[Tensor]) -> Tensor:
    """The image of W+ (N, rows, features)."""
    x = state["input.input"].expand(len(w), -1, -1, -1)
    x = styled(part(state, "conv1"), x, w[:, 0], noise[0])
    image = to_rgb(part(state, "to_rgb1"), x, w[:, 1], None)
    block = 0
    while f"to_rgbs.{block}.bias" in state:
        for number in (2 * block, 2 * block + 1):
            up = number % 2 == 0
            x = styled(part(state, f"convs.{number}"), x, w[:, number + 1], noise[number + 1], up)
        image = to_rgb(part(state, f"to_rgbs.{block}"), x, w[:, 2 * block + 3], image)
        block += 1
    return image


def student_conv(state: State, x: Tensor, w: Tensor, noise: Tensor, fixed: bool) -> Tensor:
    """A styled convolution of the student, with its dense kernel for each sample."""
    conv = part(state, "conv")
    separable = "weight_dw" in conv
    raw = conv["weight_dw"][:, 0] * conv["weight_permute"] if separable else conv["weight"]  # (out, in, 3, 3)
    scale = 1 / math.sqrt(9 * raw.shape[1])
    style = w @ conv["modulation.weight"].T + conv["modulation.bias"]
    found = []
    for i in range(len(w)):
        q = conv["style_inv"].flatten() if fixed else style[i]
        d = 1 / ((scale * q[None, :, None, None] * raw).pow(2).sum((1, 2, 3)) + EPSILON).sqrt()
        kernel = raw * scale * style[i][None, :, None, None] * d[:, None, None, None]
        found.append(F.conv2d(x[i : i + 1], kernel, padding=1))
    y = torch.cat(found) + state["noise.weight"] * noise + state["bias"]
    return torch.where(y > 0, y, 0.2 * y)


def student_head(state: State, x: Tensor, w: Tensor) -> Tensor:
    conv = part(state, "conv")
    style = w @ conv["modulation.weight"].T + conv["modulation.bias"]
    return F.conv2d(x * style[..., None, None], conv["weight"] / math.sqrt(x.shape[1])) + state["bias"]


def inverse_wavelet(x: Tensor) -> Tensor:
    """The inverse Haar transform of channels in the authors' order: all LL, then LH, HL, HH of each."""
    n, c, height, width = x.shape
    low, high = x[:, : c // 4], x[:, c // 4 :].reshape(n, c // 4, 3, height, width)
    lh, hl, hh = high.unbind(2)
    image = torch.zeros(n, c // 4, 2 * height, 2 * width, dtype=x.dtype)
    image[..., ::2, ::2] = low + lh + hl + hh
    image[..., ::2, 1::2] = low + lh - hl - hh
    image[..., 1::2, ::2] = low - lh + hl - hh
    image[..., 1::2, 1::2] = low - lh - hl + hh
    return image / 2


def student_images(state: State, w: Tensor, noise: list[Tensor], fixed: bool = True) -> list[Tensor]:
    """The images of all heads for one style (N, features)."""
    x = state["input.input"].expand(len(w), -1, -1, -1)
    x = student_conv(part(state, "conv1"), x, w, noise[0], fixed)
    images = [inverse_wavelet(student_head(part(state, "to_img1"), x, w))]
    block = 0
    while f"layers.{block}.to_img.bias" in state:
        layer = part(state, f"layers.{block}")
        style = w @ layer["up.modulation.weight"].T + layer["up.modulation.bias"]
        x = inverse_wavelet(x * style[..., None, None])
        x = student_conv(part(layer, "conv1"), x, w, noise[2 * block + 1], fixed)
        x = student_conv(part(layer, "conv2"), x, w, noise[2 * block + 2], fixed)
        images.append(inverse_wavelet(student_head(part(layer, "to_img"), x, w)))
        block += 1
    return images
