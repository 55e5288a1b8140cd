"""TensorFlow Lite export: a network's operator list, interpreted in TensorFlow operators and converted.

The mirror works in TensorFlow's layout (NHWC) from the start and copies the weights, so the file holds no
TRANSPOSE, which a conversion from PyTorch's layout would leave in it. This is the only file that imports
tensorflow, which takes seconds: import it only in functions that need it.
"""

import contextlib
import logging
import os
import platform
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal

# Read once, when tensorflow is loaded: its notices would otherwise appear on every user's screen.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import numpy as np
from torch import Tensor

from mfagan.deploy.target import INPUT, OUTPUT, SIGNATURE
from mfagan.graph.operators import Activation, Block, Operator, Window
from mfagan.packages import refuse_import

try:
    import tensorflow as tf
except Exception as error:  # a broken installation fails in many ways
    desktop = (platform.system(), platform.machine()) == ("Linux", "x86_64")
    raise refuse_import("tensorflow-cpu" if desktop else "tensorflow", error) from None

__all__ = ["convert", "convert_network", "weight_shapes"]


def convert(operators: Sequence[Operator], weights: Mapping[str, Tensor]) -> bytes:
    """Convert a list of operators to a TFLite file: fp32, batch 1, a fixed size, NHWC.

    Args:
        operators: In the order they run. The file's inputs are the activations that none of them makes, in the order
            of first use; its output is the last operator's.
        weights: `PATH.weight` and `PATH.bias` of a learned convolution, `PATH` of a fixed filter, as PyTorch holds
            them; others are ignored.

    Returns:
        The file's content.

    Raises:
        ValueError: Weights are missing or have another shape, or the mirror does not know an operator.
    """
    graph = Block("", tuple(operators))
    signature = [tf.TensorSpec((1, v.height, v.width, v.channels), tf.float32, v.name) for v in graph.inputs]
    with _quiet():
        function = tf.function(_mirror(graph, weights), input_signature=signature).get_concrete_function()
        # A second argument (the trackable object) makes the converter drop the weights without a word.
        return tf.lite.TFLiteConverter.from_concrete_functions([function]).convert()


def convert_network(
    operators: Sequence[Operator], weights: Mapping[str, Tensor], precision: str, pixels: str
) -> bytes:
    """Convert a whole network to a TFLite file with a signature, whose input and output have names.

    Args:
        operators: As in `convert`; one input and one output.
        weights: As in `convert`.
        precision: As in `ExportTarget`: fp32, fp16 or dynamic.
        pixels: As in `ExportTarget`: float or uint8. A uint8 picture is divided by 255, and the output is clamped
            and rounded.

    Returns:
        The file's content.

    Raises:
        ValueError: As `convert`.
    """
    graph = Block("", tuple(operators))
    network = _mirror(graph, weights)

    def enlarge(image: tf.Tensor) -> dict[str, tf.Tensor]:
        if pixels == "float":
            return {OUTPUT: network(image)}
        levels = tf.round(tf.clip_by_value(network(tf.cast(image, tf.float32) / 255), 0, 1) * 255)
        return {OUTPUT: tf.cast(levels, tf.uint8)}

    (x,) = graph.inputs
    kind = tf.float32 if pixels == "float" else tf.uint8
    function = tf.function(enlarge, input_signature=[tf.TensorSpec((1, x.height, x.width, 3), kind, INPUT)])
    with _quiet(), tempfile.TemporaryDirectory() as folder:
        # Only a saved model gives the file a signature and keeps the weights.
        tf.saved_model.save(tf.Module(), folder, {SIGNATURE: function})
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        if precision != "fp32":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if precision == "fp16":
            converter.target_spec.supported_types = [tf.float16]
        return converter.convert()


def _mirror(graph: Block, weights: Mapping[str, Tensor]) -> Callable[..., tf.Tensor]:
    """The function of a graph's inputs in TensorFlow."""
    kernels = _mirror_weights(graph.operators, weights)

    def network(*images: tf.Tensor) -> tf.Tensor:
        values = dict(zip(graph.inputs, images, strict=True))
        for operator in graph.operators:
            arguments = [values[value] for value in operator.inputs]
            values[operator.output] = _apply(operator, arguments, kernels.get(operator.output))
        return values[graph.output]

    return network


def _apply(operator: Operator, x: list[tf.Tensor], kernel: "_Kernel | None") -> tf.Tensor:
    """One operator on tensors (1, H, W, C)."""
    if operator.weights and kernel is None:
        raise ValueError(
            f"weights {operator.weights} of {operator.kind}: the TFLite mirror takes a convolution's alone"
        )
    match operator.kind:
        case "conv":
            assert kernel is not None
            y = _convolve(x[0], kernel[0], operator.window)
            return y if kernel[1] is None else y + kernel[1]
        case "leaky_relu":
            return tf.nn.leaky_relu(x[0], operator.value)
        case "relu":
            return tf.nn.relu(x[0])
        case "concat":
            return tf.concat(x, 3)
        case "add":
            return x[0] + x[1]
        case "add_scalar":
            return x[0] + operator.value
        case "subtract":
            return x[0] - x[1]
        case "multiply":
            return x[0] * x[1]
        case "mean":
            return tf.reduce_mean(x[0], (1, 2), keepdims=True)
        case "square":
            return tf.square(x[0])
        case "sqrt":
            return tf.sqrt(x[0])
        case "sigmoid":
            return tf.sigmoid(x[0])
        case "pad":
            if operator.mode not in _PADS:
                raise ValueError(f"pad {operator.mode}: the TFLite mirror knows {', '.join(_PADS)}")
            top, bottom, left, right = operator.border
            return tf.pad(x[0], [[0, 0], [top, bottom], [left, right], [0, 0]], _PADS[operator.mode])
        case "pixel_shuffle":
            return tf.nn.depth_to_space(x[0], int(operator.value))
        case kind:
            raise ValueError(f"operator {kind}: the TFLite mirror does not know it")


_PADS: dict[str, Literal["CONSTANT", "REFLECT", "SYMMETRIC"]] = {
    "zero": "CONSTANT",
    "reflect": "REFLECT",
    "symmetric": "SYMMETRIC",
}
_Kernel = tuple[np.ndarray, np.ndarray | None]


def _convolve(x: tf.Tensor, kernel: np.ndarray, window: Window | None) -> tf.Tensor:
    assert window is not None
    if window.keeps_size:
        return tf.nn.conv2d(x, kernel, strides=1, padding="SAME", dilations=window.dilation)
    # With a stride, SAME would pad another side than PyTorch does.
    if any(window.padding):
        rows, columns = ([border, border] for border in window.padding)
        x = tf.pad(x, [[0, 0], rows, columns, [0, 0]])
    return tf.nn.conv2d(x, kernel, strides=window.stride, padding="VALID", dilations=window.dilation)


def _mirror_weights(
    operators: Sequence[Operator], weights: Mapping[str, Tensor]
) -> dict[Activation, _Kernel]:
    """For each convolution's output: its kernel (k, k, in, out) and its bias (out,) or None, float32."""
    factors = _shuffle_factors(operators)
    kernels: dict[Activation, _Kernel] = {}
    for op in operators:
        if op.kind != "conv":
            continue
        shapes = weight_shapes(op)
        kernel, *bias = (_take(weights, name, shape) for name, shape in shapes.items())
        order = _shuffle_order(op.output.channels, factors.pop(op.output, 1))
        kernel = _ungroup(kernel, op.groups)[order].transpose(2, 3, 1, 0)
        kernels[op.output] = kernel, bias[0][order] if bias else None
    if factors:
        raise ValueError(
            f"pixel_shuffle of {[v.name for v in factors]}: only a convolution's output can be mirrored"
        )
    return kernels


def weight_shapes(operator: Operator) -> dict[str, tuple[int, ...]]:
    """Name -> shape of the weights that a convolution reads, as PyTorch holds them.

    Args:
        operator: A convolution; the result is empty for other kinds.
    """
    if operator.kind != "conv":
        return {}
    rows, columns = operator.output.channels, operator.inputs[0].channels // operator.groups
    assert operator.window is not None
    shape = rows, columns, *operator.window.kernel
    if not operator.parameters:
        return {operator.weights: shape}
    bias: dict[str, tuple[int, ...]] = {f"{operator.weights}.bias": (rows,)} if operator.bias else {}
    return {f"{operator.weights}.weight": shape} | bias


def _take(weights: Mapping[str, Tensor], name: str, shape: tuple[int, ...]) -> np.ndarray:
    if name not in weights:
        raise ValueError(f"weights {name}: missing, the operator list needs shape {shape}")
    if tuple(weights[name].shape) != shape:
        raise ValueError(
            f"weights {name}: shape {tuple(weights[name].shape)}, the operator list needs {shape}"
        )
    return weights[name].detach().cpu().float().numpy()


def _ungroup(kernel: np.ndarray, groups: int) -> np.ndarray:
    """(out, in / groups, k, k) -> (out, in, k, k): the dense kernel with zeros between the groups.

    A depthwise TFLite convolution could not give its channels in the order that DEPTH_TO_SPACE reads.
    """
    rows, columns = len(kernel) // groups, kernel.shape[1]
    dense = np.zeros((len(kernel), columns * groups, *kernel.shape[2:]), kernel.dtype)
    for i in range(groups):
        out = slice(i * rows, (i + 1) * rows)
        dense[out, i * columns : (i + 1) * columns] = kernel[out]
    return dense


def _shuffle_factors(operators: Sequence[Operator]) -> dict[Activation, int]:
    """Activations whose channels must stand as DEPTH_TO_SPACE reads them -> its factor."""
    factors: dict[Activation, int] = {}
    for op in reversed(operators):
        if op.kind == "pixel_shuffle":
            factors[op.inputs[0]] = int(op.value)
        elif op.kind == "add" and op.output in factors:
            factor = factors.pop(op.output)
            factors |= dict.fromkeys(op.inputs, factor)
    return factors


def _shuffle_order(channels: int, factor: int) -> np.ndarray:
    """PyTorch's channel c r^2 + i r + j of a PixelShuffle stands at (i r + j) C + c of a DEPTH_TO_SPACE."""
    return np.arange(channels).reshape(-1, factor**2).T.ravel()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep Tensorflow's Python loggers from showing anything below an error."""
    loggers = [logging.getLogger(name) for name in ("tensorflow", "absl")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
