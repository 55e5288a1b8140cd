"""The pieces of translators, against PyTorch's own layers."""

import pytest
import torch
from torch import nn

from mfagan.graph.module import OperatorModule
from mfagan.graph.operators import Window
from mfagan.graph.passes import rewrite_operators
from mfagan.graph.trace import trace_operators
from mfagan.graph.weights import weight_shapes
from tests.graph.translator_pieces import CHANNELS, PIECES, SIZE, record


@pytest.mark.parametrize("name", PIECES)
def test_the_recorder_lists_what_pytorch_runs_and_the_module_computes_it(name: str):
    operators, weights, layer = PIECES[name].build()
    traced = trace_operators(layer, inputs=[(1, CHANNELS, *SIZE)])
    assert [one.signature for one in operators] == [one.signature for one in traced]
    shapes = {name: shape for one in operators for name, shape in weight_shapes(one).items()}
    assert shapes == {name: tuple(one.shape) for name, one in weights.items()}
    x = torch.randn(1, CHANNELS, *SIZE)
    with torch.inference_mode():
        torch.testing.assert_close(OperatorModule(operators, weights)(x), layer(x), atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("name", [name for name in PIECES if name.startswith("reflect")])
def test_a_reflected_border_is_cut_and_joined(name: str):
    operators, _, layer = PIECES[name].build()
    found = rewrite_operators(operators, ("borders",)).operators
    assert {one.kind for one in found} == {"slice", "concat"}
    assert all(len(one.inputs) <= 4 for one in found)
    assert found[-1].output == operators[-1].output
    x = torch.randn(1, CHANNELS, *SIZE)
    assert torch.equal(OperatorModule(found, {})(x), layer(x))


def test_other_borders_stay():
    for layer in (nn.ZeroPad2d(1), nn.ReplicationPad2d(1), nn.ReflectionPad2d(5)):
        operators = trace_operators(layer, inputs=[(1, CHANNELS, *SIZE)])
        assert rewrite_operators(operators, ("borders",)).operators == operators
        x = torch.randn(1, CHANNELS, *SIZE)
        assert torch.equal(OperatorModule(operators, {})(x), layer(x))


def write_conv(width: int, kernel: int, bias: bool = True, **window: int):
    return record(
        lambda recorder, x: recorder.conv(
            x, "a", width, Window.square(kernel, window.get("stride", 1), window.get("padding", 0)), bias=bias
        )
    )


@pytest.mark.parametrize(("width", "kernel", "bias"), [(3, 7, True), (1, 5, False), (4, 5, True)])
def test_a_large_convolution_of_few_channels_makes_squares(width: int, kernel: int, bias: bool):
    torch.manual_seed(0)
    layer = nn.Conv2d(CHANNELS, width, kernel, bias=bias)
    operators = write_conv(width, kernel, bias)
    found = rewrite_operators(operators, ("squares",))
    assert [one.kind for one in found.operators] == ["conv", "pixel_shuffle"]
    conv = found.operators[0]
    assert (conv.output.channels, conv.window and conv.window.stride) == (4 * width, (2, 2))
    weights = found.make_weights({f"a.{name}": one for name, one in layer.state_dict().items()})
    assert weights[f"{conv.weights}.weight"].shape == (4 * width, CHANNELS, kernel + 1, kernel + 1)
    assert conv.parameters == 4 * width * (CHANNELS * (kernel + 1) ** 2 + bias)
    x = torch.randn(1, CHANNELS, *SIZE)
    with torch.inference_mode():
        made = OperatorModule(found.operators, weights)(x)
        torch.testing.assert_close(made, layer(x), atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize(
    "operators",
    [
        write_conv(5, 7),
        write_conv(3, 3),
        write_conv(3, 7, padding=3),
        write_conv(3, 6),  # 5 x 7 px: not even
        write_conv(3, 5, stride=2),
    ],
    ids=["many channels", "small kernel", "padding", "odd sides", "stride"],
)
def test_other_convolutions_make_no_squares(operators):
    assert rewrite_operators(operators, ("squares",)).operators == operators
