from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from mfagan.graph.costs import sum_costs
from mfagan.graph.operators import Activation, Block, Operator, Window
from mfagan.graph.recorder import OperatorRecorder
from mfagan.graph.trace import trace_operators


def test_block_inputs_are_the_values_read_from_outside():
    recorder = OperatorRecorder()
    a, b = recorder.value(3, 4, 5), recorder.value(6, 4, 5)
    recorder.conv(a, "unused", 2, 1)
    recorder.close_block("first")
    joined = recorder.concat(b, a)
    recorder.elementwise("add", recorder.conv(joined, "conv", 6, 3), b)
    recorder.close_block("second")
    block = recorder.blocks[1]
    assert block.inputs == (b, a)
    assert block.output.shape == (6, 4, 5)
    assert [operator.kind for operator in block.operators] == ["concat", "conv", "add"]


def test_empty_block_reads_nothing():
    assert Block("empty", ()).inputs == ()


def test_output_resolution_multiplies_by_the_stride_squared():
    x, y = Activation("x", 8, 5, 7), Activation("y", 4, 10, 14)
    window = Window.square(4, stride=2, padding=1)
    operator = Operator("conv_transpose", (x,), y, terms=8 * 16, window=window)
    assert operator.macs == operator.macs_at("input") == 5 * 7 * 8 * 4 * 16
    assert operator.macs_at("output") == 10 * 14 * 8 * 4 * 16


@st.composite
def windows(draw: st.DrawFn) -> Window:
    def pair(low: int, high: int) -> tuple[int, int]:
        return draw(st.tuples(st.integers(low, high), st.integers(low, high)))

    stride, dilation = pair(1, 3), pair(1, 3)
    # PyTorch takes an output padding that is smaller than the stride or the dilation.
    added = [draw(st.integers(0, max(s, d) - 1)) for s, d in zip(stride, dilation, strict=True)]
    return Window(pair(1, 4), stride, pair(0, 3), dilation, (added[0], added[1]))


@given(
    window=windows(),
    size=st.tuples(st.integers(10, 20), st.integers(10, 20)),
    groups=st.integers(1, 3),
    bias=st.booleans(),
    transposed=st.booleans(),
)
def test_recorded_convolutions_are_those_of_pytorch(
    window: Window, size: tuple[int, int], groups: int, bias: bool, transposed: bool
):
    """Stride, dilation, padding, output padding and groups: the recorder's geometry is what the real layer has."""
    channels, out = 2 * groups, 3 * groups
    given: dict[str, Any] = {"stride": window.stride, "padding": window.padding, "dilation": window.dilation}
    given |= {"groups": groups, "bias": bias, "device": "meta"}
    if transposed:
        layer = nn.ConvTranspose2d(
            channels, out, window.kernel, **given, output_padding=window.output_padding
        )
    else:
        window = Window(window.kernel, window.stride, window.padding, window.dilation)
        layer = nn.Conv2d(channels, out, window.kernel, **given)
    if transposed and min(window.transposed_size(*size)) < 1:
        return
    recorder = OperatorRecorder()
    record = recorder.conv_transpose if transposed else recorder.conv
    record(recorder.value(channels, *size), "a", out, window, groups=groups, bias=bias)
    recorder.close_block("layer")
    traced = trace_operators(nn.Sequential(layer), inputs=[(1, channels, *size)])
    (recorded,) = recorder.blocks[0].operators
    assert [one.signature for one in traced] == [recorded.signature]
    assert recorded.parameters == sum(one.numel() for one in layer.parameters())


@given(kernel=st.sampled_from([1, 3, 5, 7]), size=st.tuples(st.integers(1, 30), st.integers(1, 30)))
def test_a_window_of_the_same_size_keeps_it(kernel: int, size: tuple[int, int]):
    window = Window.same(kernel)
    assert window.keeps_size
    assert window.conv_size(*size) == size
    assert Window.square(kernel, stride=2, padding=kernel // 2).keeps_size is False


def test_a_reshape_must_keep_the_numbers():
    recorder = OperatorRecorder()
    x = recorder.value(1, 1, 12)
    assert recorder.reshape(x, (12, 1, 1)).shape == (12, 1, 1)
    recorder.close_block("reshape")
    assert sum_costs(recorder.blocks[0].operators).memory_bytes == 4 * 12
    with pytest.raises(ValueError, match="12 elements"):
        recorder.reshape(x, (3, 5, 1))
