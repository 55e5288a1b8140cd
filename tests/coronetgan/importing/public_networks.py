"""The generators of the public CycleGAN and pix2pix code, with its names of layers, at any widths."""

from collections.abc import Callable, Mapping
from typing import TypeVar

import torch
from torch import Tensor, nn

Norm = Callable[[int], nn.Module]
NORMS: Mapping[str, Norm] = {
    "instance": nn.InstanceNorm2d,
    "old instance": lambda channels: nn.InstanceNorm2d(channels, track_running_stats=True),
    "batch": nn.BatchNorm2d,
    "none": lambda channels: nn.Identity(),
}


class ResnetBlock(nn.Module):
    def __init__(self, outer: int, inner: int, norm: str, dropout: bool, pad: bool) -> None:
        super().__init__()
        bias = "instance" in norm
        layers: list[nn.Module] = []
        for last, (before, after) in enumerate(((outer, inner), (inner, outer))):
            layers += [nn.ReflectionPad2d(1)] if pad else []
            layers += [nn.Conv2d(before, after, 3, padding=0 if pad else 1, bias=bias), NORMS[norm](after)]
            layers += [] if last else [nn.ReLU(True)]
            layers += [nn.Dropout(0.5)] if dropout and not last else []
        self.conv_block = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv_block(x)


class ResnetGenerator(nn.Module):
    """Widths by our names of latents; `pad` is whether blocks are padded by reflection, or with zeros."""

    def __init__(
        self,
        widths: Mapping[str, int],
        norm: str = "instance",
        dropout: bool = False,
        pad: bool = True,
        channels: tuple[int, int] = (3, 3),
    ) -> None:
        super().__init__()
        stem, down, res, *inner, up1, up2 = widths.values()
        bias = "instance" in norm
        layers: list[nn.Module] = [nn.ReflectionPad2d(3), nn.Conv2d(channels[0], stem, 7, bias=bias)]
        layers += [NORMS[norm](stem), nn.ReLU(True)]
        for before, after in ((stem, down), (down, res)):
            layers += [nn.Conv2d(before, after, 3, 2, 1, bias=bias), NORMS[norm](after), nn.ReLU(True)]
        layers += [ResnetBlock(res, one, norm, dropout, pad) for one in inner]
        for before, after in ((res, up1), (up1, up2)):
            layers += [
                nn.ConvTranspose2d(before, after, 3, 2, 1, 1, bias=bias),
                NORMS[norm](after),
                nn.ReLU(True),
            ]
        self.model = nn.Sequential(*layers, nn.ReflectionPad2d(3), nn.Conv2d(up2, channels[1], 7), nn.Tanh())

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)


class UnetLevel(nn.Module):
    def __init__(
        self, before: int, down: int, up: int, inside: nn.Module | None, inside_up: int, norm: str, drop: bool
    ) -> None:
        super().__init__()
        bias = "instance" in norm
        layers: list[nn.Module] = [nn.LeakyReLU(0.2, True), nn.Conv2d(before, down, 4, 2, 1, bias=bias)]
        layers += [] if inside is None else [NORMS[norm](down), inside]
        joined = down if inside is None else down + inside_up
        layers += [nn.ReLU(True), nn.ConvTranspose2d(joined, up, 4, 2, 1, bias=bias), NORMS[norm](up)]
        layers += [nn.Dropout(0.5)] if drop else []
        self.model = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.model(x)], 1)


class UnetOutermost(nn.Module):
    def __init__(self, down: int, inside: nn.Module, inside_up: int, norm: str) -> None:
        super().__init__()
        self.model = nn.Sequential(
            nn.Conv2d(3, down, 4, 2, 1, bias="instance" in norm),
            inside,
            nn.ReLU(True),
            nn.ConvTranspose2d(down + inside_up, 3, 4, 2, 1),
            nn.Tanh(),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)


class UnetGenerator(nn.Module):
    """Widths by our names of latents."""

    def __init__(self, widths: Mapping[str, int], norm: str = "batch", dropout: bool = True) -> None:
        super().__init__()
        levels = (len(widths) + 1) // 2
        inside: nn.Module | None = None
        for level in range(levels, 1, -1):
            drops = dropout and 5 <= level < levels
            inside = UnetLevel(
                widths[f"down{level - 1}"],
                widths[f"down{level}"],
                widths[f"up{level - 1}"],
                inside,
                widths.get(f"up{level}", 0),
                norm,
                drops,
            )
        assert inside is not None
        self.model = UnetOutermost(widths["down1"], inside, widths["up1"], norm)

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)


def discriminator() -> nn.Module:
    """The names of its PatchGAN."""
    layers: list[nn.Module] = [nn.Conv2d(6, 8, 4, 2, 1), nn.LeakyReLU(0.2, True), nn.Conv2d(8, 16, 4, 2, 1)]
    network = nn.Module()
    network.model = nn.Sequential(
        *layers, nn.InstanceNorm2d(16), nn.LeakyReLU(0.2, True), nn.Conv2d(16, 1, 4, 1, 1)
    )
    return network


Network = TypeVar("Network", bound=nn.Module)


def shake(network: Network) -> Network:
    """Give every number of a network's state a value of its own."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, one in network.state_dict().items():
            if name.endswith("num_batches_tracked"):
                one.fill_(7)
            elif name.endswith("running_var"):
                one.copy_(torch.rand(one.shape, generator=generator) + 0.5)
            else:
                one.copy_(torch.randn(one.shape, generator=generator) * 0.2)
    return network
