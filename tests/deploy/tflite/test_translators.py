"""Translators of pictures in TensorFlow Lite: each piece and whole networks, against PyTorch."""

from collections import Counter

import pytest
import torch
from torch import nn

from mfagan.deploy.inspection import inspect_operators
from mfagan.deploy.tflite import converter, litert
from mfagan.deploy.tflite.delegates import check
from mfagan.deploy.tflite.integers import convert_int8_block
from mfagan.deploy.tflite.lite_operators import list_lite_operators
from mfagan.graph.operators import Block, Operator
from mfagan.graph.passes import rewrite_operators
from mfagan.graph.recording.lowering import lower_network
from mfagan.graph.rounding import rewrite_for
from mfagan.graph.weights import random_weights
from tests.graph.image_translation import resnet, unet
from tests.graph.translator_pieces import CHANNELS, PIECES, SIZE

EXPECTED = {
    "convolution 3x3 of stride 2": {"PAD": 1, "CONV_2D": 1},
    "convolution 4x4 of stride 2": {"CONV_2D": 1},
    "transposed 3x3": {"TRANSPOSE_CONV": 1, "SLICE": 1},
    "transposed 4x4": {"TRANSPOSE_CONV": 1},
    "instance norm and ReLU": {
        "MEAN": 2,
        "SQUARED_DIFFERENCE": 1,
        "ADD": 1,
        "RSQRT": 1,
        "SUB": 1,
        "MUL": 1,
    },
    "reflect 1": {"MIRROR_PAD": 1},
}
"""What some of the pieces are made of."""
NETWORKS = {
    "ResNet": (lambda: resnet(2, 8), 16),
    "U-Net of instance norms": (lambda: unet(4, "instance", 8), 32),
    "U-Net of batch norms": (lambda: unet(4, "batch", 8), 32),
}


def count_listed(operators: list[Operator]) -> dict[str, int]:
    return dict(Counter(one.name for one in list_lite_operators(operators)))


def build_network(name: str) -> tuple[nn.Module, int]:
    """A network with statistics of its own, and the side of its pictures."""
    build, side = NETWORKS[name]
    torch.manual_seed(0)
    network = build()
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.2)
    with torch.no_grad():
        network(torch.randn(4, 3, side, side))
    return network.eval(), side


@pytest.mark.parametrize("passes", [(), ("borders",)], ids=["plain", "borders"])
@pytest.mark.parametrize("name", PIECES)
def test_each_piece(name: str, passes: tuple[str, ...]):
    operators, weights, layer = PIECES[name].build()
    operators = rewrite_operators(operators, passes).operators
    x = torch.randn(CHANNELS, *SIZE, generator=torch.Generator().manual_seed(0))
    model = converter.convert(operators, weights)
    assert litert.max_abs_difference(model, layer, x) < 1e-5
    found = inspect_operators(litert.Session(model).list_operators())
    assert found.operators == count_listed(operators)
    if not passes and name in EXPECTED:
        assert found.operators == EXPECTED[name]


def test_padding_on_the_wrong_sides_would_be_seen():
    """SAME pads a 3x3 convolution of stride 2 at the bottom and on the right alone."""
    _, weights, layer = PIECES["convolution 3x3 of stride 2"].build()
    x = torch.randn(1, CHANNELS, *SIZE)
    same = nn.functional.conv2d(
        nn.functional.pad(x, (0, 1, 0, 1)), weights["a.weight"], weights["a.bias"], stride=2
    )
    assert (same - layer(x)).abs().max() > 1


@pytest.mark.parametrize("passes", [(), ("borders",)], ids=["plain", "borders"])
@pytest.mark.parametrize("name", NETWORKS)
def test_whole_networks(name: str, passes: tuple[str, ...]):
    network, side = build_network(name)
    operators, weights = lower_network(network, side, side)
    rewritten = rewrite_operators(operators, passes)
    weights = rewritten.make_weights(weights)
    x = 2 * torch.rand(3, side, side) - 1
    for precision, tolerance in (("fp32", 1e-4), ("fp16", 0.05)):
        model = converter.convert(rewritten.operators, weights, precision)
        assert litert.max_abs_difference(model, network, x) < tolerance
    found = inspect_operators(
        litert.Session(converter.convert(rewritten.operators, weights)).list_operators()
    )
    assert found.operators == count_listed(rewritten.operators)
    assert not {"TRANSPOSE", "CUSTOM"} & set(found.operators)
    assert "batch_norm" not in {one.kind for one in operators}
    checked = check(rewritten.operators, "xnnpack")
    assert checked.delegated_parts == found.partitions
    assert check(rewritten.operators, "gpu").clean
    assert checked.clean == check(rewritten.operators, "nnapi").clean == ("MIRROR_PAD" not in found.operators)


@pytest.mark.parametrize("passes", [(), ("borders",)], ids=["plain", "borders"])
@pytest.mark.parametrize("name", NETWORKS)
def test_networks_in_integers_keep_their_norms_in_floats(name: str, passes: tuple[str, ...]):
    network, side = build_network(name)
    operators, weights = lower_network(network, side, side)
    (block,) = rewrite_for([Block("all", tuple(operators))], passes, "int8")
    session = litert.Session(convert_int8_block(block, weights))
    listed = session.list_operators()
    assert all(in_float for name, in_float in listed if name in ("RSQRT", "SQUARED_DIFFERENCE"))
    assert not any(in_float for name, in_float in listed if name in ("CONV_2D", "TRANSPOSE_CONV"))
    # Lines that are cut from a picture and joined to it keep its scale.
    assert not any(name == "MUL" and not in_float for name, in_float in listed) or "concat" in {
        one.kind for one in block.operators if one.axis == "channels"
    }
    session.set_inputs([2 * torch.rand(3, side, side) - 1])
    assert session.run().isfinite().all()


def test_a_block_of_random_weights_is_finite():
    for name in NETWORKS:
        network, side = build_network(name)
        operators, _ = lower_network(network, side, side)
        found = litert.run(
            converter.convert(operators, random_weights(operators)), [torch.rand(3, side, side)]
        )
        assert found.isfinite().all()
