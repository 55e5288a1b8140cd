"""TensorFlow Lite export: a network's operator list, interpreted in TensorFlow operators and converted.

The mirror works in TensorFlow's layout (NHWC) from the start and copies the weights, so the file holds no
TRANSPOSE, which a conversion from PyTorch's layout would leave in it. This file and the operators beside it
(mfagan/deploy/tflite/operators.py) alone import tensorflow, which takes seconds: import it only in functions that need
it.
"""

import contextlib
import logging
import os
import platform
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

# Read once, when tensorflow is loaded: its notices would otherwise appear on every user's screen.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import numpy as np
from torch import Tensor

from mfagan.deploy.target import INPUT, OUTPUT, SIGNATURE
from mfagan.deploy.tflite.layout import lay_out_inputs
from mfagan.deploy.tflite.lite_operators import find_convolutions
from mfagan.graph.operators import Activation, Block, Operator, Window
from mfagan.graph.weights import weight_shapes
from mfagan.packages import refuse_import

try:
    import tensorflow as tf
except Exception as error:  # a broken installation fails in many ways
    desktop = (platform.system(), platform.machine()) == ("Linux", "x86_64")
    raise refuse_import("tensorflow-cpu" if desktop else "tensorflow", error) from None

from mfagan.deploy.tflite.operators import Kernel, apply  # after tensorflow's own complaint, if it is missing

__all__ = ["convert", "convert_named", "convert_network", "mirror_weights", "quiet", "save", "save_named"]


def convert(
    operators: Sequence[Operator],
    weights: Mapping[str, Tensor],
    precision: str = "fp32",
    ordered: Collection[Activation] = (),
) -> bytes:
    """Convert a list of operators to a TFLite file: floats, batch 1, a fixed size, NHWC.

    Args:
        operators: In the order they run. The file's inputs are the activations that none of them makes, in the order
            of first use; its output is the last operator's.
        weights: `PATH.weight` and `PATH.bias` of a learned convolution, `PATH` of a fixed filter or of the constants of
            another operator, (channels, 1, 1), as PyTorch holds them; others are ignored.
        precision: As in `ExportTarget`: fp32, fp16 or dynamic.
        ordered: Inputs whose channels have the order that DEPTH_TO_SPACE reads, from convolutions of other blocks.

    Returns:
        The file's content.

    Raises:
        ValueError: Weights are missing or have another shape, or the mirror does not know an operator.
    """
    graph = Block("", tuple(operators))
    signature = [tf.TensorSpec(shape, tf.float32, v.name) for v, shape in lay_out_inputs(graph)]
    with quiet():
        function = tf.function(
            _mirror(graph, weights, ordered), input_signature=signature, autograph=False
        ).get_concrete_function()
        # A second argument (the trackable object) makes the converter drop the weights without a word.
        made = tf.lite.TFLiteConverter.from_concrete_functions([function])
        for name, value in _options(precision).items():
            setattr(made, name, value)
        return made.convert()


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
    return save(_mirror(graph, weights), graph.inputs[0], pixels, **_options(precision))


def convert_named(
    operators: Sequence[Operator], weights: Mapping[str, Tensor], precision: str, names: tuple[str, str]
) -> bytes:
    """Convert a network of any one input to a TFLite file with a signature, whose input and output have names.

    Args:
        operators: As in `convert`; one input and one output.
        weights: As in `convert`.
        precision: As in `convert`.
        names: Of the input and of the output.

    Returns:
        The file's content. Vectors are (1, features), rows of them (1, rows, features), images (1, H, W, C).

    Raises:
        ValueError: As `convert`.
    """
    graph = Block("", tuple(operators))
    return save_named(_mirror(graph, weights), graph, names, **_options(precision))


def _options(precision: str) -> dict[str, Any]:
    """Attributes of TensorFlow's converter."""
    options: dict[str, Any] = {} if precision == "fp32" else {"optimizations": [tf.lite.Optimize.DEFAULT]}
    if precision == "fp16":
        options["target_spec"] = tf.lite.TargetSpec(supported_types=[tf.float16])
    return options


def save(
    network: Callable[[tf.Tensor], tf.Tensor], picture: Activation, pixels: str, **options: Any
) -> bytes:
    """Convert a function of a picture to a TFLite file with a signature.

    Args:
        network: (1, h, w, 3) -> (1, H, W, 3), in TensorFlow.
        picture: its input.
        pixels: as in `convert_network`.
        **options: attributes of TensorFlow's converter.

    Returns:
        The file's content.
    """

    def enlarge(image: tf.Tensor) -> dict[str, tf.Tensor]:
        if pixels == "float":
            return {OUTPUT: network(image)}
        levels = tf.round(tf.clip_by_value(network(tf.cast(image, tf.float32) / 255), 0, 1) * 255)
        return {OUTPUT: tf.cast(levels, tf.uint8)}

    kind = tf.float32 if pixels == "float" else tf.uint8
    return _save(enlarge, tf.TensorSpec((1, picture.height, picture.width, 3), kind, INPUT), options)


def save_named(
    network: Callable[[tf.Tensor], tf.Tensor], graph: Block, names: tuple[str, str], **options: Any
) -> bytes:
    """Convert a function of one input to a TFLite file with a signature.

    Args:
        network: of the graph's input, in TensorFlow.
        graph: what it computes.
        names: of the input and of the output.
        **options: attributes of TensorFlow's converter.

    Returns:
        The file's content.
    """
    given, made = names
    ((_, shape),) = lay_out_inputs(graph)
    return _save(lambda x: {made: network(x)}, tf.TensorSpec(shape, tf.float32, given), options)


def _save(
    compute: Callable[[tf.Tensor], dict[str, tf.Tensor]], given: tf.TensorSpec, options: Mapping[str, Any]
) -> bytes:
    """Convert a function of one input, with attributes of TensorFlow's converter."""
    function = tf.function(compute, input_signature=[given], autograph=False)
    with quiet(), tempfile.TemporaryDirectory() as folder:
        # Only a saved model gives the file a signature and keeps the weights.
        tf.saved_model.save(tf.Module(), folder, {SIGNATURE: function})
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        for name, value in options.items():
            setattr(converter, name, value)
        return converter.convert()


def _mirror(
    graph: Block, weights: Mapping[str, Tensor], ordered: Collection[Activation] = ()
) -> Callable[..., tf.Tensor]:
    """The function of a graph's inputs in TensorFlow."""
    kernels = mirror_weights(graph.operators, weights, ordered)

    def network(*images: tf.Tensor) -> tf.Tensor:
        values = dict(zip(graph.inputs, images, strict=True))
        for operator in graph.operators:
            arguments = [values[value] for value in operator.inputs]
            values[operator.output] = apply(operator, arguments, kernels.get(operator.output))
        return values[graph.output]

    return network


def mirror_weights(
    operators: Sequence[Operator], weights: Mapping[str, Tensor], ordered: Collection[Activation] = ()
) -> dict[Activation, Kernel]:
    """Output of each operator that reads constants -> these, as `apply` takes them.

    Args:
        operators: In the order they run.
        weights: As in `convert`.
        ordered: As in `convert`.
    """
    factors = _reordered(operators, ordered)
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
        elif op.kind == "conv_transpose":
            kernel, *bias = constants
            kernels[op.output] = _ungroup(kernel, op.groups).transpose(2, 3, 1, 0), bias[0] if bias else None
        elif op.kind == "instance_norm":
            if constants:
                kernels[op.output] = constants[0], constants[1]
        elif op.kind == "linear":
            kernel, *bias = constants
            kernels[op.output] = kernel, bias[0] if bias else None
        elif op.kind == "pixel_shuffle" and find_convolutions(op.inputs[0], operators, ordered) is None:
            kernels[op.output] = _shuffle_order(op.inputs[0].channels, int(op.value)), None
        elif constants:
            constant = constants[0].transpose(1, 2, 0)
            kernels[op.output] = constant if op.operand is None else constant[None], None
    return kernels


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


def _reordered(operators: Sequence[Operator], ordered: Collection[Activation]) -> dict[Activation, int]:
    """Outputs of convolutions that give their channels in the order of DEPTH_TO_SPACE -> its factor."""
    found = {
        op: find_convolutions(op.inputs[0], operators, ordered)
        for op in operators
        if op.kind == "pixel_shuffle"
    }
    return {x: int(op.value) for op, outputs in found.items() for x in outputs or ()}


def _shuffle_order(channels: int, factor: int) -> np.ndarray:
    """PyTorch's channel c r^2 + i r + j of a PixelShuffle stands at (i r + j) C + c of a DEPTH_TO_SPACE."""
    return np.arange(channels).reshape(-1, factor**2).T.ravel()


@contextlib.contextmanager
def quiet() -> Iterator[None]:
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
