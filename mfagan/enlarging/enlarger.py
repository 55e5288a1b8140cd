"""What enlarges the tiles of one picture, with the statistics of the whole picture where its layers need them."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from mfagan.errors import InputError
from mfagan.networks.channel_gate import ChannelGate

__all__ = ["Core", "Enlarger", "NetworkEnlarger", "Upscaler"]

Core = tuple[slice, slice]
"""Rows and columns of what is computed that belong to the tile; the rest is its overlap with others."""


class Enlarger(Protocol):
    """Enlarges one picture, tile by tile."""

    @property
    def scale(self) -> int:
        """Enlargement of height and width."""
        ...

    @property
    def sees_whole(self) -> bool:
        """Whether the result depends on statistics of the whole picture, which are to be collected first."""
        ...

    def collect(self, image: Tensor, core: Core) -> None:
        """Compute as `enlarge`, and take in the statistics of a tile.

        Args:
            image: (3, h, w), RGB in [0, 1]: the tile with its overlap.
            core: where the tile is in it.
        """
        ...

    def settle(self) -> float:
        """Take what has been collected since the last time for the statistics of the picture.

        Returns:
            The largest difference to those before; at least 1 if there were none.
        """
        ...

    def enlarge(self, image: Tensor) -> Tensor:
        """Enlarge a tile with the statistics that are settled; without any, with those of the tile.

        Args:
            image: (3, h, w), RGB in [0, 1].

        Returns:
            (3, scale h, scale w).
        """
        ...


class Upscaler(Protocol):
    """A network that enlarges pictures, whatever runs it: a `Model`, or one of another runtime."""

    @property
    def scale(self) -> int:
        """Enlargement of height and width."""
        ...

    @property
    def device(self) -> torch.device:
        """Where it takes tiles."""
        ...

    @property
    def bytes_per_px(self) -> float:
        """Memory that it takes at its peak for each LR px, in bytes."""
        ...

    def start_enlarger(self) -> Enlarger:
        """What enlarges the tiles of one picture."""
        ...


class NetworkEnlarger:
    """An `Enlarger` of a PyTorch network: it replaces the gates of its channel attention.

    Args:
        network: LR pictures (1, 3, h, w) -> (1, 3, scale h, scale w), in evaluation mode.
        scale: its enlargement.
    """

    def __init__(self, network: nn.Module, scale: int) -> None:
        self._network = network
        self._scale = scale
        self._layers: Mapping[str, ChannelGate] = {
            name: one for name, one in network.named_modules() if isinstance(one, ChannelGate)
        }
        self._factors: dict[str, Tensor] = {}
        self._moments: dict[str, _Moments] = {}

    @property
    def scale(self) -> int:
        """As in `Enlarger`."""
        return self._scale

    @property
    def sees_whole(self) -> bool:
        """As in `Enlarger`."""
        return bool(self._layers)

    @torch.inference_mode()
    def collect(self, image: Tensor, core: Core) -> None:
        """As in `Enlarger`.

        Args:
            image: (3, h, w), RGB in [0, 1]: the tile with its overlap.
            core: where the tile is in it.

        Raises:
            InputError: a layer with channel gates works at another resolution than the picture's.
        """
        height, width = image.shape[-2:]

        def take_in(name: str, x: Tensor) -> None:
            if x.shape[-2:] != (height, width):
                raise InputError(
                    f"layer {name} sees {x.shape[-1]}x{x.shape[-2]} px of a tile of {width}x{height}: this network "
                    "cannot enlarge pictures in tiles; allow more memory"
                )
            self._moments.setdefault(name, _Moments()).add(x[..., *core])

        with self._replaced(take_in):
            self._network(image[None])

    @torch.inference_mode()
    def settle(self) -> float:
        """As in `Enlarger`; the difference is that of the gates, which are between 0 and 1."""
        found: dict[str, Tensor] = {}
        for name, moments in self._moments.items():
            assert isinstance(moments.mean, Tensor)
            assert isinstance(moments.squares, Tensor)
            layer = self._layers[name]
            dtype = next(layer.parameters()).dtype
            variance = moments.squares / moments.n
            found[name] = layer.gate(moments.mean.to(dtype), variance.to(dtype))
        changes = [
            (factors - self._factors[name]).abs().max().item() if name in self._factors else 1.0
            for name, factors in found.items()
        ]
        self._factors, self._moments = found, {}
        return max(changes, default=0.0)

    @torch.inference_mode()
    def enlarge(self, image: Tensor) -> Tensor:
        """As in `Enlarger`.

        Args:
            image: (3, h, w), RGB in [0, 1].

        Returns:
            (3, scale h, scale w).
        """
        with self._replaced(None):
            return self._network(image[None])[0]

    @contextmanager
    def _replaced(self, take_in: Callable[[str, Tensor], None] | None) -> Iterator[None]:
        def forward_of(name: str, layer: ChannelGate) -> Callable[[Tensor], Tensor]:
            own = layer.forward

            def forward(x: Tensor) -> Tensor:
                if take_in is not None:
                    take_in(name, x)
                return x * self._factors[name] if name in self._factors else own(x)

            return forward

        # In the place of the method, and not a hook after it, so that a gate is not computed in vain.
        with ExitStack() as replaced:
            for name, layer in self._layers.items():
                vars(layer)["forward"] = forward_of(name, layer)
                replaced.callback(vars(layer).pop, "forward")
            yield


@dataclass
class _Moments:
    """Mean and variance of each channel over parts of a picture (Chan, Golub and LeVeque 1983), in float64."""

    n: int = 0
    mean: Tensor | float = 0.0
    squares: Tensor | float = 0.0
    """Sum of the squared differences from the mean."""

    def add(self, x: Tensor) -> None:
        """Take in a part (1, C, h, w)."""
        n = x.shape[-2] * x.shape[-1]
        variance, mean = torch.var_mean(x, (2, 3), correction=0, keepdim=True)  # (1, C, 1, 1)
        mean, squares = mean.double(), variance.double() * n
        apart = mean - self.mean
        total = self.n + n
        self.squares = self.squares + squares + apart.square() * (self.n * n / total)
        self.mean = self.mean + apart * (n / total)
        self.n = total
