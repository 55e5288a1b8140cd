"""The pass `wavelets`: the same image by other operators, in the order that a TFLite file needs."""

from collections import Counter

import pytest
import torch

from mfagan.deploy.tflite import converter, litert
from mfagan.graph.module import OperatorModule
from mfagan.graph.operators import Operator
from mfagan.graph.passes import rewrite_operators
from mfagan.graph.recorder import OperatorRecorder
from mfagan.graph.weights import random_weights

MATRIX = torch.tensor([[1, 1, 1, 1], [1, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]]) / 2
SHAPE = (6, 3, 5)


def weigh(operators: list[Operator]) -> dict[str, torch.Tensor]:
    """Random weights, but for the transform's."""
    found = random_weights(operators)
    for operator in operators:
        if operator.mode == "haar":
            found[operator.weights] = MATRIX[:, :, None, None].repeat(operator.groups, 1, 1, 1)
    return found


def record(kind: str) -> list[Operator]:
    recorder = OperatorRecorder()
    x = recorder.value(*SHAPE)
    style = recorder.value(1, 1, 4)
    y = recorder.conv(x, "conv", 8, 3)
    if kind != "conv":
        y = recorder.elementwise(
            "multiply", y, recorder.reshape(recorder.linear(style, "scale", 8), (8, 1, 1))
        )
        y = recorder.elementwise("add", y, weights="noise", operand=(1, *SHAPE[1:]))
        y = recorder.elementwise("add", y, weights="bias")
        y = recorder.elementwise("leaky_relu", y, value=0.2)
        y = recorder.elementwise("multiply", y, recorder.reshape(recorder.linear(style, "up", 8), (8, 1, 1)))
    if kind == "two readers":
        recorder.conv(y, "head", 8, 1)
    mixed = recorder.filter(y, "haar", 8, 1, groups=2, mode="haar")
    recorder.pixel_shuffle(mixed, 2)
    recorder.close_block("all")
    return list(recorder.blocks[0].operators)


@pytest.mark.parametrize("kind", ["conv", "layers", "two readers"])
def test_the_same_image(kind: str):
    operators = record(kind)
    weights = weigh(operators)
    found = rewrite_operators(operators, ["wavelets"])
    shapes = [x.shape for x in found.blocks[0].inputs]
    inputs = [torch.randn(1, *shape) for shape in shapes]
    expected = OperatorModule(operators, weights)(*inputs)
    made = found.make_weights(weights)
    torch.testing.assert_close(OperatorModule(found.operators, made)(*inputs), expected, atol=1e-5, rtol=1e-5)
    file = converter.convert(found.operators, made)
    torch.testing.assert_close(litert.run(file, [x[0] for x in inputs])[None], expected, atol=1e-5, rtol=1e-5)
    names = Counter(name for name, _ in litert.Session(file).list_operators())
    assert "TRANSPOSE" not in names
    kinds = Counter(operator.kind for operator in found.operators)
    if kind == "conv":
        assert kinds == {"conv": 1, "pixel_shuffle": 1}
        assert names["DEPTH_TO_SPACE"] == 1
    elif kind == "layers":
        assert kinds["inverse_haar"] == 1
        assert kinds["conv"] == 1
        assert "GATHER" not in names
    else:  # what something else reads keeps its order
        assert kinds["inverse_haar"] == 0
        assert kinds["conv"] == 2  # the head is not read
