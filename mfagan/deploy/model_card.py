"""Model cards: what a file holds and where it is from, in the fields of OpenModelDB (openmodeldb.info)."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mfagan import checkpoint
from mfagan.files import write_atomic

__all__ = ["card_path", "describe_checkpoint", "describe_file", "write_card"]

_PLATFORMS = {".safetensors": "pytorch", ".onnx": "onnx", ".tflite": "tflite"}


def card_path(file: str | Path) -> Path:
    """Where the card of a file is written: beside it, `FILE.card.json`.

    Args:
        file: the file.
    """
    return Path(f"{file}.card.json")


def write_card(file: str | Path, card: Mapping[str, object]) -> Path:
    """Write the card of a file beside it; an existing one is replaced.

    Args:
        file: the file.
        card: as `describe_file` gives it.

    Returns:
        The card's path.

    Raises:
        InputError: it cannot be written.
    """
    path = card_path(file)
    write_atomic(path, json.dumps(card, indent=2) + "\n")
    return path


def describe_checkpoint(path: str | Path) -> dict[str, Any]:
    """The card of a checkpoint of this package.

    Args:
        path: the checkpoint.

    Returns:
        As `describe_file`.

    Raises:
        InputError: as `checkpoint.read`.
    """
    found = checkpoint.read(path)
    return describe_file(path, found.network, found.config, found.record)


def describe_file(
    path: str | Path, kind: str, config: Mapping[str, object], record: Mapping[str, object]
) -> dict[str, Any]:
    """The card of a file that holds a network.

    Args:
        path: the file, with the ending of its format.
        kind: the network's name in checkpoints.
        config: the arguments that rebuild it.
        record: how its checkpoint was made.

    Returns:
        Plain data. What the record does not say is None: a licence or an author is never guessed. `terms`, which
        OpenModelDB does not have, is what the images may be used for.
    """
    path = Path(path)
    platform = _PLATFORMS.get(path.suffix.lower(), "pytorch")
    widths = config.get("widths")
    images = record.get("images")
    sources = images if isinstance(images, list) else [] if images is None else [images]
    pictures = record.get("training_images")
    made = datetime.fromtimestamp(path.stat().st_mtime, UTC).date().isoformat()
    return {
        "name": path.stem,
        "author": record.get("author"),
        "license": record.get("license"),
        "terms": record.get("terms"),
        "tags": ["photo"],
        "description": _describe(kind, config, record),
        "date": made,
        "architecture": kind,
        "size": None if widths is None else [",".join(map(str, _as_list(widths)))],
        "scale": config.get("scale", 4),
        "inputChannels": 3,
        "outputChannels": 3,
        "resources": [
            {
                "platform": platform,
                "type": path.suffix.lower().removeprefix("."),
                "size": path.stat().st_size,
                "sha256": checkpoint.sha256(path),
                "urls": [],
            }
        ],
        "trainedIterations": record.get("steps"),
        "dataset": ", ".join(map(str, sources)) or None,
        "datasetSize": len(pictures) if isinstance(pictures, list) else None,
        "pretrainedModelG": None,
        "pretrainedModelD": None,
    }


def _describe(kind: str, config: Mapping[str, object], record: Mapping[str, object]) -> str:
    stage = record.get("stage")
    trained = f", trained in stage {stage}" if stage else ""
    return f"{kind}, enlarges by {config.get('scale', 4)}{trained}"


def _as_list(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else [value]
