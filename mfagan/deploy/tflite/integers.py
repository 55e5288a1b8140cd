"""TensorFlow Lite files in 8-bit integers, but for what `mfagan.graph.rounding` keeps in float.

The ranges are ours, marked in the graph as TensorFlow's fake quantization, which the converter turns into integers. Its
own calibration takes the extremes of all photographs and one range for all parts of a concatenation, which loses more.
"""

import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

import numpy as np
from torch import Tensor

from mfagan.deploy.tflite.converter import mirror_weights, quiet, save, save_named, tf
from mfagan.deploy.tflite.open_ends import open_ends
from mfagan.deploy.tflite.operators import Kernel, apply
from mfagan.graph.operators import Activation, Block, Operator
from mfagan.graph.rounding import (
    PICTURE,
    Ranges,
    fit_range,
    integer_outputs,
    sample_step,
    write_for_integers,
)

__all__ = ["calibrate", "convert_int8", "convert_int8_block", "convert_int8_named"]

_SHARE_RANGE = ("flip", "max_pool", "pad", "pixel_shuffle", "resample", "slice")
"""What moves numbers: integers keep their scale."""
_SIGMOID = (0.0, 255 / 256)
"""The only range that LiteRT's integer sigmoid writes."""
_LEAST_SPAN = 1e-6
_OPTIONS = {"optimizations": [tf.lite.Optimize.DEFAULT]}
"""With ranges in the graph, the optimization makes integers of what has them, and of nothing else."""
_RANGE = (-8.0, 8.0)
"""Of the activations of blocks with random weights."""


def calibrate(
    operators: Sequence[Operator],
    weights: Mapping[str, Tensor],
    photos: Sequence[Tensor],
    picture: tuple[float, float] = PICTURE,
) -> Ranges:
    """Find the ranges of a network's activations on photographs.

    Args:
        operators: as in `mfagan.deploy.tflite.converter.convert`, of the photographs' size.
        weights: as there.
        photos: each (C, h, w), RGB in the range of `picture`; all of one size.
        picture: the least and the largest number of a picture.
    """
    operators = write_for_integers(operators)
    kernels = mirror_weights(operators, weights)
    (image,) = Block("", tuple(operators)).inputs
    integers = integer_outputs(operators)
    read = {x for operator in operators if operator.output in integers for x in operator.inputs}

    @tf.function(autograph=False)
    def sample(pixels: tf.Tensor) -> dict[str, tf.Tensor]:
        values, found = {image: pixels}, {}
        for operator in operators:
            x = operator.output
            values[x] = apply(operator, [values[one] for one in operator.inputs], kernels.get(x))
            if x in integers or x in read:
                found[x.name] = tf.reshape(values[x], [-1])[:: sample_step(x.elements)]
        return found

    with quiet():
        seen = [sample(tf.constant(photo.permute(1, 2, 0)[None].numpy())) for photo in photos]
    found = {name: fit_range(np.concatenate([one[name].numpy() for one in seen])) for name in seen[0]}
    found[image.name] = picture
    for operator in operators:
        if operator.kind == "sigmoid":
            found[operator.output.name] = _SIGMOID
        elif operator.output in integers and (source := _moved(operator)) is not None:
            found[operator.output.name] = found[source.name]
    return found


def convert_int8(
    operators: Sequence[Operator], weights: Mapping[str, Tensor], pixels: str, ranges: Ranges
) -> bytes:
    """Convert a network to a TFLite file in 8-bit integers.

    Args:
        operators: as in `mfagan.deploy.tflite.converter.convert_network`.
        weights: as there.
        pixels: as there.
        ranges: what `calibrate` found, perhaps at another size.

    Returns:
        The file's content.

    Raises:
        ValueError: as `mfagan.deploy.tflite.converter.convert`.
    """
    graph, network = _write(operators, weights, ranges)
    return save(network, graph.inputs[0], pixels, **_OPTIONS)


def convert_int8_named(
    operators: Sequence[Operator], weights: Mapping[str, Tensor], ranges: Ranges, names: tuple[str, str]
) -> bytes:
    """Convert a network of any one input to a TFLite file in 8-bit integers that takes and gives floats.

    Args:
        operators: as in `mfagan.deploy.tflite.converter.convert_named`.
        weights: as there.
        ranges: what `calibrate` found.
        names: of the input and of the output.

    Returns:
        The file's content.

    Raises:
        ValueError: as `mfagan.deploy.tflite.converter.convert`.
    """
    graph, network = _write(operators, weights, ranges)
    return save_named(network, graph, names, **_OPTIONS)


def convert_int8_block(
    block: Block, weights: Mapping[str, Tensor], ordered: Collection[Activation] = ()
) -> bytes:
    """Convert a block of a network to a TFLite file that takes and gives 8-bit integers where the network has them.

    Its ranges are of random numbers: latency does not depend on them.

    Args:
        block: as `mfagan.graph.rounding.mark_integers` gives it.
        weights: as in `mfagan.deploy.tflite.converter.convert`.
        ordered: as there.

    Returns:
        The file's content.

    Raises:
        ValueError: as `mfagan.deploy.tflite.converter.convert`.
    """
    network = _mirror(block, mirror_weights(block.operators, weights, ordered), _share_ranges(block))

    def rounded(*arguments: tf.Tensor) -> tf.Tensor:
        pairs = zip(block.inputs, arguments, strict=True)
        return network(*(_round(x, _RANGE) if one in block.integers else x for one, x in pairs))

    signature = [tf.TensorSpec((1, x.height, x.width, x.channels), tf.float32, x.name) for x in block.inputs]
    with quiet(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Statistics for quantized inputs")  # the ranges are in the graph
        function = tf.function(rounded, input_signature=signature, autograph=False).get_concrete_function()
        made = tf.lite.TFLiteConverter.from_concrete_functions([function])
        made.optimizations = [tf.lite.Optimize.DEFAULT]
        ends = [x in block.integers for x in block.inputs], block.output in block.integers
        return open_ends(made.convert(), *ends)


def _write(
    operators: Sequence[Operator], weights: Mapping[str, Tensor], ranges: Ranges
) -> tuple[Block, Callable[..., tf.Tensor]]:
    operators = write_for_integers(operators)
    graph = Block("", tuple(operators), integer_outputs(operators))
    return graph, _mirror(graph, mirror_weights(operators, weights), ranges)


def _share_ranges(block: Block) -> Ranges:
    """One range for all activations but those of sigmoids, and of what moves their numbers."""
    found = {x.name: _RANGE for x in block.inputs}
    for operator in block.operators:
        source = _moved(operator)
        moved = _RANGE if source is None else found[source.name]
        found[operator.output.name] = _SIGMOID if operator.kind == "sigmoid" else moved
    return found


def _moved(operator: Operator) -> Activation | None:
    """The activation whose numbers an operator moves; of lines that are joined to a picture, the picture."""
    if operator.kind == "concat" and operator.axis != "channels":
        return max(operator.inputs, key=lambda x: x.elements)
    return operator.inputs[0] if operator.kind in _SHARE_RANGE else None


def _mirror(graph: Block, kernels: Mapping[Activation, Kernel], ranges: Ranges) -> Callable[..., tf.Tensor]:
    """The function of a graph's inputs in TensorFlow, rounded where the graph has integers."""
    fused = _fused(graph.operators)

    def network(*images: tf.Tensor) -> tf.Tensor:
        values, ones = dict(zip(graph.inputs, images, strict=True)), _almost_ones()
        for operator in graph.operators:
            arguments = [values[x] for x in operator.inputs]
            x = operator.output
            if x in graph.integers:
                arguments = [
                    value if one in graph.integers else _round(value, ranges[one.name])
                    for one, value in zip(operator.inputs, arguments, strict=True)
                ]
            if x in graph.integers and operator.kind == "concat":
                arguments = [
                    value
                    if ranges[one.name] == ranges[x.name]
                    else _round(value * next(ones), ranges[x.name])
                    for one, value in zip(operator.inputs, arguments, strict=True)
                ]
            values[x] = apply(operator, arguments, kernels.get(x))
            if x in graph.integers and x not in fused:
                values[x] = _round(values[x], ranges[x.name])
        return values[graph.output]

    return network


def _almost_ones() -> Iterator[np.float32]:
    """Factors by which the parts of a concatenation get its scale.

    The converter drops a second rounding right after the first, and a product with 1; a product with something else it
    keeps, as the integer operator that changes the scale, if no other product is the same.
    """
    one = np.float32(1)
    while True:
        one = np.nextafter(one, np.float32(2))
        yield one


def _fused(operators: Sequence[Operator]) -> set[Activation]:
    """What only a ReLU reads, which is computed with the operator before."""
    readers: dict[Activation, list[str]] = {}
    for operator in operators:
        for x in operator.inputs:
            readers.setdefault(x, []).append(operator.kind)
    return {x for x, kinds in readers.items() if kinds == ["relu"]}


def _round(x: tf.Tensor, ends: tuple[float, float]) -> tf.Tensor:
    low, high = ends
    return tf.quantization.fake_quant_with_min_max_args(x, low, max(high, low + _LEAST_SPAN))
