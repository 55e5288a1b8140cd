"""TensorFlow Lite export: a network's operator list, interpreted in TensorFlow operators and converted.

The mirror works in TensorFlow's layout (NHWC) from the start and copies the weights, so the file holds no
TRANSPOSE, which a conversion from PyTorch's layout would leave in it. This file and the operators beside it
(mfagan/deploy/tflite_operators.py) alone import tensorflow, which takes seconds: import it only in functions that need
it.
"""

import contextlib
import logging
import os
import platform
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence

# Read once, when tensorflow is loaded: its notices would otherwise appear on every user's screen.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import numpy as np
from torch import Tensor

from mfagan.deploy.litert import max_abs_difference
from mfagan.errors import InputError
from mfagan.graph.operators import Activation, Block, Operator, Window
from mfagan.packages import refuse_import

try:
    import tensorflow as tf
except Exception as error:  # a broken installation fails in many ways
    desktop = (platform.system(), platform.machine()) == ("Linux", "x86_64")
    raise refuse_import("tensorflow-cpu" if desktop else "tensorflow", error) from None

from mfagan.deploy.tflite_operators import Kernel, apply  # after tensorflow's own complaint, if it is missing

__all__ = ["PARITY_LIMIT", "check_parity", "convert", "convert_tiles", "export_tflite", "weight_shapes"]

PARITY_LIMIT = 1e-4
"""The largest absolute difference of an exported file's output from PyTorch's."""


def convert(operators: Sequence[Operator], weights: Mapping[str, Tensor]) -> bytes:
    """Convert a list of operators to a TFLite file: fp32, batch 1, a fixed size, NHWC.

    Args:
        operators: In the order they run. The file's inputs are the activations that none of them makes, in the order
            of first use; its output is the last operator's.
        weights: `PATH.weight` and `PATH.bias` of a learned convolution, `PATH` of a fixed filter or of the constants of
            another operator, (channels, 1, 1), as PyTorch holds them; others are ignored.

    Returns:
        The file's content.

    Raises:
        ValueError: Weights are missing or have another shape, or the mirror does not know an operator.
    """
    graph = Block("", tuple(operators))
    kernels = _mirror_weights(operators, weights)

    def network(*images: tf.Tensor) -> tf.Tensor:
        values = dict(zip(graph.inputs, images, strict=True))
        for operator in operators:
            arguments = [values[value] for value in operator.inputs]
            values[operator.output] = apply(operator, arguments, kernels.get(operator.output))
        return values[graph.output]

    signature = [tf.TensorSpec((1, v.height, v.width, v.channels), tf.float32, v.name) for v in graph.inputs]
    with _quiet():
        function = tf.function(network, input_signature=signature).get_concrete_function()
        # A second argument (the trackable object) makes the converter drop the weights without a word.
        return tf.lite.TFLiteConverter.from_concrete_functions([function]).convert()


def convert_tiles(operators: Sequence[Operator], weights: Mapping[str, Tensor]) -> bytes:
    """Convert a network to a TFLite file that enlarges pictures tile by tile, with the statistics of the whole picture.

    | Signature | Inputs | Output |
    | :--- | :--- | :--- |
    | serving_default | `image` | `enlarged`, of the whole picture |
    | tile_moments | `image`, `mask`, `statistics`, `own` | `moments` |
    | tile_enlarged | `image`, `statistics` | `enlarged`, of a tile |

    `image` is (1, h, w, 3), RGB in [0, 1]; `mask` (1, h, w, 1) is 1 where a tile is and 0 in its overlap. `moments` are
    the means over all h w px of what is averaged, times the mask. `own` (1,) is 1 to compute with the means of `image`,
    and 0 with `statistics`.
    `statistics` and `moments` are (1, 1, 1, n): those of all means over a picture in the network, in order.

    Args:
        operators: As in `convert`, with a picture as their only input, in which every mean over a picture is of
            activations of the picture's size (the pass `statistics`).
        weights: As in `convert`.

    Returns:
        The file's content; its inputs can be resized.

    Raises:
        ValueError: As `convert`; a mean is at another resolution.
    """
    graph = Block("", tuple(operators))
    (image,) = graph.inputs
    means = [operator for operator in operators if operator.kind == "mean"]
    for mean in means:
        if mean.inputs[0].shape[1:] != image.shape[1:]:
            raise ValueError(f"mean {mean.output.name} is at another resolution than the picture")
    kernels = _mirror_weights(operators, weights)

    def compute(
        pixels: tf.Tensor, mask: tf.Tensor | None, settle: Callable[[tf.Tensor, slice], tf.Tensor]
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        values, seen, first = {image: pixels}, [], 0
        for operator in operators:
            arguments = [values[value] for value in operator.inputs]
            value = apply(operator, arguments, kernels.get(operator.output))
            if operator.kind == "mean":
                if mask is not None:
                    seen.append(tf.reduce_mean(arguments[0] * mask, (1, 2), keepdims=True))
                value = settle(value, slice(first, first + operator.output.channels))
                first += operator.output.channels
            values[operator.output] = value
        return values[graph.output], seen

    def whole(image: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"enlarged": compute(image, None, lambda own, _: own)[0]}

    def moments(
        image: tf.Tensor, mask: tf.Tensor, statistics: tf.Tensor, own: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        def settle(found: tf.Tensor, part: slice) -> tf.Tensor:
            return own * found + (1 - own) * statistics[:, :, :, part]

        return {"moments": tf.concat(compute(image, mask, settle)[1], 3)}

    def enlarge(image: tf.Tensor, statistics: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"enlarged": compute(image, None, lambda _, part: statistics[:, :, :, part])[0]}

    size = 1, image.height, image.width
    pixels = tf.TensorSpec((*size, image.channels), tf.float32, "image")
    statistics = tf.TensorSpec(
        (1, 1, 1, sum(mean.output.channels for mean in means)), tf.float32, "statistics"
    )
    mask, own = tf.TensorSpec((*size, 1), tf.float32, "mask"), tf.TensorSpec((1,), tf.float32, "own")
    functions = {"serving_default": tf.function(whole, input_signature=[pixels])}
    if means:
        functions["tile_moments"] = tf.function(moments, input_signature=[pixels, mask, statistics, own])
        functions["tile_enlarged"] = tf.function(enlarge, input_signature=[pixels, statistics])
    with _quiet(), tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(tf.Module(), folder, functions)
        return tf.lite.TFLiteConverter.from_saved_model(folder, list(functions)).convert()


def export_tflite(
    operators: Sequence[Operator],
    weights: Mapping[str, Tensor],
    reference: Callable[[Tensor], Tensor],
    photo: Tensor,
    limit: float = PARITY_LIMIT,
) -> tuple[bytes, float]:
    """Convert a list of operators to a TFLite file and compare its output with the real network's.

    Args:
        operators: As in `convert`.
        weights: As in `convert`.
        reference: The real network, (1, 3, h, w) -> (1, 3, H, W).
        photo: The image to compare on, (3, h, w) of the operators' size, RGB in [0, 1].
        limit: The largest absolute difference that is accepted.

    Returns:
        The file's content and the largest absolute difference.

    Raises:
        InputError: The difference exceeds `limit` or is not a number.
    """
    model = convert(operators, weights)
    difference = max_abs_difference(model, reference, photo)
    check_parity(difference, limit)
    return model, difference


def check_parity(difference: float, limit: float = PARITY_LIMIT) -> None:
    """Refuse an exported file whose output is not PyTorch's.

    Args:
        difference: The largest absolute difference of the two outputs.
        limit: The largest that is accepted.

    Raises:
        InputError: `difference` exceeds `limit` or is not a number.
    """
    # Written so that NaN, which compares false with everything, fails.
    if not difference <= limit:
        raise InputError(
            f"export: the TFLite file's output differs from PyTorch's by up to {difference:.3g}, the limit "
            f"is {limit:g}, so nothing is exported; check the checkpoint with `mfagan evaluate`"
        )


def _mirror_weights(operators: Sequence[Operator], weights: Mapping[str, Tensor]) -> dict[Activation, Kernel]:
    """Output of each operator that reads constants -> these, as `apply` takes them."""
    factors = _reordered(operators)
    kernels: dict[Activation, Kernel] = {}
    for op in operators:
        constants = [_take(weights, name, shape) for name, shape in weight_shapes(op).items()]
        if op.kind == "conv":
            kernel, *bias = constants
            factor = factors.get(op.output, 1)
            order = _shuffle_order(op.output.channels, factor)
            one_each = (
                op.groups == op.inputs[0].channels and len({*(op.window or Window((1, 1))).stride}) == 1
            )
            if one_each and factor == 1:
                kernel = _depthwise(kernel, op.groups)
            else:
                kernel = _ungroup(kernel, op.groups)[order].transpose(2, 3, 1, 0)
            kernels[op.output] = kernel, bias[0][order] if bias else None
        elif op.kind == "pixel_shuffle" and _convolutions(op.inputs[0], operators) is None:
            kernels[op.output] = _shuffle_order(op.inputs[0].channels, int(op.value)), None
        elif constants:
            kernels[op.output] = constants[0].transpose(1, 2, 0), None
    return kernels


def weight_shapes(operator: Operator) -> dict[str, tuple[int, ...]]:
    """Name -> shape of the weights that an operator reads, as PyTorch holds them.

    Args:
        operator: One of any kind; the result is empty for one without weights.
    """
    if not operator.weights:
        return {}
    if operator.kind != "conv":
        return {operator.weights: (operator.output.channels, 1, 1)}
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


def _depthwise(kernel: np.ndarray, channels: int) -> np.ndarray:
    """(channels m, 1, k, k) -> (k, k, channels, m)."""
    return kernel.reshape(channels, -1, *kernel.shape[2:]).transpose(2, 3, 0, 1)


def _reordered(operators: Sequence[Operator]) -> dict[Activation, int]:
    """Outputs of convolutions that give their channels in the order of DEPTH_TO_SPACE -> its factor."""
    found = {op: _convolutions(op.inputs[0], operators) for op in operators if op.kind == "pixel_shuffle"}
    return {x: int(op.value) for op, outputs in found.items() for x in outputs or ()}


def _convolutions(x: Activation, operators: Sequence[Operator]) -> list[Activation] | None:
    """What convolutions make and only `x`, their sum, reads; None if it is made of something else."""
    made = next((op for op in operators if op.output == x), None)
    if made is None or sum(x in op.inputs for op in operators) != 1:
        return None
    if made.kind == "conv":
        return [x]
    if made.kind != "add" or made.weights:
        return None
    parts = [_convolutions(one, operators) for one in made.inputs]
    return None if None in parts else [one for part in parts for one in part or ()]


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
