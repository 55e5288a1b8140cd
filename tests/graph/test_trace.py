from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from mfagan.errors import InputError
from mfagan.graph.costs import sum_costs
from mfagan.graph.operators import Operator, Window
from mfagan.graph.recorder import OperatorRecorder
from mfagan.graph.trace import trace_operators


class Call(nn.Module):
    """A function of activations as a network, with the layers it uses."""

    def __init__(self, function: Callable[..., object], **layers: nn.Module) -> None:
        super().__init__()
        self.function = function
        for name, layer in layers.items():
            self.add_module(name, layer)

    def forward(self, *inputs: Tensor) -> object:
        return self.function(*inputs, **dict(self.named_children()))


def trace(function: Callable[..., object] | nn.Module, *shapes: tuple[int, ...]) -> list[Operator]:
    network: nn.Module = function if isinstance(function, nn.Module) else Call(function)
    return trace_operators(network.eval(), inputs=shapes or [(1, 8, 12, 16)])


def count_flops(network: nn.Module, *shapes: tuple[int, ...]) -> int:
    """PyTorch's own count, 2 x MACs."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(*(torch.zeros(shape) for shape in shapes))
    return counter.get_total_flops()


# Layer, shape of its input, and by hand: parameters, MACs, FLOPs in the paper's count.
IMAGE, VECTOR = (1, 8, 12, 16), (1, 5, 16)
PIXELS = 12 * 16
LAYERS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...], int, int, int]] = {
    "bias": (lambda: nn.Conv2d(8, 6, 3, padding=1), IMAGE, 8 * 6 * 9 + 6, PIXELS * 8 * 6 * 9, PIXELS * 6),
    "no bias": (lambda: nn.Conv2d(8, 6, 3, padding=1, bias=False), IMAGE, 432, PIXELS * 432, 0),
    "strided": (lambda: nn.Conv2d(8, 6, 4, 2, 1), IMAGE, 8 * 6 * 16 + 6, 6 * 8 * 768, 6 * 8 * 6),
    "dilated": (lambda: nn.Conv2d(8, 6, 3, dilation=2), IMAGE, 438, 8 * 12 * 432, 8 * 12 * 6),
    "oblong": (lambda: nn.Conv2d(8, 6, (1, 5)), IMAGE, 8 * 6 * 5 + 6, 12 * 12 * 240, 12 * 12 * 6),
    "grouped": (lambda: nn.Conv2d(8, 6, 3, padding=1, groups=2), IMAGE, 222, PIXELS * 216, PIXELS * 6),
    "depthwise": (
        lambda: nn.Conv2d(8, 8, 3, padding=1, groups=8, bias=False),
        IMAGE,
        8 * 9,
        PIXELS * 8 * 9,
        0,
    ),
    "one axis": (lambda: nn.Conv1d(5, 4, 3), VECTOR, 5 * 4 * 3 + 4, 14 * 60, 14 * 4),
    "transposed": (
        lambda: nn.ConvTranspose2d(8, 6, 3, 2, 1, 1),
        IMAGE,
        438,
        PIXELS * 432,
        4 * PIXELS * 6,
    ),
    "transposed, no bias": (
        lambda: nn.ConvTranspose2d(8, 6, 4, 2, 1, bias=False),
        IMAGE,
        768,
        PIXELS * 768,
        0,
    ),
    "transposed, grouped": (
        lambda: nn.ConvTranspose2d(8, 6, 2, 2, groups=2, bias=False),
        IMAGE,
        8 * 3 * 4,
        PIXELS * 96,
        0,
    ),
    "linear": (lambda: nn.Linear(16, 4), (1, 16), 16 * 4 + 4, 64, 4),
    "linear, no bias": (lambda: nn.Linear(16, 4, bias=False), (1, 16), 64, 64, 0),
    "linear, positions": (lambda: nn.Linear(16, 4), VECTOR, 68, 5 * 64, 5 * 4),
    "linear, positions, no bias": (lambda: nn.Linear(16, 4, bias=False), VECTOR, 64, 5 * 64, 0),
    "batch norm": (lambda: nn.BatchNorm2d(8), IMAGE, 16, 0, 0),
    "instance norm": (lambda: nn.InstanceNorm2d(8), IMAGE, 0, 0, 0),
    "instance norm, affine": (lambda: nn.InstanceNorm2d(8, affine=True), IMAGE, 16, 0, 0),
    "group norm": (lambda: nn.GroupNorm(2, 8), IMAGE, 16, 0, 0),
    "layer norm": (lambda: nn.LayerNorm(16), VECTOR, 32, 0, 0),
    "prelu": (lambda: nn.PReLU(8), IMAGE, 8, 0, 0),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers_by_hand_and_by_pytorchs_counter(name: str):
    build, shape, params, macs, biased = LAYERS[name]
    layer = build().eval()
    operators = trace(layer, shape)
    costs = sum_costs(operators)
    assert len(operators) == 1
    assert (costs.params, costs.macs, costs.flops) == (params, macs, macs + biased)
    assert costs.params == sum(one.numel() for one in layer.parameters())
    assert 2 * costs.macs == count_flops(layer, shape)


@given(
    kernel=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    stride=st.integers(1, 3),
    dilation=st.integers(1, 2),
    padding=st.integers(0, 2),
    groups=st.integers(1, 3),
    transposed=st.booleans(),
    size=st.tuples(st.integers(6, 9), st.integers(6, 9)),
)
def test_convolutions_by_pytorchs_counter(
    kernel: tuple[int, int],
    stride: int,
    dilation: int,
    padding: int,
    groups: int,
    transposed: bool,
    size: tuple[int, int],
):
    kind = nn.ConvTranspose2d if transposed else nn.Conv2d
    channels, out = 2 * groups, groups
    layer = kind(channels, out, kernel, stride, padding, dilation=dilation, groups=groups, bias=False)
    costs = sum_costs(trace(layer, (1, channels, *size)))
    assert 2 * costs.macs == count_flops(layer, (1, channels, *size))
    assert costs.params == layer.weight.numel()


@given(factors=st.tuples(st.integers(1, 4), st.integers(1, 5), st.integers(1, 6), st.integers(1, 7)))
def test_matrix_products_by_pytorchs_counter(factors: tuple[int, int, int, int]):
    batch, m, k, n = factors
    network = Call(torch.matmul)
    shapes = (1, batch, m, k), (1, batch, k, n)
    operators = trace(network, *shapes)
    assert [one.kind for one in operators if one.macs] == ["matmul"]
    assert sum_costs(operators).macs == batch * m * k * n == count_flops(network, *shapes) // 2


KINDS: dict[str, tuple[Callable[[Tensor], object], dict[str, object]]] = {
    "tanh": (torch.tanh, {}),
    "silu": (F.silu, {}),
    "sigmoid": (torch.sigmoid, {}),
    "softplus": (F.softplus, {}),
    "relu": (F.relu, {}),
    "leaky_relu": (lambda x: F.leaky_relu(x, 0.2), {"value": 0.2}),
    "softmax": (lambda x: x.softmax(1), {}),
    "rsqrt": (torch.rsqrt, {}),
    "square": (torch.square, {}),
    "divide": (lambda x: x / 2, {}),
    "resample": (lambda x: F.interpolate(x, scale_factor=2), {"mode": "nearest"}),
    "resample bilinear": (lambda x: F.interpolate(x, scale_factor=2, mode="bilinear"), {"mode": "bilinear"}),
    "resample bicubic": (lambda x: F.interpolate(x, size=(5, 6), mode="bicubic"), {"mode": "bicubic"}),
    "resample antialiased": (
        lambda x: F.interpolate(x, size=(5, 6), mode="bilinear", antialias=True),
        {"mode": "bilinear"},
    ),
    "pixel_shuffle": (lambda x: F.pixel_shuffle(x, 2), {"value": 2}),
    "pixel_unshuffle": (lambda x: F.pixel_unshuffle(x, 2), {"value": 2}),
    "max_pool": (lambda x: F.max_pool2d(x, 3, 2, 1), {"window": Window.square(3, 2, 1)}),
    "avg_pool": (lambda x: F.avg_pool2d(x, 2), {"window": Window.square(2, 2)}),
    "adaptive_avg_pool": (lambda x: F.adaptive_avg_pool2d(x, 3), {}),
    "adaptive_max_pool": (lambda x: F.adaptive_max_pool2d(x, 3), {}),
    "mean": (lambda x: F.adaptive_avg_pool2d(x, 1), {}),
    "pad zero": (lambda x: F.pad(x, (1, 2, 3, 4)), {"mode": "zero", "border": (3, 4, 1, 2)}),
    "pad constant": (lambda x: F.pad(x, (1, 2), value=3.0), {"mode": "constant", "border": (0, 0, 1, 2)}),
    "pad reflect": (
        lambda x: F.pad(x, (1, 1, 2, 2), mode="reflect"),
        {"mode": "reflect", "border": (2, 2, 1, 1)},
    ),
    "pad replicate": (
        lambda x: F.pad(x, (1, 1, 2, 2), mode="replicate"),
        {"mode": "replicate", "border": (2, 2, 1, 1)},
    ),
    "pad symmetric": (
        lambda x: torch.cat((x[..., :2].flip(3), x, x[..., -2:].flip(3)), -1),
        {"mode": "symmetric", "border": (0, 0, 2, 2)},
    ),
}


@pytest.mark.parametrize("name", KINDS)
def test_kinds_that_have_no_macs(name: str):
    function, fields = KINDS[name]
    (operator,) = trace(function)
    found = function(torch.ones(1, 8, 12, 16))
    assert isinstance(found, Tensor)
    assert operator.kind == name.partition(" ")[0]
    assert {field: getattr(operator, field) for field in fields} == fields
    assert operator.output.shape == tuple(found.shape[1:])
    assert operator.inputs[0].shape == (8, 12, 16)
    assert (operator.macs, operator.parameters) == (0, 0)


def test_the_recorder_records_what_the_trace_sees():
    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.down = nn.Conv2d(3, 8, 4, 2, 1, bias=False)
            self.norm = nn.BatchNorm2d(8)
            self.mix = nn.Conv2d(8, 8, 3, padding=1, groups=8)
            self.up = nn.ConvTranspose2d(16, 4, 3, 2, 1, 1)
            self.groups = nn.GroupNorm(2, 4)
            self.strength = nn.Parameter(torch.zeros(1))
            self.classify = nn.Linear(4, 2)

        def forward(self, x: Tensor) -> Tensor:
            y = self.norm(self.down(F.pad(x, (1, 1, 1, 1), mode="reflect")))
            y = torch.cat((F.silu(self.mix(y)), F.max_pool2d(y, 3, 1, 1)), 1)
            y = F.interpolate(self.groups(self.up(y)), size=(9, 11), mode="bilinear")
            y = F.instance_norm(y * self.strength)
            return self.classify(y.mean((2, 3)))

    recorder = OperatorRecorder()
    x = recorder.pad(recorder.value(3, 10, 12), (1, 1, 1, 1), "reflect")
    x = recorder.conv(x, "down", 8, Window.square(4, 2, 1), bias=False)
    x = recorder.norm("batch_norm", x, "norm")
    mixed = recorder.elementwise("silu", recorder.conv(x, "mix", 8, 3, groups=8))
    x = recorder.concat(mixed, recorder.pool("max_pool", x, Window.square(3, 1, 1)))
    x = recorder.conv_transpose(x, "up", 4, Window.square(3, 2, 1, 1, 1))
    x = recorder.resample(recorder.norm("group_norm", x, "groups", groups=2), (9, 11), "bilinear")
    x = recorder.elementwise("multiply", x, weights="strength", parameters=1)
    x = recorder.mean(recorder.norm("instance_norm", x, affine=False))
    # The trace shows a vector as (1, 1, features); a reshape costs nothing and is not in it.
    recorder.linear(recorder.reshape(x, (1, 1, 4)), "classify", 2)
    recorder.close_block("network")
    recorded = [one for one in recorder.blocks[0].operators if one.kind != "reshape"]
    traced = trace_operators(Network().eval(), 10, 12)
    mean = [one.kind for one in traced].index("mean")
    assert [one.signature for one in traced[:mean]] == [one.signature for one in recorded[:mean]]
    assert traced[-1].signature == recorded[-1].signature
    assert sum_costs(traced) == sum_costs(recorder.blocks[0].operators)
    assert sum_costs(traced).params == sum(one.numel() for one in Network().parameters())


def test_unshuffled_pixels_shuffle_back():
    recorder = OperatorRecorder()
    x = recorder.value(3, 8, 6)
    assert recorder.pixel_shuffle(recorder.pixel_unshuffle(x, 2), 2).shape == x.shape


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
    assert [operator.kind for operator in trace(torch.exp)] == ["exp"]


def test_a_fixed_filter_is_told_from_a_learned_convolution_without_a_bias():
    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.learned = nn.Conv2d(3, 3, 3, groups=3, bias=False)
            self.register_buffer("fixed", torch.zeros(3, 1, 3, 3))

        def forward(self, x: Tensor) -> Tensor:
            return F.conv2d(self.learned(x), self.get_buffer("fixed"), groups=3)

    learned, fixed = trace_operators(Network(), 8, 8)
    assert (learned.parameters, fixed.parameters) == (27, 0)
    assert (learned.macs, fixed.macs) == (6 * 6 * 27, 4 * 4 * 27)


def test_operators_on_weights_alone_are_not_listed_but_their_numbers_count():
    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(4, 3, 1, 1))
            self.gain = nn.Parameter(torch.zeros(4, 1, 1, 1))

        def forward(self, x: Tensor) -> Tensor:
            weight = self.gain * self.weight / self.weight.norm()
            return F.conv2d(x, weight)

    (operator,) = trace_operators(Scaled(), 4, 4)
    assert operator.kind == "conv"
    assert operator.parameters == 12 + 4


def test_a_layer_that_is_used_twice_has_its_parameters_once():
    layer = nn.Conv2d(3, 3, 1)
    operators = trace_operators(nn.Sequential(layer, layer), 4, 4)
    assert [one.parameters for one in operators] == [12, 0]
    assert [one.macs for one in operators] == [144, 144]


def test_numbers_written_into_a_buffer_go_on_from_there():
    """Zero insertion writes into a view; what reads the whole buffer depends on the image."""

    def spread(x: Tensor) -> Tensor:
        y = x.new_zeros(1, 8, 24, 32)
        y[..., ::2, ::2] = x
        return y.tanh()

    assert [one.kind for one in trace(spread)] == ["copy", "tanh"]


def test_weights_made_from_the_input_are_a_second_activation():
    def attend(x: Tensor, style: Tensor, conv: nn.Conv2d) -> Tensor:
        return F.conv2d(x, conv.weight * style)

    network = Call(attend, conv=nn.Conv2d(8, 4, 1, bias=False))
    scale, conv = trace(network, (1, 8, 5, 5), (1, 8, 1, 1))
    assert (scale.kind, scale.parameters) == ("multiply", 32)
    assert (conv.macs, conv.parameters) == (25 * 32, 0)
    assert [one.shape for one in conv.inputs] == [(8, 5, 5), (4 * 8, 1, 1)]


def test_a_trace_takes_tensors_and_works_on_a_real_device():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(6, 4), nn.Tanh())
    real = trace_operators(network, inputs=[torch.rand(1, 6)])
    assert real == trace_operators(network.to("meta"), inputs=[(1, 6)])
    assert real[0].inputs[0].shape == (1, 1, 6)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "give either the height and width"),
        ({"height": 4, "width": 4, "inputs": [(1, 3, 4, 4)]}, "give either the height and width"),
        ({"inputs": [(2, 3, 4, 4)]}, r"the shape \(2, 3, 4, 4\); give a batch of 1"),
        ({"inputs": [()]}, r"the shape \(\); give a batch of 1"),
    ],
)
def test_inputs_that_cannot_be_traced(given: dict[str, object], message: str):
    with pytest.raises(InputError, match=message):
        trace_operators(nn.Conv2d(3, 3, 1), **given)  # pyright: ignore[reportArgumentType]


def test_a_convolution_over_three_axes_is_refused():
    with pytest.raises(InputError, match=r"weights \(2, 3, 1, 1, 1\)"):
        trace(nn.Conv3d(3, 2, 1), (1, 3, 4, 4, 4))


class _Tokens(nn.Module):
    """A convolution, a linear layer and attention by PyTorch's own function."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.linear = nn.Linear(4, 6)
        self.attention = nn.MultiheadAttention(6, 2, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        y = F.leaky_relu(F.max_pool2d(F.interpolate(self.conv(x), scale_factor=2.0, mode="nearest"), 2))
        y = self.linear(y.flatten(2).transpose(1, 2))
        return self.attention(y, y, y, need_weights=False)[0]


class _Inferring(_Tokens):
    @torch.inference_mode()
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x)


@pytest.mark.parametrize("build", [_Tokens, _Inferring])
@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_operators_that_are_made_of_others_are_counted(build: type[_Tokens], device: str):
    """In inference mode PyTorch decomposes neither conv2d nor linear, and attention may be one fused operator."""
    found = sum_costs(trace_operators(build().to(device), 4, 6))
    tokens = 4 * 6
    layers = tokens * (4 * 27 + 6 * 4)
    attention = (
        tokens * (3 * 6 + 6) * 6 + 2 * tokens**2 * 6
    )  # the projections; queries with keys, and with values
    assert found.macs == layers + attention
    assert found.params == sum(parameter.numel() for parameter in build().parameters())


def test_products_that_are_not_counted_are_refused_rather_than_left_out():
    class Spectral(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.fft.rfft2(x).real

    with pytest.raises(InputError, match="its operator _fft_r2c multiplies in ways that are not counted"):
        trace_operators(Spectral(), 4, 6)
