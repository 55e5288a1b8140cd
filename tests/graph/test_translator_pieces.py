"""The pieces of translators, against PyTorch's own layers."""

import pytest
import torch
from torch import nn

from mfagan.graph.module import OperatorModule
from mfagan.graph.passes import rewrite_operators
from mfagan.graph.trace import trace_operators
from mfagan.graph.weights import weight_shapes
from tests.graph.translator_pieces import CHANNELS, PIECES, SIZE


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
