"""A network's operators in the words of TensorFlow Lite, before any file is written."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from mfagan.graph.operators import Activation, Operator, Window

__all__ = ["LiteOperator", "find_convolutions", "list_lite_operators"]

_NAMES = {
    "add": ("ADD",),
    "add_scalar": ("ADD",),
    "concat": ("CONCATENATION",),
    "divide": ("DIV",),
    "flip": ("REVERSE_V2",),
    "leaky_relu": ("LEAKY_RELU",),
    "maximum": ("MAXIMUM",),
    "mean": ("MEAN",),
    "minimum": ("MINIMUM",),
    "multiply": ("MUL",),
    "prelu": ("PRELU",),
    "relu": ("RELU",),
    "rsqrt": ("RSQRT",),
    "sigmoid": ("LOGISTIC",),
    "silu": ("LOGISTIC", "MUL"),
    "slice": ("SLICE",),
    "sqrt": ("SQRT",),
    "square": ("SQUARE",),
    "subtract": ("SUB",),
    "tanh": ("TANH",),
}
"""Kinds of operators -> what the converter makes of them; the other kinds are in `_describe`."""
_FUSING = ("add", "conv", "divide", "instance_norm", "multiply", "subtract")
"""Kinds that take a following ReLU in."""


@dataclass(frozen=True)
class LiteOperator:
    """One operator of a TFLite file.

    name: such as CONV_2D.
    inputs: names of the activations it reads.
    output: name of the activation it writes.
    result: name of the activation that the network's operator writes, of which it may be a part.
    mode: of a MIRROR_PAD: reflect or symmetric.
    """

    name: str
    inputs: tuple[str, ...]
    output: str
    result: str
    mode: str = ""


def list_lite_operators(operators: Sequence[Operator]) -> list[LiteOperator]:
    """List the operators of the float TFLite file that a network becomes.

    Args:
        operators: the network's, after its passes, in the order they run.

    Returns:
        The file's, in order. A kind of operator that cannot be exported keeps its own name.
    """
    readers = Counter(x for operator in operators for x in operator.inputs)
    made: dict[Activation, tuple[Operator, int]] = {}  # output -> what makes it, and its place in the list
    found: list[LiteOperator] = []
    shuffled = _find_shuffled(operators)
    for operator in operators:
        maker, place = made.get(operator.inputs[0], (None, 0))
        before = maker.kind if maker is not None and readers[operator.inputs[0]] == 1 else ""
        if operator.kind == "relu" and before in _FUSING:
            found[place] = _renamed(found[place], found[place].name, operator)
        elif operator.kind == "square" and before == "subtract":
            found[place] = _renamed(found[place], "SQUARED_DIFFERENCE", operator)
        else:
            found += _describe(operator, shuffled)
            place = len(found) - 1
        made[operator.output] = operator, place
    return found


def find_convolutions(
    x: Activation, operators: Sequence[Operator], ordered: Collection[Activation] = ()
) -> list[Activation] | None:
    """Find the convolutions that can give the channels of an activation another order.

    Args:
        x: what a pixel shuffle reads.
        operators: the network's.
        ordered: activations from outside that have this order already.

    Returns:
        What convolutions make and only `x`, their sum, reads; None if it is made of something else.
    """
    if x in ordered:
        return []
    made = next((op for op in operators if op.output == x), None)
    if made is None or sum(x in op.inputs for op in operators) != 1:
        return None
    if made.kind == "conv":
        return [x]
    if made.kind != "add" or made.weights:
        return None
    parts = [find_convolutions(one, operators, ordered) for one in made.inputs]
    return None if None in parts else [one for part in parts for one in part or ()]


def _find_shuffled(operators: Sequence[Operator]) -> dict[Activation, list[Activation] | None]:
    """What each pixel shuffle reads -> the convolutions that give their channels its order, or None."""
    read = [operator.inputs[0] for operator in operators if operator.kind == "pixel_shuffle"]
    return {x: find_convolutions(x, operators) for x in read}


def _describe(
    operator: Operator, shuffled: Mapping[Activation, list[Activation] | None]
) -> list[LiteOperator]:
    window, x = operator.window, operator.inputs[0]
    match operator.kind:
        case "conv":
            assert window is not None
            reordered = any(operator.output in (one or ()) for one in shuffled.values())
            one_each = operator.groups == x.channels > 1 and len({*window.stride}) == 1 and not reordered
            name = "DEPTHWISE_CONV_2D" if one_each else "CONV_2D"
            return _chain(operator, *(["PAD"] if _needs_pad(window, x) else []), name)
        case "conv_transpose":
            assert window is not None
            cut = any(window.padding) and not window.transposes_as_same
            return _chain(operator, "TRANSPOSE_CONV", *(["SLICE"] if cut else []))
        case "instance_norm":
            return _list_norm(operator)
        case "max_pool":
            assert window is not None
            return _chain(operator, *(["PADV2"] if any(window.padding) else []), "MAX_POOL_2D")
        case "pad":
            return _chain(operator, "PAD" if operator.mode == "zero" else "MIRROR_PAD", mode=operator.mode)
        case "resample":
            nearest = operator.mode == "nearest"
            return _chain(operator, "RESIZE_NEAREST_NEIGHBOR" if nearest else "RESIZE_BILINEAR")
        case "pixel_shuffle":
            return _chain(operator, *(["GATHER"] if shuffled[x] is None else []), "DEPTH_TO_SPACE")
        case kind:
            return _chain(operator, *_NAMES.get(kind, (kind,)))


def _needs_pad(window: Window, x: Activation) -> bool:
    return not window.pads_as_same(x.height, x.width) and any(window.padding)


def _list_norm(operator: Operator) -> list[LiteOperator]:
    (x,), y = operator.inputs, operator.output.name
    learned = operator.parameters > 0
    parts = [
        ("mean", "MEAN", x.name),
        ("squares", "SQUARED_DIFFERENCE", x.name, "mean"),
        ("variance", "MEAN", "squares"),
        ("shifted", "ADD", "variance"),
        ("factor", "RSQRT", "shifted"),
        *([("scale", "MUL", "factor")] if learned else []),
        ("centred", "SUB", x.name, "mean"),
        ("scaled" if learned else "", "MUL", "centred", "scale" if learned else "factor"),
        *([("", "ADD", "scaled")] if learned else []),
    ]

    def place(role: str) -> str:
        return role if role == x.name else f"{y}/{role}" if role else y

    return [
        LiteOperator(name, tuple(place(one) for one in inputs), place(role), y)
        for role, name, *inputs in parts
    ]


def _chain(operator: Operator, *names: str, mode: str = "") -> list[LiteOperator]:
    """Operators one after the other, the first of which reads the inputs."""
    found: list[LiteOperator] = []
    inputs = tuple(x.name for x in operator.inputs)
    for number, name in enumerate(names, 1):
        output = operator.output.name + ("" if number == len(names) else f"/{name}")
        found.append(LiteOperator(name, inputs, output, operator.output.name, mode))
        inputs = (output,)
    return found


def _renamed(before: LiteOperator, name: str, last: Operator) -> LiteOperator:
    return LiteOperator(name, before.inputs, last.output.name, last.output.name)
