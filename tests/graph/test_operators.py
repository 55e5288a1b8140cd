import torch
from torch import nn

from mfagan.graph.operators import Block, OperatorRecorder, trace_operators


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


def test_convolution_counts_by_hand():
    recorder = OperatorRecorder()
    recorder.conv(recorder.value(3, 4, 5), "conv", 7, 3)
    recorder.close_block("block")
    (operator,) = recorder.blocks[0].operators
    assert operator.parameters == 7 * (3 * 3 * 3 + 1)
    assert operator.macs == 7 * 4 * 5 * 3 * 3 * 3


def test_fixed_filter_has_no_parameters_and_shrinks():
    recorder = OperatorRecorder()
    recorder.filter(recorder.pad(recorder.value(3, 4, 5), 2, axis=1), "filters", 12, 5)
    recorder.close_block("block")
    pad, conv = recorder.blocks[0].operators
    assert pad.output.shape == (3, 8, 5)
    assert conv.output.shape == (12, 4, 1)
    assert conv.parameters == 0
    assert conv.macs == 12 * 4 * 1 * 25


def test_trace_sees_functional_operators():
    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3, padding=1)

        def forward(self, x):
            y = torch.relu(self.conv(x))
            return torch.cat([x, y * torch.sigmoid(y), y + 1], 1)

    kinds = [operator.kind for operator in trace_operators(Network(), 4, 5)]
    assert kinds == ["conv", "relu", "sigmoid", "multiply", "add_scalar", "concat"]


def test_trace_keeps_the_name_of_an_operator_it_does_not_know():
    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3, padding=1)

        def forward(self, x):
            return self.conv(x).exp()

    assert [operator.kind for operator in trace_operators(Network(), 4, 5)] == ["conv", "exp"]


def test_empty_block_reads_nothing():
    assert Block("empty", ()).inputs == ()


def test_trace_takes_operators_with_several_results():
    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3, padding=1)

        def forward(self, x):
            return nn.functional.max_pool2d(self.conv(x), 2)

    with torch.device("meta"):
        network = Network()
    pool = trace_operators(network, 4, 6)[1]
    assert pool.kind.startswith("max_pool2d")
    assert pool.output.shape == (4, 2, 3)
