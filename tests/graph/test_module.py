"""What the recorder lists, and what `OperatorModule` computes of it, against PyTorch's own layers."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mfagan.graph.module import OperatorModule
from mfagan.graph.operators import Operator, Window
from mfagan.graph.recorder import OperatorRecorder
from mfagan.graph.trace import trace_operators
from mfagan.graph.weights import random_weights, weight_shapes


def close(recorder: OperatorRecorder) -> list[Operator]:
    recorder.close_block("all")
    return list(recorder.blocks[0].operators)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("groups", [1, 2])
def test_a_learned_transposed_convolution(groups: int, bias: bool):
    window = Window.square(4, stride=2, padding=1)
    recorder = OperatorRecorder()
    recorder.conv_transpose(recorder.value(4, 3, 5), "up", 6, window, groups, bias)
    operators = close(recorder)
    layer = nn.ConvTranspose2d(4, 6, 4, 2, 1, groups=groups, bias=bias)
    assert weight_shapes(operators[0]) == {
        f"up.{name}": tuple(p.shape) for name, p in layer.named_parameters()
    }
    weights = random_weights(operators)
    layer.load_state_dict({name.removeprefix("up."): one for name, one in weights.items()})
    x = torch.randn(1, 4, 3, 5)
    assert torch.allclose(OperatorModule(operators, weights)(x), layer(x), atol=1e-6)


@pytest.mark.parametrize("bias", [True, False])
def test_a_linear_layer_and_a_reshape(bias: bool):
    recorder = OperatorRecorder()
    y = recorder.linear(recorder.value(1, 1, 5), "style", 6, bias)
    recorder.reshape(recorder.elementwise("rsqrt", recorder.elementwise("square", y)), (6, 1, 1))
    operators = close(recorder)
    layer = nn.Linear(5, 6, bias)
    assert weight_shapes(operators[0]) == {
        f"style.{name}": tuple(p.shape) for name, p in layer.named_parameters()
    }
    weights = random_weights(operators)
    layer.load_state_dict({name.removeprefix("style."): one for name, one in weights.items()})
    x = torch.randn(1, 1, 1, 5)
    expected = layer(x).square().rsqrt().view(1, 6, 1, 1)
    assert torch.allclose(OperatorModule(operators, weights)(x), expected, rtol=1e-5)


def test_a_matrix_that_is_computed_from_other_weights_has_no_parameters():
    recorder = OperatorRecorder()
    recorder.linear(recorder.value(1, 1, 5), "energy", 6, bias=False, learned=False)
    (operator,) = close(recorder)
    assert (operator.parameters, operator.macs) == (0, 30)
    assert weight_shapes(operator) == {"energy.weight": (6, 5)}


class _Fixed(nn.Module):
    """A fixed matrix on each group of channels, then a fixed transposed filter on each channel."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mix", torch.randn(8, 4, 1, 1))
        self.register_buffer("up", torch.randn(8, 1, 4, 4))

    def forward(self, x: Tensor) -> Tensor:
        y = F.conv2d(x, self.get_buffer("mix"), groups=2)
        return F.conv_transpose2d(y, self.get_buffer("up"), stride=2, padding=1, groups=8)


def test_fixed_filters_on_groups_and_transposed():
    network = _Fixed()
    recorder = OperatorRecorder()
    mixed = recorder.filter(recorder.value(8, 3, 5), "mix", 8, 1, groups=2)
    recorder.filter_transposed(mixed, "up", Window.square(4, stride=2, padding=1))
    operators = close(recorder)
    traced = trace_operators(network, inputs=[(1, 8, 3, 5)])
    assert [one.signature for one in operators] == [one.signature for one in traced]
    assert [one.parameters for one in operators] == [0, 0]
    weights = dict(network.named_buffers())
    assert {k: v for one in operators for k, v in weight_shapes(one).items()} == {
        name: tuple(one.shape) for name, one in weights.items()
    }
    x = torch.randn(1, 8, 3, 5)
    assert torch.equal(OperatorModule(operators, weights)(x), network(x))


@pytest.mark.parametrize(
    ("x", "operand", "output"),
    [
        ((8, 3, 5), (1, 3, 5), (8, 3, 5)),  # a map for all channels
        ((8, 1, 1), (8, 4, 4), (8, 4, 4)),  # a constant that a style scales
        ((8, 3, 5), None, (8, 3, 5)),  # a number for each channel
    ],
)
def test_constants_are_broadcast(x: tuple[int, int, int], operand, output: tuple[int, int, int]):
    recorder = OperatorRecorder()
    made = recorder.elementwise("add", recorder.value(*x), weights="constant", parameters=1, operand=operand)
    assert made.shape == output
    operators = close(recorder)
    weights = random_weights(operators)
    assert tuple(weights["constant"].shape) == (operand or (output[0], 1, 1))
    value = torch.randn(1, *x)
    assert torch.equal(OperatorModule(operators, weights)(value), value + weights["constant"])


def test_the_smaller_of_two_activations_is_broadcast():
    recorder = OperatorRecorder()
    small, large = recorder.value(8, 1, 1), recorder.value(8, 3, 5)
    assert recorder.elementwise("multiply", small, large).shape == (8, 3, 5)
