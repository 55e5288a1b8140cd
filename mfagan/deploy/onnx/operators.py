"""Our operators as an ONNX graph, on tensors (1, C, H, W): the nodes that PyTorch's exporter writes."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from mfagan.graph.operators import Block, Operator
from mfagan.packages import refuse_import

try:
    import numpy as np
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper
except Exception as error:  # a broken installation fails in many ways
    raise refuse_import("'mfagan[onnx]'", error) from None

__all__ = ["VERSION", "convert_operators", "open_session"]

VERSION = onnxruntime.__version__
"""The version of ONNX Runtime."""

_OPSET = 20
_AXES = {"channels": 1, "height": 2, "width": 3}
_SAME_NAMES = {
    "add": "Add",
    "multiply": "Mul",
    "subtract": "Sub",
    "sqrt": "Sqrt",
    "relu": "Relu",
    "sigmoid": "Sigmoid",
}


class _Graph:
    """Nodes and constants, as they are added."""

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = [
            numpy_helper.from_array(tensor.numpy(), name) for name, tensor in weights.items()
        ]
        self.weights = weights

    def constant(self, array: np.ndarray) -> str:
        name = f"constant.{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def add(self, kind: str, inputs: Sequence[str], output: str, **attributes: Any) -> None:
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))

    def convert(self, operator: Operator) -> None:
        names = [x.name for x in operator.inputs]
        y = operator.output.name
        constant = [operator.weights] if operator.weights in self.weights else []
        match operator.kind:
            case "conv":
                window = operator.window
                assert window is not None
                parts = (f"{operator.weights}.weight", f"{operator.weights}.bias")
                names += constant or [name for name in parts if name in self.weights]
                self.add(
                    "Conv",
                    names,
                    y,
                    kernel_shape=window.kernel,
                    strides=window.stride,
                    pads=[*window.padding, *window.padding],
                    dilations=window.dilation,
                    group=operator.groups,
                )
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
            case "pad" if operator.mode == "symmetric":
                self._pad_symmetric(names[0], operator)
            case "pixel_shuffle":
                self.add("DepthToSpace", names, y, blocksize=int(operator.value), mode="CRD")
            case kind if kind in _SAME_NAMES:
                self.add(_SAME_NAMES[kind], names + constant, y)
            case kind:
                raise ValueError(f"operator {kind}: the ONNX graph does not know it")

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
        [helper.make_tensor_value_info(x.name, TensorProto.FLOAT, (1, *x.shape)) for x in some]
        for some in (block.inputs, [block.output])
    )
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
