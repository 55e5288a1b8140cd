"""ONNX files in 8-bit integers, but for what `mfagan.graph.rounding` keeps in float.

ONNX Runtime's tools put QuantizeLinear and DequantizeLinear around operators, over ranges of ours: those of its own
calibration lose more. Activations are unsigned, for which ONNX Runtime has the faster operators on x86. Weights have a
scale per channel and 7 bits: with 8, x86 processors without VNNI cut off sums of products.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor, nn

from mfagan.deploy.inspection import Inspection
from mfagan.deploy.onnx.converter import Session, convert, infer_shapes, inspect
from mfagan.deploy.target import ExportTarget
from mfagan.graph.rounding import PICTURE, Ranges, Step, find_integers, fit_range, sample_step
from mfagan.packages import refuse_import

try:
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper
    from onnxruntime.quantization import CalibrationMethod, QDQQuantizer, QuantType
    from onnxruntime.quantization.calibrate import TensorData, TensorsData
except Exception as error:  # a broken installation fails in many ways
    raise refuse_import("'mfagan[onnx]'", error) from None

__all__ = ["convert_int8", "inspect_integers"]

_KINDS = ("Add", "Concat", "Conv", "LeakyRelu", "MaxPool", "Mul", "Relu", "Sigmoid")
"""What ONNX Runtime computes in integers on CPUs."""
_ROUNDINGS = ("QuantizeLinear", "DequantizeLinear")


@dataclass(frozen=True)
class _Plan:
    """What becomes integers.

    Args:
        nodes: names of operators.
        activations: names of what they read and make.
        picture: name of the RGB picture, (1, 3, h, w).
    """

    nodes: frozenset[str]
    activations: frozenset[str]
    picture: str


def convert_int8(network: nn.Module, target: ExportTarget, photos: Sequence[Tensor]) -> bytes:
    """Convert a network to an ONNX file in 8-bit integers.

    Args:
        network: as in `mfagan.deploy.onnx.converter.convert`.
        target: what the file is made for.
        photos: what the ranges are found on, each (3, h, w), RGB in [0, 1]; all of one size, perhaps another one than
            the file's.

    Returns:
        The file's content.
    """
    _, height, width = photos[0].shape
    floats = convert(network, target)
    seen = target if target.size is None else replace(target, size=(height, width))
    same = floats if seen == target else convert(network, seen)
    # The exporter names buffers, such as a bicubic filter, as PyTorch does; weights it may merge.
    buffers = {f"network.{name}" for name, _ in network.named_buffers()}
    shapes = _find_shapes(same, height, width)
    plan = _plan(onnx.load_from_string(same), shapes, buffers)
    return _round(onnx.load_from_string(floats), plan, _find_ranges(same, plan, shapes, photos))


def inspect_integers(model: bytes) -> Inspection:
    """Count the operators of a file of `convert_int8`, and those that stay in float.

    Args:
        model: the file's content.
    """
    found = onnx.shape_inference.infer_shapes(onnx.load_from_string(model))
    kinds = {x: node.op_type for node in found.graph.node for x in node.output}
    rounded = {node.input[0] for node in found.graph.node if node.op_type == "QuantizeLinear"}
    floats = {
        one.name
        for one in (*found.graph.value_info, *found.graph.output)
        if one.type.tensor_type.elem_type == TensorProto.FLOAT
    }
    in_float = Counter(
        node.op_type
        for node in found.graph.node
        if node.op_type not in _ROUNDINGS
        and floats.intersection(node.output)
        and not (
            node.op_type in _KINDS
            and rounded.issuperset(node.output)
            and all(kinds.get(x, "DequantizeLinear") == "DequantizeLinear" for x in node.input)
        )
    )
    return replace(inspect(model), in_float=dict(in_float.most_common()))


def _find_shapes(model: bytes, height: int, width: int) -> dict[str, list[int]]:
    """Name of each float activation -> its shape."""
    graph = infer_shapes(onnx.load_from_string(model), height, width)
    return {
        one.name: [dim.dim_value for dim in one.type.tensor_type.shape.dim]
        for one in (*graph.value_info, *graph.output)
        if one.type.tensor_type.elem_type == TensorProto.FLOAT
    }


def _plan(model: onnx.ModelProto, shapes: dict[str, list[int]], buffers: Collection[str]) -> _Plan:
    learned = {
        one.name
        for one in model.graph.initializer
        if one.data_type == TensorProto.FLOAT and len(one.dims) > 0 and one.name not in buffers
    }
    nodes = model.graph.node
    steps = [
        Step(
            tuple(x for x in node.input if x in shapes),
            tuple(node.output),
            learned=not learned.isdisjoint(node.input),
        )
        for node in nodes
    ]
    integers = find_integers(steps, {x for x, shape in shapes.items() if shape[2:] == [1, 1]})
    chosen = [node for node in nodes if node.op_type in _KINDS and integers.issuperset(node.output)]
    touched = {x for node in chosen for x in (*node.input, *node.output) if x in shapes}
    (picture,) = next(node for node in nodes if node.op_type == "Transpose").output
    return _Plan(frozenset(node.name for node in chosen), frozenset(touched), picture)


def _find_ranges(model: bytes, plan: _Plan, shapes: dict[str, list[int]], photos: Sequence[Tensor]) -> Ranges:
    """Run the network in float on the photographs, with every n-th number of each activation as an output."""
    found = onnx.load_from_string(model)
    graph = found.graph
    samples = {x: f"{x}.sample" for x in plan.activations if x != plan.picture}
    constants = {"flat": [-1], "first": [0], "end": [2**31 - 1]}
    for name, value in constants.items():
        graph.initializer.append(numpy_helper.from_array(np.array(value), f"sample.{name}"))
    for x, sample in samples.items():
        step = np.array([sample_step(int(np.prod(shapes[x])))])
        graph.initializer.append(numpy_helper.from_array(step, f"{sample}.step"))
        ends = ["sample.first", "sample.end", "sample.first", f"{sample}.step"]
        graph.node.append(helper.make_node("Reshape", [x, "sample.flat"], [f"{sample}.all"]))
        graph.node.append(helper.make_node("Slice", [f"{sample}.all", *ends], [sample]))
        graph.output.append(helper.make_tensor_value_info(sample, TensorProto.FLOAT, None))
    session = Session(found.SerializeToString())
    seen = [session.call(list(samples.values()), photo) for photo in photos]
    ranges = {
        x: fit_range(np.concatenate(values))
        for x, values in zip(samples, zip(*seen, strict=True), strict=True)
    }
    return {**ranges, plan.picture: PICTURE}


def _round(model: onnx.ModelProto, plan: _Plan, ranges: Ranges) -> bytes:
    _copy_floats(model.graph, plan)
    ends: dict[str, TensorData | tuple[Any, ...]] = {}
    for name, (low, high) in ranges.items():
        ends[name] = ends[_copy_of(name)] = np.float32(low), np.float32(high)
    quantizer = QDQQuantizer(
        model,
        per_channel=True,
        reduce_range=True,
        weight_qType=QuantType.QInt8,
        activation_qType=QuantType.QUInt8,
        tensors_range=TensorsData(CalibrationMethod.MinMax, ends),
        nodes_to_quantize=sorted(plan.nodes),
        nodes_to_exclude=[],
        op_types_to_quantize=list(_KINDS),
        extra_options={},
    )
    quantizer.quantize_model()
    quantizer.model.topological_sort()
    rounded = quantizer.model.model
    onnx.checker.check_model(rounded)
    return rounded.SerializeToString()


def _copy_floats(graph: onnx.GraphProto, plan: _Plan) -> None:
    """Give integer operators copies of what float ones read too, since the tools round it for all readers."""
    integers = {x for node in graph.node if node.name in plan.nodes for x in node.output}
    read_as_float = {x for node in graph.node if node.name not in plan.nodes for x in node.input}
    shared = (plan.activations & read_as_float) - integers
    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        if node.name in plan.nodes:
            node.input[:] = [_copy_of(x) if x in shared else x for x in node.input]
        nodes.append(node)
        for x in shared.intersection(node.output):
            nodes.append(helper.make_node("Identity", [x], [_copy_of(x)], name=_copy_of(x)))
            graph.value_info.append(helper.make_tensor_value_info(_copy_of(x), TensorProto.FLOAT, None))
    del graph.node[:]
    graph.node.extend(nodes)


def _copy_of(name: str) -> str:
    return f"{name}.rounded"
