"""What an exported file says of itself: the network, how it was exported, the checkpoint it was made from."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from mfagan import __version__
from mfagan.errors import InputError

__all__ = ["Target", "describe_export", "read_metadata", "write_metadata"]

_ENTRY = "mfagan"
"""The name that the facts have in the file."""


class Target(Protocol):
    """What an exported file is made for, such as `mfagan.deploy.target.ExportTarget`."""

    def as_dict(self) -> dict[str, object]:
        """Plain data."""
        ...


def describe_export(
    kind: str, config: Mapping[str, object], target: Target, checkpoint_sha256: str | None
) -> dict[str, object]:
    """What is written into an exported file.

    Args:
        kind: the network's name in checkpoints.
        config: the arguments that rebuild it.
        target: what the file is made for.
        checkpoint_sha256: of the file that the network was loaded from, or None if it was not loaded.

    Returns:
        Plain data, with the version of this package under "mfagan".
    """
    return {
        "mfagan": __version__,
        "network": kind,
        **config,
        **target.as_dict(),
        "checkpoint_sha256": checkpoint_sha256,
    }


def write_metadata(content: bytes, format: str, facts: Mapping[str, object]) -> bytes:
    """Add facts to the metadata of an exported file.

    Args:
        content: the file's content.
        format: tflite or onnx.
        facts: plain data, as `describe_export` gives it.

    Returns:
        The content with the facts; what it computes is the same.
    """
    return _of_format(format).write_entry(content, _ENTRY, json.dumps(facts))


def read_metadata(path: str | Path) -> dict[str, Any] | None:
    """Read what an exported file says of itself.

    Args:
        path: a TFLite or ONNX file, by the ending of its name.

    Returns:
        What `describe_export` gave, or None if another program wrote the file.

    Raises:
        InputError: no such file, another kind of file, or a damaged one.
    """
    path = Path(path)
    try:
        text = _of_format(path.suffix.lower().removeprefix(".")).read_entry(path.read_bytes(), _ENTRY)
        return None if text is None else json.loads(text)
    except OSError as error:
        raise InputError(f"model {path}: {error.strerror}; give a TFLite or ONNX file") from None
    except ValueError as error:
        raise InputError(f"model {path}: {error}; give a TFLite or ONNX file") from None


def _of_format(format: str) -> Any:
    if format == "tflite":
        from mfagan.deploy.tflite import metadata

        return metadata
    if format == "onnx":
        from mfagan.deploy.onnx import converter

        return converter
    raise ValueError(f"its format is {format!r:.20}")
