"""Batch norm that at inference may take the statistics of the picture, as pix2pix does when it is tested."""

from typing import Literal

from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["AtInference", "ImageBatchNorm"]

AtInference = Literal["running", "image"]
"""Whose mean and variance normalise a picture at inference: those that training has averaged, or its own."""


class ImageBatchNorm(nn.BatchNorm2d):
    """A batch norm whose statistics at inference are the running ones, or those of each picture alone.

    Args:
        channels: How many.
        at_inference: As in `AtInference`.
    """

    def __init__(self, channels: int, at_inference: AtInference = "running") -> None:
        super().__init__(channels)
        self.at_inference: AtInference = at_inference

    def forward(self, input: Tensor) -> Tensor:
        """Normalise the channels.

        Args:
            input: (N, C, H, W).

        Returns:
            (N, C, H, W).
        """
        if self.training or self.at_inference == "running":
            return super().forward(input)
        return F.instance_norm(input, weight=self.weight, bias=self.bias, eps=self.eps)
