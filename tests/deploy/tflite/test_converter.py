import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
import torch
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from torch import Tensor
from torch.nn import functional as F

from mfagan.deploy.target import INPUT, OUTPUT, PARITY_LIMIT, SIGNATURE
from mfagan.deploy.tflite import converter, litert
from mfagan.graph.operators import Activation, Operator, Window
from mfagan.graph.recorder import OperatorRecorder
from mfagan.graph.weights import weight_shapes
from mfagan.sr.network import mfanet
from mfagan.sr.network.layers import Residual
from mfagan.sr.network.mfanet import MFANet
from mfagan.sr.network.widths import Widths

HEIGHT, WIDTH = 7, 5
WIDTHS = Widths.parse("10,4,5,6,7,8,9,6")


def random_tensor(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def random_weights(operators: tuple[Operator, ...]) -> dict[str, Tensor]:
    shapes = (item for operator in operators for item in weight_shapes(operator).items())
    return {name: random_tensor(*shape, seed=i) for i, (name, shape) in enumerate(shapes)}


def weights_of(network: MFANet) -> dict[str, Tensor]:
    return dict(network.state_dict()) | dict(network.named_buffers())


def list_operators(model: bytes) -> list[str]:
    """Names of the builtin operators in the flatbuffer, in order; a custom (Flex) one shows as CUSTOM."""
    names = {code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)}
    content = schema.ModelT.InitFromPackedBuf(model, 0)
    assert content.subgraphs is not None
    assert content.operatorCodes is not None
    assert len(content.subgraphs) == 1
    codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in content.operatorCodes]
    return [names[codes[operator.opcodeIndex]] for operator in content.subgraphs[0].operators or ()]


def build_network(residual: Residual) -> MFANet:
    torch.manual_seed(0)
    network = MFANet(WIDTHS, residual=residual).eval()
    # With a residual these start at zero, which would hide the whole network.
    torch.nn.init.normal_(network.fusion.reconstruct.weight, std=0.05)
    torch.nn.init.normal_(network.get_parameter("fusion.reconstruct.bias"))
    return network


def conv(k: int, c: int) -> Callable[[OperatorRecorder, Activation], Activation]:
    return lambda recorder, x: recorder.conv(x, "a", c, k)


def twice(kind: str) -> Callable[[OperatorRecorder, Activation], Activation]:
    """An operator of two arguments, the second one the mean over height and width."""
    return lambda recorder, x: recorder.elementwise(kind, x, recorder.mean(x))


def once(kind: str, value: float = 0.0) -> Callable[[OperatorRecorder, Activation], Activation]:
    return lambda recorder, x: recorder.elementwise(kind, x, value=value)


def shuffled(recorder: OperatorRecorder, x: Activation) -> Activation:
    return recorder.pixel_shuffle(recorder.conv(x, "a", 3 * 4, 3), 2)


def filtered(recorder: OperatorRecorder, x: Activation) -> Activation:
    return recorder.filter(x, "a", 2 * x.channels, 3)


def shuffled_filter(recorder: OperatorRecorder, x: Activation) -> Activation:
    return recorder.pixel_shuffle(recorder.filter(x, "a", 9 * x.channels, 5), 3)


def shuffled_and_read(recorder: OperatorRecorder, x: Activation) -> Activation:
    shuffled = recorder.pixel_shuffle(x, 2)
    return recorder.elementwise("multiply", shuffled, recorder.mean(recorder.pixel_shuffle(x, 2)))


def shuffle_and_read(x: Tensor) -> Tensor:
    large = F.pixel_shuffle(x, 2)
    return large * mean_of(large)


def mean_of(x: Tensor) -> Tensor:
    return x.mean((2, 3), keepdim=True)


Weights = dict[str, Tensor]
KINDS: dict[
    str, tuple[Callable[[OperatorRecorder, Activation], Activation], Callable[[Tensor, Weights], Tensor]]
] = {
    "conv 3x3": (conv(3, 6), lambda x, w: F.conv2d(x, w["a.weight"], w["a.bias"], padding=1)),
    "conv 1x1": (conv(1, 6), lambda x, w: F.conv2d(x, w["a.weight"], w["a.bias"])),
    "conv strided": (
        lambda recorder, x: recorder.conv(x, "a", 6, Window.square(4, 2, 1)),
        lambda x, w: F.conv2d(x, w["a.weight"], w["a.bias"], stride=2, padding=1),
    ),
    "conv strided, of another side": (
        lambda recorder, x: recorder.conv(x, "a", 6, Window.square(3, 2, 1)),
        lambda x, w: F.conv2d(x, w["a.weight"], w["a.bias"], stride=2, padding=1),
    ),
    "conv dilated, same size": (
        lambda recorder, x: recorder.conv(x, "a", 6, Window.square(3, padding=2, dilation=2)),
        lambda x, w: F.conv2d(x, w["a.weight"], w["a.bias"], padding=2, dilation=2),
    ),
    "conv oblong without padding": (
        lambda recorder, x: recorder.conv(x, "a", 6, Window((1, 3))),
        lambda x, w: F.conv2d(x, w["a.weight"], w["a.bias"]),
    ),
    "conv learned without a bias": (
        lambda recorder, x: recorder.conv(x, "a", 6, 3, bias=False),
        lambda x, w: F.conv2d(x, w["a.weight"], padding=1),
    ),
    "conv grouped": (
        lambda recorder, x: recorder.conv(x, "a", 6, 3, groups=2),
        lambda x, w: F.conv2d(x, w["a.weight"], w["a.bias"], padding=1, groups=2),
    ),
    "pad zero": (
        lambda recorder, x: recorder.pad(x, (1, 2, 0, 3)),
        lambda x, w: F.pad(x, (0, 3, 1, 2)),
    ),
    "pad reflect": (
        lambda recorder, x: recorder.pad(x, (1, 2, 0, 3), "reflect"),
        lambda x, w: F.pad(x, (0, 3, 1, 2), mode="reflect"),
    ),
    "filter": (filtered, lambda x, w: F.conv2d(x, w["a"], groups=4)),
    "leaky_relu": (once("leaky_relu", 0.05), lambda x, w: F.leaky_relu(x, 0.05)),
    "relu": (once("relu"), lambda x, w: F.relu(x)),
    "concat": (
        lambda recorder, x: recorder.concat(recorder.elementwise("relu", x), x),
        lambda x, w: torch.cat((F.relu(x), x), 1),
    ),
    "add": (twice("add"), lambda x, w: x + mean_of(x)),
    "subtract": (twice("subtract"), lambda x, w: x - mean_of(x)),
    "multiply": (twice("multiply"), lambda x, w: x * mean_of(x)),
    "mean": (lambda recorder, x: recorder.mean(x), lambda x, w: mean_of(x)),
    "square": (once("square"), lambda x, w: x.square()),
    "add_scalar": (once("add_scalar", 0.25), lambda x, w: x + 0.25),
    "sqrt": (
        lambda recorder, x: recorder.elementwise("sqrt", recorder.elementwise("square", x)),
        lambda x, w: x.square().sqrt(),
    ),
    "sigmoid": (once("sigmoid"), lambda x, w: x.sigmoid()),
    "pad height": (
        lambda recorder, x: recorder.pad(x, (2, 2, 0, 0), "symmetric"),
        lambda x, w: x[:, :, [1, 0, *range(HEIGHT), HEIGHT - 1, HEIGHT - 2]],
    ),
    "pad width": (
        lambda recorder, x: recorder.pad(x, (0, 0, 2, 2), "symmetric"),
        lambda x, w: x[:, :, :, [1, 0, *range(WIDTH), WIDTH - 1, WIDTH - 2]],
    ),
    "pixel_shuffle": (
        shuffled,
        lambda x, w: F.pixel_shuffle(F.conv2d(x, w["a.weight"], w["a.bias"], padding=1), 2),
    ),
    "pixel_shuffle of other than a convolution": (
        lambda recorder, x: recorder.pixel_shuffle(
            recorder.elementwise("relu", recorder.conv(x, "a", 12, 3)), 2
        ),
        lambda x, w: F.pixel_shuffle(F.relu(F.conv2d(x, w["a.weight"], w["a.bias"], padding=1)), 2),
    ),
    "conv read by others than its pixel_shuffle": (
        lambda recorder, x: shuffled_and_read(recorder, recorder.conv(x, "a", 12, 3)),
        lambda x, w: shuffle_and_read(F.conv2d(x, w["a.weight"], w["a.bias"], padding=1)),
    ),
    "pixel_shuffle of a filter": (
        shuffled_filter,
        lambda x, w: F.pixel_shuffle(F.conv2d(x, w["a"], groups=4), 3),
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_agrees_with_pytorch(kind: str):
    write, compute = KINDS[kind]
    recorder = OperatorRecorder()
    write(recorder, recorder.value(4, HEIGHT, WIDTH))
    recorder.close_block("block")
    operators = recorder.blocks[0].operators
    weights = random_weights(operators)
    x = random_tensor(4, HEIGHT, WIDTH)

    got = litert.run(converter.convert(operators, weights), [x])

    assert got.shape == recorder.blocks[0].output.shape
    torch.testing.assert_close(got, compute(x[None], weights)[0], rtol=1e-5, atol=1e-5)


def test_every_kind_of_the_network_is_tested():
    tested = {kind.partition(" ")[0] for kind in KINDS} - {"filter"}
    assert tested == {op.kind for op in mfanet.operators(WIDTHS, 8, 8, residual="bicubic")}


@pytest.mark.parametrize("residual", ["none", "bicubic"])
@pytest.mark.parametrize("size", [(16, 12), (17, 13)])
def test_the_whole_network_agrees_and_has_no_transpose(residual: Residual, size: tuple[int, int]):
    network = build_network(residual)
    operators = mfanet.operators(WIDTHS, *size, residual=residual)

    model = converter.convert_network(operators, weights_of(network), "fp32", "float")
    difference = litert.max_abs_difference(model, network, torch.rand(3, *size))

    assert 0 < difference < 1e-5
    kinds = set(list_operators(model))
    assert "DEPTH_TO_SPACE" in kinds
    assert ("MIRROR_PAD" in kinds) == (residual == "bicubic")
    assert not kinds & {"TRANSPOSE", "CUSTOM", "TRANSPOSE_CONV"}
    assert list_operators(model).count("CONV_2D") == sum(op.kind == "conv" for op in operators)


def test_inputs_of_a_block_come_in_the_order_of_first_use():
    network = build_network("none")
    blocks = {block.key: block for block in mfanet.blocks(WIDTHS, 8, 6)}
    tail = blocks["tail/t10"]
    x, skip = random_tensor(10, 8, 6, seed=1), random_tensor(10, 8, 6, seed=2)

    got = litert.run(converter.convert(tail.operators, weights_of(network)), [x, skip])

    module = network.get_submodule("mfams.2.tail")
    with torch.inference_mode():
        torch.testing.assert_close(got, module(x[None], skip[None])[0], rtol=1e-5, atol=1e-5)


def test_the_number_of_threads_does_not_change_the_output():
    network = build_network("none")
    model = converter.convert(mfanet.operators(WIDTHS, 16, 12), weights_of(network))
    x = torch.rand(3, 16, 12)
    torch.testing.assert_close(litert.run(model, [x], threads=2), litert.run(model, [x], threads=1))


def test_the_same_network_gives_the_same_file():
    operators = mfanet.operators(WIDTHS, 8, 6)
    weights = weights_of(build_network("none"))
    assert converter.convert(operators, weights) == converter.convert(operators, weights)


@pytest.mark.parametrize(
    "name", ["head.bias", "mfams.1.cfab_b.cca.excite.weight", "fusion.reconstruct.weight"]
)
def test_wrong_weights_are_seen(name: str):
    network = build_network("none")
    weights = {key: value.clone() for key, value in network.state_dict().items()}
    weights[name] = weights[name].flip(0)
    model = converter.convert(mfanet.operators(WIDTHS, 16, 12), weights)
    assert litert.max_abs_difference(model, network, torch.rand(3, 16, 12)) > PARITY_LIMIT


@pytest.mark.parametrize("residual", ["none", "bicubic"])
@pytest.mark.parametrize("precision", ["fp32", "fp16", "dynamic"])
def test_a_file_runs_at_other_sizes_when_its_input_is_resized(residual: Residual, precision: str):
    network = build_network(residual)
    operators = mfanet.operators(WIDTHS, 16, 12, residual=residual)
    session = litert.Session(converter.convert_network(operators, weights_of(network), precision, "float"))
    for size in [(9, 31), (16, 12), (24, 8)]:
        x = torch.rand(3, *size)
        with torch.inference_mode():
            difference = (session.enlarge(x) - network(x[None])[0]).abs().max()
        assert difference < {"fp32": 1e-5, "fp16": 0.02, "dynamic": 0.3}[precision], size


def test_a_network_file_has_names_and_takes_pictures_in_8_bits():
    network = build_network("bicubic")
    operators = mfanet.operators(WIDTHS, 16, 12, residual="bicubic")
    model = converter.convert_network(operators, weights_of(network), "fp32", "uint8")
    interpreter = Interpreter(model_content=model)
    assert interpreter.get_signature_list() == {SIGNATURE: {"inputs": [INPUT], "outputs": [OUTPUT]}}
    levels = torch.randint(0, 256, (3, 16, 12), dtype=torch.uint8)
    found = interpreter.get_signature_runner()(image=levels.permute(1, 2, 0)[None].numpy())[OUTPUT]
    assert found.dtype == np.uint8
    with torch.inference_mode():
        expected = network(levels[None] / 255)[0].clamp(0, 1).permute(1, 2, 0) * 255
    assert np.abs(found[0] - expected.numpy()).max() < 0.501


def test_missing_or_misshapen_weights_are_named():
    operators = mfanet.operators(WIDTHS, 8, 6)
    weights = weights_of(build_network("none"))
    with pytest.raises(ValueError, match=r"head\.bias: missing"):
        converter.convert(operators, {name: w for name, w in weights.items() if name != "head.bias"})
    with pytest.raises(ValueError, match=r"head\.bias: shape \(9,\), the operator list needs \(10,\)"):
        converter.convert(operators, weights | {"head.bias": torch.zeros(9)})


def test_an_operator_that_cannot_be_mirrored_is_named():
    x = Activation("x", 4, 6, 6)
    with pytest.raises(ValueError, match="operator erf"):
        converter.convert([Operator("erf", (x,), Activation("y", 4, 6, 6))], {})
    with pytest.raises(ValueError, match="weights gain of square"):
        converter.convert(
            [Operator("square", (x,), Activation("y", 4, 6, 6), weights="gain")],
            {"gain": torch.ones(4, 1, 1)},
        )
    with pytest.raises(ValueError, match="pad replicate: the TFLite mirror knows zero, reflect, symmetric"):
        converter.convert(
            [Operator("pad", (x,), Activation("y", 4, 8, 6), mode="replicate", border=(1, 1, 0, 0))], {}
        )


@pytest.mark.slow
def test_an_export_says_nothing_on_the_screen():
    script = """
import torch
from mfagan.deploy.tflite import litert
from mfagan.deploy.tflite import converter
from mfagan.graph.recorder import OperatorRecorder
recorder = OperatorRecorder()
recorder.conv(recorder.value(3, 6, 6), "a", 4, 3)
recorder.close_block("a")
weights = {"a.weight": torch.ones(4, 3, 3, 3), "a.bias": torch.ones(4)}
model = converter.convert(recorder.blocks[0].operators, weights)
litert.run(model, [torch.ones(3, 6, 6)])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == ""
