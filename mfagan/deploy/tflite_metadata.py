"""An entry of this package in a TFLite file's metadata."""

import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

from mfagan.packages import refuse_import

try:
    from ai_edge_litert import schema_py_generated as schema
    from ai_edge_litert.tools import flatbuffer_utils
except Exception as error:  # a broken installation fails in many ways
    raise refuse_import("ai-edge-litert", error) from None

__all__ = ["read_facts", "write_facts"]

_ENTRY = "mfagan"


def write_facts(model: bytes, facts: Mapping[str, object]) -> bytes:
    """Add facts to a TFLite file.

    Args:
        model: the file's content.
        facts: plain data.

    Returns:
        The content with the facts; what it computes is the same.
    """
    found: Any = flatbuffer_utils.read_model_from_bytearray(model)
    entry = schema.MetadataT()
    entry.name, entry.buffer = _ENTRY, len(found.buffers)
    found.metadata = [*(found.metadata or ()), entry]
    found.buffers.append(schema.BufferT(np.frombuffer(json.dumps(facts).encode(), np.uint8)))
    return bytes(flatbuffer_utils.convert_object_to_bytearray(found))


def read_facts(model: bytes) -> dict[str, Any] | None:
    """Read the facts that a TFLite file holds.

    Args:
        model: the file's content.

    Returns:
        The facts, or None if there are none.

    Raises:
        ValueError: the content is no TFLite file, or it is damaged.
    """
    if not schema.Model.ModelBufferHasIdentifier(model, 0):
        raise ValueError("no TFLite file")
    try:
        found: Any = schema.Model.GetRootAs(model)
        for number in range(found.MetadataLength()):
            entry = found.Metadata(number)
            if entry.Name() == _ENTRY.encode():
                return json.loads(bytes(found.Buffers(entry.Buffer()).DataAsNumpy()))
    except (struct.error, IndexError, TypeError, AttributeError) as error:
        raise ValueError(f"a damaged TFLite file ({error})") from None
    return None
