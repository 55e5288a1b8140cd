"""Lists of operators in ONNX: pieces of translators and whole networks, against PyTorch."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mfagan.deploy.onnx.operators import convert_named, convert_operators, open_session
from mfagan.graph.passes import rewrite_operators
from mfagan.graph.recording.lowering import lower_network
from mfagan.graph.trace import trace_operators
from tests.graph.image_translation import resnet, unet
from tests.graph.translator_pieces import CHANNELS, PIECES, SIZE


def run(content: bytes, x: Tensor) -> Tensor:
    session = open_session(content, 1)
    (found,) = session.run(None, {session.get_inputs()[0].name: x.numpy()})
    return torch.from_numpy(np.asarray(found))


@pytest.mark.parametrize("passes", [(), ("borders",)], ids=["plain", "borders"])
@pytest.mark.parametrize("name", PIECES)
def test_each_piece(name: str, passes: tuple[str, ...]):
    operators, weights, layer = PIECES[name].build()
    operators = rewrite_operators(operators, passes).operators
    x = torch.randn(1, CHANNELS, *SIZE, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected = layer(x)
    torch.testing.assert_close(run(convert_operators(operators, weights), x), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("layer", [nn.ZeroPad2d((1, 2, 0, 3)), nn.ReplicationPad2d((1, 2, 0, 3))])
def test_other_borders(layer: nn.Module):
    operators = trace_operators(layer, inputs=[(1, CHANNELS, *SIZE)])
    x = torch.randn(1, CHANNELS, *SIZE)
    assert torch.equal(run(convert_operators(operators, {}), x), layer(x))


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
@pytest.mark.parametrize("build", [lambda: resnet(2, 8), lambda: unet(4, "batch", 8)])
def test_a_named_file_takes_pictures_as_tflite_has_them(build, precision: str):
    torch.manual_seed(0)
    network = build()
    with torch.no_grad():
        network(torch.randn(4, 3, 32, 16))
    network.eval()
    operators, weights = lower_network(network, 32, 16)
    x = 2 * torch.rand(1, 3, 32, 16) - 1
    with torch.inference_mode():
        expected = network(x).permute(0, 2, 3, 1)
    content = convert_named(operators, weights, precision, ("image", "translated"))
    found = run(content, x.permute(0, 2, 3, 1).contiguous())
    tolerance = 1e-4 if precision == "fp32" else 0.05
    torch.testing.assert_close(found, expected, atol=tolerance, rtol=0)
