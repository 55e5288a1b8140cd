"""Entries of a TFLite file's metadata."""

import struct
from typing import Any

import numpy as np

from mfagan.packages import refuse_import

try:
    from ai_edge_litert import schema_py_generated as schema
    from ai_edge_litert.tools import flatbuffer_utils
except Exception as error:  # a broken installation fails in many ways
    raise refuse_import("ai-edge-litert", error) from None

__all__ = ["read_entry", "write_entry"]


def write_entry(model: bytes, name: str, text: str) -> bytes:
    """Add an entry to a TFLite file's metadata.

    Args:
        model: the file's content.
        name: of the entry.
        text: what it says.

    Returns:
        The content with the entry; what it computes is the same.
    """
    found: Any = flatbuffer_utils.read_model_from_bytearray(model)
    entry = schema.MetadataT()
    entry.name, entry.buffer = name, len(found.buffers)
    found.metadata = [*(found.metadata or ()), entry]
    found.buffers.append(schema.BufferT(np.frombuffer(text.encode(), np.uint8)))
    return bytes(flatbuffer_utils.convert_object_to_bytearray(found))


def read_entry(model: bytes, name: str) -> str | None:
    """Read an entry of a TFLite file's metadata.

    Args:
        model: the file's content.
        name: of the entry.

    Returns:
        What it says, or None if there is none of that name.

    Raises:
        ValueError: the content is no TFLite file, or it is damaged.
    """
    if not schema.Model.ModelBufferHasIdentifier(model, 0):
        raise ValueError("no TFLite file")
    try:
        found: Any = schema.Model.GetRootAs(model)
        for number in range(found.MetadataLength()):
            entry = found.Metadata(number)
            if entry.Name() == name.encode():
                return bytes(found.Buffers(entry.Buffer()).DataAsNumpy()).decode()
    except (struct.error, IndexError, TypeError, AttributeError) as error:
        raise ValueError(f"a damaged TFLite file ({error})") from None
    return None
