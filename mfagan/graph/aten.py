"""PyTorch's operators (ATen's) in the words of our operator list."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from mfagan.errors import InputError
from mfagan.graph.operators import Window

__all__ = ["describe", "is_whole"]

_KINDS = {
    "cat": "concat",
    "stack": "concat",
    "sub": "subtract",
    "rsub": "subtract",
    "mul": "multiply",
    "div": "divide",
    "_softmax": "softmax",
    "_safe_softmax": "softmax",
    "_prelu_kernel": "prelu",
    "max_pool2d_with_indices": "max_pool",
    "avg_pool2d": "avg_pool",
    "_adaptive_avg_pool2d": "adaptive_avg_pool",
    "adaptive_max_pool2d": "adaptive_max_pool",
    "native_group_norm": "group_norm",
    "native_layer_norm": "layer_norm",
}
"""PyTorch's name of an operator -> its kind, if they differ."""
_PADS = {"constant": "zero", "reflection": "reflect", "replication": "replicate"}
_MATRIX_PRODUCTS = {"mm": 0, "bmm": 0, "mv": 0, "addmm": 1, "baddbmm": 1, "addmv": 1}
"""Name -> the position of its first factor."""


def describe(name: str, given: dict[str, Any], active: list[Tensor]) -> dict[str, Any]:
    """Describe one operator.

    Args:
        name: PyTorch's, without its overload.
        given: its arguments by their names in the schema.
        active: those of them that are activations.

    Returns:
        Fields of an `Operator`; `inputs` are tensors, `active` if absent.

    Raises:
        InputError: a convolution over three axes.
    """
    if name == "convolution":
        return _describe_convolution(given, active)
    if name in _MATRIX_PRODUCTS or name == "linear":
        return _describe_product(name, given, active)
    for pattern, of_pattern in _PATTERNS:
        if match := re.fullmatch(pattern, name):
            return of_pattern(match, given)
    return {"kind": _KINDS.get(name, name)} | _value(name, given, active)


def is_whole(name: str) -> bool:
    """Whether an operator is described as it is, although PyTorch could take it apart.

    Args:
        name: as in `describe`.
    """
    return any(re.fullmatch(pattern, name) for pattern, _ in _PATTERNS)


def _describe_convolution(given: dict[str, Any], active: list[Tensor]) -> dict[str, Any]:
    x, weight = given["input"], given["weight"]
    if weight.dim() > 4:
        raise InputError(
            f"trace of a network: a convolution with weights {tuple(weight.shape)}; only those over one or two axes "
            "are counted"
        )
    transposed = given["transposed"]
    window = Window(
        _pair(weight.shape[2:], 1),
        _pair(given["stride"], 1),
        _pair(given["padding"], 0),
        _pair(given["dilation"], 1),
        _pair(given["output_padding"], 0),
    )
    return {
        "kind": "conv_transpose" if transposed else "conv",
        # Weights that depend on the input (a style, say) are a second activation.
        "inputs": [x, *(one for one in active if one is not x)],
        "terms": x.shape[1] // given["groups"] * window.area,
        "window": window,
        "groups": given["groups"],
        "bias": given["bias"] is not None,
    }


def _pair(numbers: Sequence[int], missing: int) -> tuple[int, int]:
    """(height, width), of which a layer over one axis has no height."""
    *height, width = numbers
    return (height[0] if height else missing), width


def _describe_product(name: str, given: dict[str, Any], active: list[Tensor]) -> dict[str, Any]:
    """A product with constant weights is a linear layer, one of two activations a matmul."""
    position = _MATRIX_PRODUCTS.get(name, 0)
    tensors = [x for x in given.values() if isinstance(x, Tensor)]
    first, second, *bias = (*tensors[position:], *tensors[:position])
    factors = [x for x in (first, second) if any(x is one for one in active)]
    return {
        "kind": "matmul" if len(factors) == 2 else "linear",
        "inputs": factors + [x for x in bias if any(x is one for one in active)],
        "terms": first.shape[-1],
        "bias": bool(bias),
    }


def _describe_norm(match: re.Match[str], given: dict[str, Any]) -> dict[str, Any]:
    # With a batch of 1, the statistics of the batch are those of the image.
    of_image = given.get("training", given.get("train", "no_training" not in match.string))
    return {"kind": "instance_norm" if of_image else "batch_norm"}


def _describe_pad(match: re.Match[str], given: dict[str, Any]) -> dict[str, Any]:
    numbers = given.get("pad", given.get("padding"))
    assert numbers is not None
    left, right, top, bottom = (*numbers, 0, 0)[:4]
    mode = _PADS[match["mode"]] if not given.get("value") else "constant"
    return {"kind": "pad", "mode": mode, "border": (top, bottom, left, right)}


def _describe_resample(match: re.Match[str], given: dict[str, Any]) -> dict[str, Any]:
    mode = "bilinear" if match["mode"] == "linear" else match["mode"].replace("_exact", "")
    return {"kind": "resample", "mode": mode}


def _describe_pool(match: re.Match[str], given: dict[str, Any]) -> dict[str, Any]:
    kernel = _both(given["kernel_size"])
    window = Window(
        kernel,
        _both(given.get("stride") or kernel),
        _both(given.get("padding", 0)),
        _both(given.get("dilation", 1)),
    )
    return {"kind": _KINDS[match.string], "window": window}


def _both(numbers: int | Sequence[int]) -> tuple[int, int]:
    pair = (numbers,) if isinstance(numbers, int) else tuple(numbers)
    return pair[0], pair[-1]


def _describe_group_norm(match: re.Match[str], given: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "group_norm", "groups": given["group"]}


_PATTERNS: tuple[tuple[str, Callable[[re.Match[str], dict[str, Any]], dict[str, Any]]], ...] = (
    (r".*batch_norm.*", _describe_norm),
    (r"native_group_norm", _describe_group_norm),
    (r"(?P<mode>constant|reflection|replication)_pad(_nd|1d|2d)", _describe_pad),
    (r"_?upsample_(?P<mode>nearest_exact|nearest|bilinear|bicubic|linear)(1d|2d)(_aa)?", _describe_resample),
    (r"max_pool2d_with_indices|avg_pool2d", _describe_pool),
)


def _value(name: str, given: dict[str, Any], active: list[Tensor]) -> dict[str, Any]:
    """The kinds that depend on a number, and that number if the operator list holds it."""
    other = given.get("other")
    if name == "pow":
        return {"kind": "square" if given["exponent"] == 2 else "power"}
    if name == "add" and not isinstance(other, Tensor):
        return {"kind": "add_scalar", "value": other}
    if name == "leaky_relu":
        return {"value": given.get("negative_slope", 0.01)}
    if name == "pixel_shuffle":
        return {"value": given["upscale_factor"]}
    if name == "pixel_unshuffle":
        return {"value": given["downscale_factor"]}
    return {}
