"""Reference networks of CycleGAN (Zhu et al. 2017) and pix2pix (Isola et al. 2017), for counting what they cost."""

import torch
from torch import Tensor, nn


def norm(kind: str, channels: int) -> nn.Module:
    """Instance norm as CycleGAN uses it, without learned numbers, or batch norm with them."""
    return nn.BatchNorm2d(channels) if kind == "batch" else nn.InstanceNorm2d(channels)


class ResNetBlock(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for last in (False, True):
            layers += [nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3), norm("instance", channels)]
            layers += [] if last else [nn.ReLU(inplace=True)]
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


def resnet(n_blocks: int, base: int = 64) -> nn.Sequential:
    """CycleGAN's generator: two halvings, residual blocks, two transposed convolutions; instance norm, biases."""
    layers: list[nn.Module] = [
        nn.ReflectionPad2d(3),
        nn.Conv2d(3, base, 7),
        norm("instance", base),
        nn.ReLU(),
    ]
    for width in (base, 2 * base):
        layers += [nn.Conv2d(width, 2 * width, 3, 2, 1), norm("instance", 2 * width), nn.ReLU()]
    layers += [ResNetBlock(4 * base) for _ in range(n_blocks)]
    for width in (4 * base, 2 * base):
        layers += [nn.ConvTranspose2d(width, width // 2, 3, 2, 1, 1), norm("instance", width // 2), nn.ReLU()]
    return nn.Sequential(*layers, nn.ReflectionPad2d(3), nn.Conv2d(base, 3, 7), nn.Tanh())


class UNetLevel(nn.Module):
    """One level of pix2pix's U-Net: down, the level inside, up; the skip stands first in the concatenation."""

    def __init__(self, outer: int, inner: int, inside: nn.Module | None, kind: str) -> None:
        super().__init__()
        bias = kind == "instance"  # a batch norm's shift makes the bias superfluous
        down: list[nn.Module] = [nn.LeakyReLU(0.2), nn.Conv2d(outer, inner, 4, 2, 1, bias=bias)]
        joined = inner if inside is None else 2 * inner
        up: list[nn.Module] = [nn.ReLU(), nn.ConvTranspose2d(joined, outer, 4, 2, 1, bias=bias)]
        if inside is not None:
            down.append(norm(kind, inner))
        up.append(norm(kind, outer))
        self.layers = nn.Sequential(*down, *([] if inside is None else [inside]), *up)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat((x, self.layers(x)), 1)


def unet(n_levels: int, kind: str, base: int = 64) -> nn.Sequential:
    """pix2pix's generator: `n_levels` halvings, of which the outermost has neither norm nor skip."""
    inside: nn.Module | None = None
    for level in range(n_levels - 1, 0, -1):
        outer, inner = (base * min(8, 2**power) for power in (level - 1, level))
        inside = UNetLevel(outer, inner, inside, kind)
    assert inside is not None
    bias = kind == "instance"
    return nn.Sequential(
        nn.Conv2d(3, base, 4, 2, 1, bias=bias),
        inside,
        nn.ReLU(),
        nn.ConvTranspose2d(2 * base, 3, 4, 2, 1),
        nn.Tanh(),
    )


def patchgan(channels: int, kind: str, base: int = 64) -> nn.Sequential:
    """The 70x70 PatchGAN: three halvings, then two convolutions of stride 1."""
    bias = kind == "instance"
    layers: list[nn.Module] = [nn.Conv2d(channels, base, 4, 2, 1), nn.LeakyReLU(0.2)]
    for width, stride in ((2 * base, 2), (4 * base, 2), (8 * base, 1)):
        before = width // 2
        layers += [nn.Conv2d(before, width, 4, stride, 1, bias=bias), norm(kind, width), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Conv2d(8 * base, 1, 4, 1, 1))
