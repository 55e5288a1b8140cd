"""What translators of pictures are made of: each piece as the recorder lists it, and as PyTorch's own layer."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mfagan.graph.operators import Activation, Operator, Window
from mfagan.graph.recorder import OperatorRecorder

__all__ = ["CHANNELS", "PIECES", "SIZE", "Piece", "record"]

CHANNELS = 4
SIZE = 10, 12
_AFFINE = 2.5


@dataclass(frozen=True)
class Piece:
    """A layer, and how the recorder lists it with the path `a`."""

    write: Callable[[OperatorRecorder, Activation], Activation]
    layer: Callable[[], nn.Module]

    def build(self) -> tuple[list[Operator], dict[str, Tensor], nn.Module]:
        """The operators, their weights and the layer, with random weights and statistics."""
        torch.manual_seed(0)
        module = self.layer()
        for name, one in module.state_dict().items():
            if name.endswith("running_var"):
                one.uniform_(0.5, _AFFINE)
            elif one.is_floating_point():
                one.normal_(std=0.5)
        weights = {f"a.{name}": one for name, one in module.state_dict().items()}
        return record(self.write), weights, module.eval()


def record(write: Callable[[OperatorRecorder, Activation], Activation]) -> list[Operator]:
    """The operators that are written for one picture."""
    recorder = OperatorRecorder()
    write(recorder, recorder.value(CHANNELS, *SIZE))
    recorder.close_block("all")
    return list(recorder.blocks[0].operators)


def _conv(kernel: int, stride: int, padding: int) -> Piece:
    return Piece(
        lambda recorder, x: recorder.conv(x, "a", 6, Window.square(kernel, stride, padding)),
        lambda: nn.Conv2d(CHANNELS, 6, kernel, stride, padding),
    )


def _transposed(kernel: int, padding: int, extra: int, bias: bool = True) -> Piece:
    window = Window.square(kernel, 2, padding, output_padding=extra)
    return Piece(
        lambda recorder, x: recorder.conv_transpose(x, "a", 6, window, bias=bias),
        lambda: nn.ConvTranspose2d(CHANNELS, 6, kernel, 2, padding, extra, bias=bias),
    )


PIECES = {
    "convolution 3x3 of stride 2": _conv(3, 2, 1),
    "convolution 4x4 of stride 2": _conv(4, 2, 1),
    "convolution 7x7 without padding": _conv(7, 1, 0),
    "transposed 3x3": _transposed(3, 1, 1),
    "transposed 3x3 without a bias": _transposed(3, 1, 1, bias=False),
    "transposed 4x4": _transposed(4, 1, 0),
    "transposed 2x2": _transposed(2, 0, 0),
    "instance norm": Piece(
        lambda recorder, x: recorder.norm("instance_norm", x, affine=False),
        lambda: nn.InstanceNorm2d(CHANNELS),
    ),
    "instance norm, affine": Piece(
        lambda recorder, x: recorder.norm("instance_norm", x, "a"),
        lambda: nn.InstanceNorm2d(CHANNELS, affine=True),
    ),
    "batch norm of the image": Piece(
        lambda recorder, x: recorder.norm("instance_norm", x, "a"),
        lambda: nn.BatchNorm2d(CHANNELS, track_running_stats=False),
    ),
    "instance norm and ReLU": Piece(
        lambda recorder, x: recorder.elementwise("relu", recorder.norm("instance_norm", x, affine=False)),
        lambda: nn.Sequential(nn.InstanceNorm2d(CHANNELS), nn.ReLU()),
    ),
    "instance norm, affine, and ReLU": Piece(
        lambda recorder, x: recorder.elementwise("relu", recorder.norm("instance_norm", x, "a.0")),
        lambda: nn.Sequential(nn.InstanceNorm2d(CHANNELS, affine=True), nn.ReLU()),
    ),
    "tanh": Piece(lambda recorder, x: recorder.elementwise("tanh", x), nn.Tanh),
    "reflect 1": Piece(
        lambda recorder, x: recorder.pad(x, (1, 1, 1, 1), "reflect"), lambda: nn.ReflectionPad2d(1)
    ),
    "reflect 3": Piece(
        lambda recorder, x: recorder.pad(x, (3, 3, 3, 3), "reflect"), lambda: nn.ReflectionPad2d(3)
    ),
    "reflect on one side": Piece(
        lambda recorder, x: recorder.pad(x, (0, 2, 0, 0), "reflect"), lambda: nn.ReflectionPad2d((0, 0, 0, 2))
    ),
}
"""Name -> piece; each reads (4, 10, 12)."""
