"""Reference networks of StyleGAN2 (Karras et al. 2020) and MobileStyleGAN (Belousov 2021), for counting their costs."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

STYLE_DIM = 512


class Affine(nn.Module):
    """An equalised linear layer from the style vector to one scale for each channel, (1, S) -> (1, C, 1, 1)."""

    def __init__(self, features: int, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(channels, features))
        self.bias = nn.Parameter(torch.ones(channels))

    def forward(self, w: Tensor) -> Tensor:
        return F.linear(w, self.weight / math.sqrt(w.shape[1]), self.bias)[..., None, None]


class Blur(nn.Module):
    """The fixed FIR filter [1, 3, 3, 1] of every channel."""

    kernel: Tensor

    def __init__(self, padding: tuple[int, int]) -> None:
        super().__init__()
        row = torch.tensor([1.0, 3.0, 3.0, 1.0])
        self.register_buffer("kernel", row[:, None] * row / 16)
        self.padding = padding

    def forward(self, x: Tensor) -> Tensor:
        first, last = self.padding
        channels = x.shape[1]
        kernel = self.kernel.expand(channels, 1, 4, 4)
        return F.conv2d(F.pad(x, (first, last, first, last)), kernel, groups=channels)


class ModulatedConv(nn.Module):
    """A convolution whose input channels are scaled by a style, and whose output channels are demodulated.

    `form` "activations" scales the input and the output; "weights" scales the weights themselves, the paper's
    equations (1) and (3). Both compute the same.
    """

    def __init__(
        self, channels: int, out: int, kernel: int, *, up: bool = False, demodulate: bool = True, form: str
    ) -> None:
        super().__init__()
        self.affine = Affine(STYLE_DIM, channels)
        self.weight = nn.Parameter(torch.zeros(out, channels, kernel, kernel))
        self.scale = 1 / math.sqrt(channels * kernel**2)
        self.blur = Blur((1, 1)) if up else None
        self.demodulate = demodulate
        self.form = form

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        style = self.affine(w)  # (1, C, 1, 1)
        weight = self.weight * self.scale
        if self.form == "weights":
            weight = weight * style
            if self.demodulate:
                weight = weight * weight.square().sum((1, 2, 3), keepdim=True).add(1e-8).rsqrt()
            return self._convolve(x, weight)
        y = self._convolve(x * style, weight)
        if self.demodulate:
            energy = weight.square().sum((2, 3))  # (out, C), of the weights alone
            y = y * F.linear(style[..., 0, 0].square(), energy).add(1e-8).rsqrt()[..., None, None]
        return y

    def _convolve(self, x: Tensor, weight: Tensor) -> Tensor:
        if self.blur is None:
            return F.conv2d(x, weight, padding=weight.shape[-1] // 2)
        return self.blur(F.conv_transpose2d(x, weight.transpose(0, 1), stride=2))


class StyledConv(nn.Module):
    """A modulated convolution, noise of one learned strength, a bias and LeakyReLU."""

    noise: Tensor

    def __init__(self, channels: int, out: int, size: int, *, up: bool, form: str) -> None:
        super().__init__()
        self.conv = ModulatedConv(channels, out, 3, up=up, form=form)
        self.strength = nn.Parameter(torch.zeros(1))
        self.bias = nn.Parameter(torch.zeros(1, out, 1, 1))
        self.register_buffer("noise", torch.zeros(1, 1, size, size))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        y = self.conv(x, w) + self.strength * self.noise
        return F.leaky_relu(y + self.bias, 0.2) * math.sqrt(2)


class ToRGB(nn.Module):
    """A modulated 1x1 convolution without demodulation; the image so far is enlarged and added."""

    def __init__(self, channels: int, *, form: str) -> None:
        super().__init__()
        self.conv = ModulatedConv(channels, 3, 1, demodulate=False, form=form)
        self.bias = nn.Parameter(torch.zeros(1, 3, 1, 1))
        self.blur = Blur((2, 1))

    def forward(self, x: Tensor, w: Tensor, image: Tensor | None) -> Tensor:
        y = self.conv(x, w) + self.bias
        if image is None:
            return y
        _, _, height, width = image.shape
        spread = image.new_zeros(1, 3, 2 * height, 2 * width)
        spread[..., ::2, ::2] = image
        return y + self.blur(spread)


class Synthesis(nn.Module):
    """StyleGAN2's synthesis network: W+ (1, rows, 512) -> an image of `size` x `size`.

    config: F has 32768 / resolution channels, E half as many, at most 512.
    """

    def __init__(self, size: int, config: str = "F", form: str = "activations") -> None:
        super().__init__()
        total = {"E": 16384, "F": 32768}[config]
        sizes = [2**power for power in range(2, size.bit_length())]
        self.constant = nn.Parameter(torch.zeros(1, 512, 4, 4))
        self.convs = nn.ModuleList([StyledConv(512, 512, 4, up=False, form=form)])
        self.images = nn.ModuleList([ToRGB(512, form=form)])
        channels = 512
        for side in sizes[1:]:
            width = min(total // side, 512)
            self.convs.append(StyledConv(channels, width, side, up=True, form=form))
            self.convs.append(StyledConv(width, width, side, up=False, form=form))
            self.images.append(ToRGB(width, form=form))
            channels = width

    @property
    def n_rows(self) -> int:
        """Rows of W+ that the network reads."""
        return len(self.convs) + 1

    def forward(self, w: Tensor) -> Tensor:
        x = self.convs[0](self.constant, w[:, 0])
        image = self.images[0](x, w[:, 1], None)
        for i, to_image in enumerate(list(self.images)[1:]):
            x = self.convs[2 * i + 1](x, w[:, 2 * i + 1])
            x = self.convs[2 * i + 2](x, w[:, 2 * i + 2])
            image = to_image(x, w[:, 2 * i + 3], image)
        return image


class Mapping(nn.Module):
    """StyleGAN2's mapping network: z (1, 512) -> w (1, 512) through eight equalised linear layers."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(STYLE_DIM, STYLE_DIM) for _ in range(8))

    def forward(self, z: Tensor) -> Tensor:
        w = z * z.square().mean(1, keepdim=True).add(1e-8).rsqrt()
        for layer in self.layers:
            assert isinstance(layer, nn.Linear)
            y = F.linear(w, layer.weight * (0.01 / math.sqrt(STYLE_DIM)), layer.bias * 0.01)
            w = F.leaky_relu(y, 0.2) * math.sqrt(2)
        return w


class _StudentConv(nn.Module):
    """MobileStyleGAN's styled convolution: depthwise and pointwise, modulated and demodulated."""

    noise: Tensor

    def __init__(self, channels: int, out: int, size: int, dense: bool = False) -> None:
        super().__init__()
        self.affine = Affine(STYLE_DIM, channels)
        self.dense = nn.Parameter(torch.zeros(out, channels, 3, 3)) if dense else None
        self.depthwise = None if dense else nn.Parameter(torch.zeros(channels, 1, 3, 3))
        self.pointwise = None if dense else nn.Parameter(torch.zeros(out, channels, 1, 1))
        self.strength = nn.Parameter(torch.zeros(1))
        self.bias = nn.Parameter(torch.zeros(1, out, 1, 1))
        self.register_buffer("noise", torch.zeros(1, 1, size, size))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        style = self.affine(w)
        x = x * style
        if self.dense is not None:
            y = F.conv2d(x, self.dense, padding=1)
            energy = self.dense.square().sum((2, 3))
        else:
            assert self.depthwise is not None
            assert self.pointwise is not None
            y = F.conv2d(x, self.depthwise, padding=1, groups=x.shape[1])
            y = F.conv2d(y, self.pointwise)
            taps = self.depthwise.square().sum((1, 2, 3))  # (C,)
            energy = self.pointwise[..., 0, 0].square() * taps
        y = y * F.linear(style[..., 0, 0].square(), energy).add(1e-8).rsqrt()[..., None, None]
        return F.leaky_relu(y + self.strength * self.noise + self.bias, 0.2)


class _Head(nn.Module):
    """The wavelet coefficients of an image: a modulated 1x1 convolution to 12 channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.affine = Affine(STYLE_DIM, channels)
        self.weight = nn.Parameter(torch.zeros(12, channels, 1, 1))
        self.bias = nn.Parameter(torch.zeros(12))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        return F.conv2d(x * self.affine(w), self.weight, self.bias)


def inverse_haar(x: Tensor) -> Tensor:
    """(1, 4C, H, W), the bands LL, LH, HL, HH of each channel in turn -> (1, C, 2H, 2W)."""
    low, vertical, horizontal, diagonal = (x[:, band::4] for band in range(4))
    corners = (
        low + vertical + horizontal + diagonal,
        low + vertical - horizontal - diagonal,
        low - vertical + horizontal - diagonal,
        low - vertical - horizontal + diagonal,
    )
    return F.pixel_shuffle(torch.stack(corners, 2).flatten(1, 2) * 0.5, 2)


class Student(nn.Module):
    """MobileStyleGAN's student: W+ -> the image, through one head (inference) or all of them (training)."""

    def __init__(self, size: int) -> None:
        super().__init__()
        sides = [2**power for power in range(2, size.bit_length() - 1)]
        channels = [min(32768 // side, 512) for side in sides]
        self.constant = nn.Parameter(torch.zeros(1, channels[0], 4, 4))
        self.first = _StudentConv(channels[0], channels[0], 4, dense=True)
        self.ups = nn.ModuleList(Affine(STYLE_DIM, width) for width in channels[:-1])
        self.convs = nn.ModuleList()
        for before, after, side in zip(channels, channels[1:], sides[1:], strict=False):
            self.convs.append(_StudentConv(before // 4, after, side))
            self.convs.append(_StudentConv(after, after, side))
        self.heads = nn.ModuleList(map(_Head, channels))

    def forward(self, w: Tensor, all_heads: bool = False) -> list[Tensor]:
        x = self.first(self.constant, w[:, 0])
        images = [self.heads[0](x, w[:, 1])] if all_heads else []
        for i, up in enumerate(self.ups):
            row = 2 * i + 1
            x = inverse_haar(x * up(w[:, row]))
            x = self.convs[2 * i](x, w[:, row])
            x = self.convs[2 * i + 1](x, w[:, row + 1])
            if all_heads or i == len(self.ups) - 1:
                images.append(inverse_haar(self.heads[i + 1](x, w[:, row + 2])))
        return images
