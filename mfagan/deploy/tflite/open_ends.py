"""Files of blocks that pass 8-bit integers on: roundings at their ends, which a whole network lacks, are cut off."""

from typing import Any

from mfagan.packages import refuse_import

try:
    from ai_edge_litert import schema_py_generated as schema
    from ai_edge_litert.tools import flatbuffer_utils
except Exception as error:  # a broken installation fails in many ways
    raise refuse_import("ai-edge-litert", error) from None

__all__ = ["open_ends"]


def open_ends(model: bytes) -> bytes:
    """Cut off a TFLite file's first operators that make integers of its inputs, and the last that makes floats of them.

    Args:
        model: the file's content, of one subgraph.

    Returns:
        The content of a file whose inputs and output are integers there.
    """
    found: Any = flatbuffer_utils.read_model_from_bytearray(model)
    (graph,) = found.subgraphs
    codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in found.operatorCodes]

    def is_a(operator: Any, name: str) -> bool:
        return codes[operator.opcodeIndex] == getattr(schema.BuiltinOperator, name)

    for place, tensor in enumerate(graph.inputs):
        readers = [operator for operator in graph.operators if tensor in operator.inputs]
        if len(readers) == 1 and is_a(readers[0], "QUANTIZE"):
            (graph.inputs[place],) = readers[0].outputs
            graph.operators.remove(readers[0])
    (makers,) = [
        [operator for operator in graph.operators if end in operator.outputs] for end in graph.outputs
    ]
    if is_a(makers[0], "DEQUANTIZE"):
        (graph.outputs[0],) = makers[0].inputs
        graph.operators.remove(makers[0])
    found.signatureDefs = []  # they name tensors that are cut off
    return bytes(flatbuffer_utils.convert_object_to_bytearray(found))
