"""What the student repeats at each resolution above 4 px."""

from collections.abc import Sequence

from torch import Tensor, nn

from mfagan.graph.operators import Activation
from mfagan.graph.recorder import OperatorRecorder
from mfagan.mobilestylegan.network.layers.geometry import BANDS
from mfagan.mobilestylegan.network.student.layers import Demodulation, SeparableConv, Up

__all__ = ["StudentBlock"]


class StudentBlock(nn.Module):
    """Up-sampling by the inverse wavelet transform and two separable convolutions.

    Args:
        channels: Input channels.
        out: Output channels.
        style_dim: Numbers of a style.
        demodulation: As in `Demodulation`.
    """

    def __init__(self, channels: int, out: int, style_dim: int, demodulation: Demodulation) -> None:
        super().__init__()
        self.up = Up(channels, style_dim)
        self.a = SeparableConv(channels // BANDS, out, style_dim, demodulation)
        self.b = SeparableConv(out, out, style_dim, demodulation)

    def forward(self, x: Tensor, w: Sequence[Tensor], noise: Sequence[Tensor | None]) -> Tensor:
        """Apply it.

        Args:
            x: (N, C, H, W).
            w: The styles of up and conv a, and of conv b, (N, style_dim) each.
            noise: The maps of conv a and conv b.

        Returns:
            (N, out, 2H, 2W).
        """
        return self.b(self.a(self.up(x, w[0]), w[0], noise[0]), w[1], noise[1])

    def write_operators(
        self, recorder: OperatorRecorder, x: Activation, rows: Sequence[Activation], path: str, noisy: bool
    ) -> Activation:
        """Record it.

        Args:
            recorder: What records the operators.
            x: Its input.
            rows: The rows of W+ of up and conv a, and of conv b.
            path: The module's path in the network.
            noisy: Whether the convolutions add constant maps of noise.

        Returns:
            Its output.
        """
        x = self.up.write_operators(recorder, x, rows[0], f"{path}.up")
        x = self.a.write_operators(recorder, x, rows[0], f"{path}.a", noisy)
        return self.b.write_operators(recorder, x, rows[1], f"{path}.b", noisy)

    def constants(self, path: str, noise: Sequence[Tensor | None]) -> dict[str, Tensor]:
        """The weights that its operators name.

        Args:
            path: The module's path in the network.
            noise: The constant maps of conv a and conv b.
        """
        a, b = self.a.constants(f"{path}.a", noise[0]), self.b.constants(f"{path}.b", noise[1])
        return self.up.constants(f"{path}.up") | a | b
