"""Files of blocks that pass 8-bit integers on: roundings at their ends, which a whole network lacks, are cut off."""

from collections.abc import Sequence
from typing import Any

from mfagan.packages import refuse_import

try:
    from ai_edge_litert import schema_py_generated as schema
    from ai_edge_litert.tools import flatbuffer_utils
except Exception as error:  # a broken installation fails in many ways
    raise refuse_import("ai-edge-litert", error) from None

__all__ = ["open_ends"]


def open_ends(model: bytes, inputs: Sequence[bool], output: bool) -> bytes:
    """Cut off a TFLite file's first operators that make integers of its inputs, and the last that makes floats of them.

    Args:
        model: the file's content, of one subgraph with one output.
        inputs: for each input whether it shall be integers.
        output: whether the output shall be.

    Returns:
        The content of a file that takes and gives integers there.
    """
    found: Any = flatbuffer_utils.read_model_from_bytearray(model)
    (graph,) = found.subgraphs
    codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in found.operatorCodes]

    def is_a(operator: Any, name: str) -> bool:
        return codes[operator.opcodeIndex] == getattr(schema.BuiltinOperator, name)

    for place in [place for place, wanted in enumerate(inputs) if wanted]:
        (reader,) = [operator for operator in graph.operators if graph.inputs[place] in operator.inputs]
        assert is_a(reader, "QUANTIZE")
        (graph.inputs[place],) = reader.outputs
        graph.operators.remove(reader)
    if output:
        (maker,) = [operator for operator in graph.operators if graph.outputs[0] in operator.outputs]
        assert is_a(maker, "DEQUANTIZE")
        (graph.outputs[0],) = maker.inputs
        graph.operators.remove(maker)
    found.signatureDefs = []  # they name tensors that are cut off
    return bytes(flatbuffer_utils.convert_object_to_bytearray(found))
