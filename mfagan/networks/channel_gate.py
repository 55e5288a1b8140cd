"""Layers whose result depends on the whole picture: a gate for each channel, from its mean and its variance."""

from abc import abstractmethod

from torch import Tensor, nn

__all__ = ["ChannelGate"]


class ChannelGate(nn.Module):
    """Scales each channel by a factor that its mean and variance over the picture decide.

    A picture that is enlarged tile by tile needs the statistics of the picture here, not those of a tile:
    `mfagan.enlarging.enlarger` finds these layers by their class.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Scale the channels by the gate.

        Args:
            x: activations (N, C, H, W).

        Returns:
            The scaled activations, (N, C, H, W).
        """
        mean = x.mean((2, 3), keepdim=True)  # (N, C, 1, 1)
        variance = (x - mean).square().mean((2, 3), keepdim=True)
        return x * self.gate(mean, variance)

    @abstractmethod
    def gate(self, mean: Tensor, variance: Tensor) -> Tensor:
        """The factor of each channel from its statistics.

        Args:
            mean: mean of each channel, (N, C, 1, 1).
            variance: population variance of each channel, (N, C, 1, 1).

        Returns:
            Factors, (N, C, 1, 1).
        """
