"""Blocks in 8-bit integers: what they pass on, and what they compute."""

import pytest
import torch

from mfagan.deploy.tflite import litert
from mfagan.deploy.tflite.converter import convert
from mfagan.deploy.tflite.integers import convert_int8_block
from mfagan.graph.operators import Block
from mfagan.graph.rounding import rewrite_for
from mfagan.graph.weights import random_weights
from mfagan.sr.network.mfanet import blocks
from mfagan.sr.network.widths import Widths

SIZE = 12, 10
NETWORK = rewrite_for(
    blocks(Widths.parse("10,4,5,6,7,8,9,6"), *SIZE, 4, "bicubic"), ("statistics", "shuffle"), "int8"
)
KINDS = {block.key.partition("/")[0]: block for block in NETWORK}


@pytest.mark.parametrize("block", KINDS.values(), ids=KINDS)
def test_a_block_computes_in_integers_what_it_computes_in_floats(block: Block):
    weights = random_weights(block.operators)
    generator = torch.Generator().manual_seed(1)
    inputs = [2 * torch.rand(x.channels, x.height, x.width, generator=generator) - 1 for x in block.inputs]
    expected = litert.run(convert(block.operators, weights), inputs)
    found = litert.run(convert_int8_block(block, weights), inputs)
    step = 16 / 255
    assert (found - expected).abs().mean() < 3 * step
    assert not torch.equal(found, expected)


@pytest.mark.parametrize("block", KINDS.values(), ids=KINDS)
def test_integers_are_passed_on_as_such(block: Block):
    session = litert.Session(convert_int8_block(block, random_weights(block.operators)))
    names = [name for name, _ in session.list_operators()]
    taken = ["int8" if x in block.integers else "float32" for x in block.inputs]
    assert session.input_types == taken
    if all(x in block.integers for x in block.inputs):
        assert names[0] != "QUANTIZE"
    if block.output in block.integers:
        assert [name for name in names if name != "DELEGATE"][-1] != "DEQUANTIZE"


def test_the_picture_and_what_is_made_of_it_alone_are_floats():
    head, bicubic = KINDS["head"], KINDS["bicubic"]
    assert not head.integers.intersection(head.inputs)
    assert head.output in head.integers
    assert bicubic.output not in bicubic.integers
