"""Batch norms, folded into the layers before them."""

import pytest
import torch
from torch import nn

from mfagan.graph.costs import sum_costs
from mfagan.graph.module import OperatorModule
from mfagan.graph.norms import FoldedNorms
from mfagan.graph.operators import Block, Operator, Window
from mfagan.graph.recorder import OperatorRecorder
from mfagan.graph.recording.lowering import lower_network
from mfagan.graph.rewriting import Rewritten, apply
from mfagan.graph.rounding import rewrite_for
from mfagan.graph.trace import trace_operators
from mfagan.graph.weights import weight_shapes


def fold(operators: list[Operator]) -> list[Operator]:
    return apply(FoldedNorms, Rewritten([Block("", tuple(operators))])).operators


def build(bias: bool, affine: bool) -> tuple[list[Block], nn.Sequential]:
    """A convolution and a transposed one, each with a batch norm, with random statistics."""
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3, bias=bias),
        nn.BatchNorm2d(4, affine=affine),
        nn.ReLU(),
        nn.ConvTranspose2d(4, 5, 4, 2, 1, bias=bias),
        nn.BatchNorm2d(5, affine=affine),
    )
    network(torch.randn(4, 3, 16, 16))  # statistics
    for name, one in network.named_parameters():
        if name.startswith(("1", "4")):
            nn.init.normal_(one, 1)
    recorder = OperatorRecorder()
    x = recorder.conv(recorder.value(3, 8, 8), "0", 4, Window.square(3), bias=bias)
    x = recorder.elementwise("relu", recorder.norm("batch_norm", x, "1", affine))
    recorder.close_block("first")
    x = recorder.conv_transpose(x, "3", 5, Window.square(4, 2, 1), bias=bias)
    recorder.norm("batch_norm", x, "4", affine)
    recorder.close_block("second")
    return recorder.blocks, network.eval()


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("bias", [True, False])
def test_folded_weights_compute_the_same(bias: bool, affine: bool):
    blocks, network = build(bias, affine)
    traced = trace_operators(network, 8, 8)
    assert [one.signature for block in blocks for one in block.operators] == [one.signature for one in traced]
    state = {name: one for name, one in network.state_dict().items() if one.is_floating_point()}
    shapes = [shape for block in blocks for one in block.operators for shape in weight_shapes(one).items()]
    assert dict(shapes) == {name: tuple(one.shape) for name, one in state.items()}
    found = apply(FoldedNorms, Rewritten(blocks))
    assert [one.kind for one in found.operators] == ["conv", "relu", "conv_transpose"]
    assert [block.output for block in found.blocks] == [block.output for block in blocks]
    x = torch.randn(1, 3, 8, 8)
    module = OperatorModule(found.operators, found.make_weights(state))
    with torch.inference_mode():
        torch.testing.assert_close(module(x), network(x), atol=1e-5, rtol=1e-5)


def test_a_norm_after_a_pixel_shuffle_folds_into_the_convolution_before_it():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.PixelShuffle(2), nn.BatchNorm2d(2)).eval()
    for name in ("weight", "bias", "running_mean", "running_var"):
        network.state_dict()[f"2.{name}"].uniform_(0.5, 2)
    operators, weights = lower_network(network, 6, 8)
    assert [one.kind for one in operators] == ["conv", "pixel_shuffle"]
    x = torch.randn(1, 3, 6, 8)
    with torch.inference_mode():
        torch.testing.assert_close(OperatorModule(operators, weights)(x), network(x), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8"])
def test_blocks_are_measured_without_batch_norms_under_their_own_keys(precision: str):
    blocks, _ = build(bias=False, affine=True)
    found = rewrite_for(blocks, (), precision)
    assert [block.key for block in found] == ["first", "second"]
    assert [one.kind for block in found for one in block.operators] == ["conv", "relu", "conv_transpose"]


def test_batch_norms_fold_into_the_layer_before_them():
    with torch.device("meta"):
        network = nn.Sequential(
            nn.Conv2d(3, 4, 3, bias=False),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.Conv2d(4, 5, 1),
            nn.BatchNorm2d(5),
        ).eval()
    operators = trace_operators(network, 8, 9)
    folded = fold(operators)
    assert [one.kind for one in operators] == ["conv", "batch_norm", "relu", "conv", "batch_norm"]
    assert [one.kind for one in folded] == ["conv", "relu", "conv"]
    before, after = sum_costs(operators), sum_costs(folded)
    assert before.params == 3 * 4 * 9 + 2 * 4 + (4 * 5 + 5) + 2 * 5
    assert after.params == (3 * 4 * 9 + 4) + (4 * 5 + 5)
    assert before.macs == after.macs
    # The first layer now adds a bias to each of its numbers; both outputs are written once instead of twice.
    assert after.flops - before.flops == 4 * 6 * 7
    assert before.memory_bytes - after.memory_bytes == 4 * (4 + 5) * 6 * 7
    assert folded[0].output == operators[1].output
    assert sum_costs(folded).memory_bytes == 4 * (3 * 8 * 9 + (4 + 5) * 6 * 7)


def test_a_batch_norm_stays_if_its_input_is_read_elsewhere_or_is_no_layers():
    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 1)
            self.first, self.second = nn.BatchNorm2d(3), nn.BatchNorm2d(3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = self.conv(x)
            return self.first(y) + y + self.second(x)

    operators = trace_operators(Network().eval(), 4, 4)
    assert fold(operators) == operators
