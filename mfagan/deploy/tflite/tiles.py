"""TensorFlow Lite files that enlarge a picture tile by tile, with the statistics of the whole picture."""

import tempfile
from collections.abc import Callable, Mapping, Sequence

from torch import Tensor

from mfagan.deploy.tflite.converter import mirror_weights, quiet, tf
from mfagan.deploy.tflite.operators import apply
from mfagan.graph.operators import Block, Operator

__all__ = ["convert_tiles"]


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
    kernels = mirror_weights(operators, weights)

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
    with quiet(), tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(tf.Module(), folder, functions)
        return tf.lite.TFLiteConverter.from_saved_model(folder, list(functions)).convert()
