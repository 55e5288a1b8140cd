"""Each kind of operator in TensorFlow's operators, on tensors (1, H, W, C).

Vectors are (1, features) and rows of them (1, rows, features).
"""

from dataclasses import replace
from typing import Literal

import numpy as np
import tensorflow as tf

from mfagan.graph.norms import EPSILON
from mfagan.graph.operators import Operator, Window

__all__ = ["Kernel", "apply"]

Kernel = tuple[np.ndarray, np.ndarray | None]
"""What an operator reads: of a convolution the kernel, (k, k, in, out), transposed (k, k, out, in) or depthwise (k, k,
in, out / in), and the bias (out,) or None; of a linear layer the matrix (out, in) and the bias; of an instance norm its
scale and its shift, (channels,); of a pixel_shuffle the order of its channels, (in,); of others a constant (height,
width, channels), or (1, height, width, channels) if it is not one number for each channel."""

_PADS: dict[str, Literal["CONSTANT", "REFLECT", "SYMMETRIC"]] = {
    "zero": "CONSTANT",
    "reflect": "REFLECT",
    "symmetric": "SYMMETRIC",
}
_WITH_CONSTANTS = ("conv", "conv_transpose", "linear", "instance_norm", "add", "multiply", "prelu")
_AXES = {"height": 1, "width": 2, "channels": 3}


def apply(operator: Operator, x: list[tf.Tensor], kernel: Kernel | None) -> tf.Tensor:
    """Compute one operator.

    Args:
        operator: of a kind that is known here.
        x: its inputs, (1, H, W, C).
        kernel: the constants that it reads.

    Returns:
        Its output, (1, H, W, C).

    Raises:
        ValueError: an unknown kind, or weights of a kind that has none.
    """
    if operator.weights and operator.kind not in _WITH_CONSTANTS:
        raise ValueError(f"weights {operator.weights} of {operator.kind}: the TFLite mirror takes none of it")
    match operator.kind:
        case "conv":
            assert kernel is not None
            y = _convolve(operator, x[0], kernel[0])
            return y if kernel[1] is None else y + kernel[1]
        case "conv_transpose":
            assert kernel is not None
            return _convolve_transposed(operator, x[0], *kernel)
        case "linear":
            assert kernel is not None
            y = tf.linalg.matmul(x[0], kernel[0], transpose_b=True)
            return y if kernel[1] is None else y + kernel[1]
        case "add":
            if kernel is not None and operator.operand is not None:
                # Of two sums with constants the converter makes one, with a constant of the output's size.
                return x[0] - -kernel[0]
            return x[0] + (x[1] if kernel is None else kernel[0])
        case "multiply":
            return x[0] * (x[1] if kernel is None else kernel[0])
        case "prelu":
            assert kernel is not None
            return _prelu(x[0], kernel[0])
        case "subtract":
            return x[0] - x[1]
        case "divide":
            return x[0] / x[1]
        case "add_scalar":
            return x[0] + operator.value
        case "square":
            return tf.square(x[0])
        case "sqrt":
            return tf.sqrt(x[0])
        case "abs":
            return tf.abs(x[0])
        case "rsqrt":
            return tf.math.rsqrt(x[0])
        case "leaky_relu":
            return tf.nn.leaky_relu(x[0], operator.value)
        case "relu":
            return tf.nn.relu(x[0])
        case "sigmoid":
            return tf.sigmoid(x[0])
        case "tanh":
            return tf.tanh(x[0])
        case "instance_norm":
            return _normalise(x[0], kernel)
        case "silu":
            return x[0] * tf.sigmoid(x[0])
        case "maximum":
            return tf.maximum(x[0], operator.value)
        case "minimum":
            return tf.minimum(x[0], operator.value)
        case _:
            return _move(operator, x, kernel)


def _move(operator: Operator, x: list[tf.Tensor], kernel: Kernel | None) -> tf.Tensor:
    """What gathers numbers from other positions."""
    match operator.kind:
        case "concat":
            return tf.concat(x, _AXES[operator.axis])
        case "slice":
            if len(x[0].shape) == 3:  # rows of numbers
                first, last = operator.span
                return x[0][:, first] if last - first == 1 else x[0][:, first:last]
            begin, y = [0, 0, 0, 0], operator.output
            begin[_AXES[operator.axis]] = operator.span[0]
            return tf.slice(x[0], begin, (1, y.height, y.width, y.channels))  # XNNPACK takes no size of -1
        case "flip":
            return tf.reverse(x[0], [_AXES[operator.axis]])
        case "mean":
            return tf.reduce_mean(x[0], -1 if len(x[0].shape) == 2 else (1, 2), keepdims=True)
        case "amax":
            return tf.reduce_max(x[0], -1 if len(x[0].shape) == 2 else (1, 2), keepdims=True)
        case "reshape":
            y = operator.output
            return tf.reshape(x[0], (1, y.height, y.width, y.channels))
        case "max_pool":
            return _max_pool(x[0], operator.window)
        case "resample":
            return _resample(operator, x[0])
        case "pad":
            if operator.mode not in _PADS:
                raise ValueError(f"pad {operator.mode}: the TFLite mirror knows {', '.join(_PADS)}")
            return tf.pad(x[0], _paddings(*operator.border), _PADS[operator.mode])
        case "pixel_shuffle":
            channels = x[0] if kernel is None else tf.gather(x[0], kernel[0], axis=3)
            return tf.nn.depth_to_space(channels, int(operator.value))
        case "inverse_haar":
            return _invert_haar(x[0])
        case kind:
            raise ValueError(f"operator {kind}: the TFLite mirror does not know it")


def _paddings(top: int, bottom: int, left: int, right: int) -> list[list[int]]:
    return [[0, 0], [top, bottom], [left, right], [0, 0]]


def _convolve(operator: Operator, x: tf.Tensor, kernel: np.ndarray) -> tf.Tensor:
    window = operator.window
    assert window is not None
    same = window.pads_as_same(operator.inputs[0].height, operator.inputs[0].width)
    padding = "SAME" if same else "VALID"
    if padding == "VALID" and any(window.padding):
        # With a stride, SAME would pad another side than PyTorch does.
        rows, columns = window.padding
        x = tf.pad(x, _paddings(rows, rows, columns, columns))
    if kernel.shape[3] < operator.output.channels:
        strides = (1, *window.stride, 1)
        return tf.nn.depthwise_conv2d(x, kernel, strides, padding, dilations=window.dilation)
    return tf.nn.conv2d(x, kernel, strides=window.stride, padding=padding, dilations=window.dilation)


def _convolve_transposed(
    operator: Operator, x: tf.Tensor, kernel: np.ndarray, bias: np.ndarray | None
) -> tf.Tensor:
    window, source, y = operator.window, operator.inputs[0], operator.output
    assert window is not None
    if window.dilation != (1, 1) or any(
        o > p for o, p in zip(window.output_padding, window.padding, strict=True)
    ):
        raise ValueError(
            f"conv_transpose {window}: the TFLite mirror knows a dilation of 1, and an output padding up to the padding"
        )
    whole = replace(window, padding=(0, 0), output_padding=(0, 0)).transposed_size(
        source.height, source.width
    )
    size = (y.height, y.width) if window.transposes_as_same else whole
    padding = "SAME" if window.transposes_as_same else "VALID"
    shape = np.array([1, *size, y.channels])
    found = tf.nn.conv2d_transpose(x, kernel, shape, window.stride, padding)
    if bias is not None:
        found = found + bias
    if size == (y.height, y.width):
        return found
    # PyTorch's padding cuts rows and columns off; output padding leaves them at the bottom and on the right.
    return tf.slice(found, [0, *window.padding, 0], [1, y.height, y.width, y.channels])


def _normalise(x: tf.Tensor, kernel: Kernel | None) -> tf.Tensor:
    """Each channel less its mean, divided by its deviation, with two passes: a mean square loses digits."""
    mean = tf.reduce_mean(x, (1, 2), keepdims=True)
    variance = tf.reduce_mean(tf.math.squared_difference(x, mean), (1, 2), keepdims=True)
    factor = tf.math.rsqrt(variance + EPSILON)
    if kernel is None:
        return (x - mean) * factor
    scale, shift = kernel
    assert shift is not None
    return (x - mean) * (factor * scale) + shift


def _invert_haar(bands: tf.Tensor) -> tf.Tensor:
    low, vertical, horizontal, diagonal = tf.split(bands, 4, 3)
    above, below = low + vertical, low - vertical
    right, left = horizontal + diagonal, horizontal - diagonal
    pixels = tf.concat([above + right, above - right, below + left, below - left], 3)
    return tf.nn.depth_to_space(pixels, 2)


def _prelu(x: tf.Tensor, slopes: np.ndarray) -> tf.Tensor:
    """In the form that the converter knows as one PRELU."""
    return tf.nn.relu(x) + -slopes * tf.nn.relu(-x)


def _max_pool(x: tf.Tensor, window: Window | None) -> tf.Tensor:
    assert window is not None
    if window.dilation != (1, 1):
        raise ValueError(f"max_pool with dilation {window.dilation}: the TFLite mirror knows 1 alone")
    rows, columns = window.padding
    if rows or columns:
        x = tf.pad(x, _paddings(rows, rows, columns, columns), constant_values=np.finfo(np.float32).min)
    return tf.nn.max_pool2d(x, window.kernel, window.stride, "VALID")


def _resample(operator: Operator, x: tf.Tensor) -> tf.Tensor:
    size = operator.output.height, operator.output.width
    if operator.mode == "nearest":  # rounded down, as PyTorch does
        return tf.compat.v1.image.resize_nearest_neighbor(x, size)
    if operator.mode == "bilinear":
        return tf.image.resize(x, size, "bilinear")
    raise ValueError(f"resample {operator.mode}: the TFLite mirror knows nearest and bilinear")
