"""Our operators as an ONNX graph, on tensors (1, C, H, W): the nodes that PyTorch's exporter writes."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from mfagan.deploy.onnx.converter import halve_weights
from mfagan.deploy.tflite.layout import find_rows, lay_out_inputs
from mfagan.graph.norms import EPSILON
from mfagan.graph.operators import Block, Operator
from mfagan.packages import refuse_import

try:
    import numpy as np
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper
except Exception as error:  # a broken installation fails in many ways
    raise refuse_import("'mfagan[onnx]'", error) from None

__all__ = ["VERSION", "convert_named", "convert_operators", "open_session"]

VERSION = onnxruntime.__version__
"""The version of ONNX Runtime."""

_OPSET = 20
_AXES = {"channels": 1, "height": 2, "width": 3}
_PADS = {"zero": "constant", "reflect": "reflect", "replicate": "edge"}
_SAME_NAMES = {
    "add": "Add",
    "multiply": "Mul",
    "subtract": "Sub",
    "divide": "Div",
    "abs": "Abs",
    "sqrt": "Sqrt",
    "relu": "Relu",
    "sigmoid": "Sigmoid",
    "tanh": "Tanh",
}


class _Graph:
    """Nodes and constants, as they are added."""

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.weights = weights
        self._taken: set[str] = set()

    def constant(self, array: np.ndarray) -> str:
        name = f"constant.{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def weight(self, name: str) -> str:
        """Add weights of the network as a constant of their own name, once."""
        if name not in self._taken:
            self._taken.add(name)
            array = self.weights[name].detach().cpu().float().contiguous().numpy()
            self.constants.append(numpy_helper.from_array(array, name))
        return name

    def parts(self, operator: Operator) -> list[str]:
        """The kernel and the bias of a layer."""
        if operator.weights in self.weights:
            return [self.weight(operator.weights)]
        return [self.weight(name) for name in self._names(operator)]

    def _names(self, operator: Operator) -> list[str]:
        names = (f"{operator.weights}.{part}" for part in ("weight", "bias"))
        return [name for name in names if name in self.weights]

    def add(self, kind: str, inputs: Sequence[str], output: str, **attributes: Any) -> None:
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))

    def convert(self, operator: Operator) -> None:
        names = [x.name for x in operator.inputs]
        y = operator.output.name
        match operator.kind:
            case "conv" | "conv_transpose":
                window = operator.window
                assert window is not None
                transposed = operator.kind == "conv_transpose"
                self.add(
                    "ConvTranspose" if transposed else "Conv",
                    [*names, *self.parts(operator)],
                    y,
                    kernel_shape=window.kernel,
                    strides=window.stride,
                    pads=[*window.padding, *window.padding],
                    dilations=window.dilation,
                    group=operator.groups,
                    **({"output_padding": window.output_padding} if transposed else {}),
                )
            case "linear":
                self._multiply_matrix(names[0], operator)
            case "rsqrt":
                self.add("Sqrt", names, f"{y}.root")
                self.add("Reciprocal", [f"{y}.root"], y)
            case "maximum":
                self.add("Max", [*names, self.constant(np.array(operator.value, np.float32))], y)
            case "amax":
                self.add("ReduceMax", [*names, self.constant(np.array([2, 3]))], y, keepdims=1)
            case "reshape":
                self.add("Reshape", [*names, self.constant(np.array([1, *operator.output.shape]))], y)
            case "slice":
                bounds = (*operator.span, _AXES[operator.axis])
                self.add("Slice", [*names, *(self.constant(np.array([number])) for number in bounds)], y)
            case "inverse_haar":
                self._invert_haar(names[0], y)
            case "add_scalar":
                self.add("Add", [*names, self.constant(np.array(operator.value, np.float32))], y)
            case "square":
                self.add("Mul", names * 2, y)
            case "leaky_relu":
                self.add("LeakyRelu", names, y, alpha=operator.value)
            case "mean":
                self.add("ReduceMean", [*names, self.constant(np.array([2, 3]))], y, keepdims=1)
            case "concat":
                self.add("Concat", names, y, axis=_AXES[operator.axis])
            case "instance_norm":
                self._normalise(names[0], operator)
            case "pad" if operator.mode in _PADS:
                top, bottom, left, right = operator.border
                border = self.constant(np.array([0, 0, top, left, 0, 0, bottom, right]))
                self.add("Pad", [*names, border], y, mode=_PADS[operator.mode])
            case "pad" if operator.mode == "symmetric":
                self._pad_symmetric(names[0], operator)
            case "pixel_shuffle":
                self.add("DepthToSpace", names, y, blocksize=int(operator.value), mode="CRD")
            case kind if kind in _SAME_NAMES:
                constant = [self.weight(operator.weights)] if operator.weights in self.weights else []
                self.add(_SAME_NAMES[kind], names + constant, y)
            case kind:
                raise ValueError(f"operator {kind}: the ONNX graph does not know it")

    def _multiply_matrix(self, x: str, operator: Operator) -> None:
        y = operator.output.name
        matrix, *bias = (self.weights[name] for name in self._names(operator))
        arrays = [one.detach().cpu().float().numpy() for one in (matrix.T.contiguous(), *bias)]
        product = f"{y}.product" if bias else y
        self.add("MatMul", [x, self.constant(arrays[0])], product)
        if bias:
            self.add("Add", [product, self.constant(arrays[1])], y)

    def _normalise(self, x: str, operator: Operator) -> None:
        channels = operator.output.channels
        learned = self._names(operator)
        constants = [self.weight(name) for name in learned] or [
            self.constant(np.full(channels, number, np.float32)) for number in (1, 0)
        ]
        self.add("InstanceNormalization", [x, *constants], operator.output.name, epsilon=EPSILON)

    def _invert_haar(self, x: str, y: str) -> None:
        bands = [f"{y}.{name}" for name in ("low", "vertical", "horizontal", "diagonal")]
        self.nodes.append(helper.make_node("Split", [x], bands, axis=1, num_outputs=4))
        low, vertical, horizontal, diagonal = bands
        halves = {"above": ("Add", low, vertical), "below": ("Sub", low, vertical)}
        halves |= {"right": ("Add", horizontal, diagonal), "left": ("Sub", horizontal, diagonal)}
        for name, (kind, *inputs) in halves.items():
            self.add(kind, inputs, f"{y}.{name}")
        pixels = []
        for rows, columns in (("above", "right"), ("below", "left")):
            for kind in ("Add", "Sub"):
                pixels.append(f"{y}.{rows}.{kind}")
                self.add(kind, [f"{y}.{rows}", f"{y}.{columns}"], pixels[-1])
        self.add("Concat", pixels, f"{y}.pixels", axis=1)
        self.add("DepthToSpace", [f"{y}.pixels"], y, blocksize=2, mode="DCR")

    def _pad_symmetric(self, x: str, operator: Operator) -> None:
        """Slices that run backwards, joined to the image: ONNX has no such padding."""
        top, bottom, left, right = operator.border
        y = operator.output.name
        for axis, before, after in ((2, top, bottom), (3, left, right)):
            if not before and not after:
                continue
            parts = [f"{y}.{axis}.before"] * (before > 0) + [x] + [f"{y}.{axis}.after"] * (after > 0)
            if before:
                self._slice_back(x, before - 1, -(2**31), axis, parts[0])
            if after:
                self._slice_back(x, -1, -1 - after, axis, parts[-1])
            last = axis == 3 or not (left or right)
            x = y if last else f"{y}.{axis}"
            self.add("Concat", parts, x, axis=axis)

    def _slice_back(self, x: str, start: int, end: int, axis: int, output: str) -> None:
        numbers = (self.constant(np.array([number])) for number in (start, end, axis, -1))
        self.add("Slice", [x, *numbers], output)


def convert_operators(operators: Sequence[Operator], weights: Mapping[str, Tensor]) -> bytes:
    """Convert a list of operators to an ONNX file: fp32, batch 1, a fixed size, NCHW.

    Args:
        operators: In the order they run. The file's inputs are the activations that none of them makes, in the order
            of first use; its output is the last operator's.
        weights: As `mfagan.deploy.tflite.converter.convert` takes them.

    Returns:
        The file's content.

    Raises:
        ValueError: An operator is not known.
    """
    block = Block("", tuple(operators))
    graph = _Graph(weights)
    for operator in operators:
        graph.convert(operator)
    inputs, output = (
        [_describe(x.name, (1, *x.shape)) for x in some] for some in (block.inputs, [block.output])
    )
    return _serialise(graph, inputs, output)


def convert_named(
    operators: Sequence[Operator], weights: Mapping[str, Tensor], precision: str, names: tuple[str, str]
) -> bytes:
    """Convert a network of any one input to an ONNX file, whose input and output have names.

    Args:
        operators: As in `convert_operators`; one input, a vector, rows of them or a picture, and one output.
        weights: As in `convert_operators`.
        precision: fp32, or fp16 for weights in half precision.
        names: Of the input and of the output.

    Returns:
        The file's content. Vectors are (1, features), rows of them (1, rows, features), images (1, H, W, C).

    Raises:
        ValueError: As `convert_operators`.
    """
    block = Block("", tuple(operators))
    ((x, given),) = lay_out_inputs(block)
    y, rows = block.output, find_rows(operators)
    graph = _Graph(weights)
    if x in rows:
        graph.add("Reshape", [names[0], graph.constant(np.array([1, *x.shape]))], x.name)
    else:
        graph.add("Transpose", [names[0]], x.name, perm=[0, 3, 1, 2])
    for operator in operators:
        graph.convert(operator)
    if y in rows:
        made: tuple[int, ...] = (1, y.width)
        graph.add("Reshape", [y.name, graph.constant(np.array(made))], names[1])
    else:
        made = 1, y.height, y.width, y.channels
        graph.add("Transpose", [y.name], names[1], perm=[0, 2, 3, 1])
    content = _serialise(graph, [_describe(names[0], given)], [_describe(names[1], made)])
    return halve_weights(content) if precision == "fp16" else content


def _describe(name: str, shape: Sequence[int]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def _serialise(
    graph: _Graph, inputs: Sequence[onnx.ValueInfoProto], output: Sequence[onnx.ValueInfoProto]
) -> bytes:
    made = helper.make_graph(graph.nodes, "operators", inputs, output, graph.constants)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=10)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def open_session(model: bytes, threads: int) -> onnxruntime.InferenceSession:
    """Load an ONNX file into ONNX Runtime on the CPU.

    Args:
        model: The file's content.
        threads: CPU threads.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3  # errors alone
    return onnxruntime.InferenceSession(model, options, ["CPUExecutionProvider"])
