"""`mfagan info`: what a checkpoint or an exported file says of itself."""

import json
from pathlib import Path
from typing import Annotated

import typer

from mfagan.cli.options import NAMED_CHECKPOINT
from mfagan.errors import InputError
from search.commands.result import Result

__all__ = ["info"]


def info(
    ckpt: Annotated[
        Path,
        typer.Argument(
            help="A checkpoint, the name of a shipped generator, or a file that `mfagan export` wrote.",
            **NAMED_CHECKPOINT,
        ),
    ],
    card: Annotated[
        bool, typer.Option("--card", help="Print a checkpoint's model card, in OpenModelDB's fields.")
    ] = False,
) -> Result:
    """Print what a checkpoint or an exported file holds and how it was made."""
    from mfagan import checkpoint
    from mfagan.deploy.about.model_card import describe_checkpoint
    from mfagan.evaluation.text_table import format_fields
    from mfagan.shipped import commands_of

    exported = ckpt.suffix.lower() in (".tflite", ".onnx")
    if card:
        if exported:
            raise InputError(f"--card with {ckpt}: its card stands beside it; leave --card out")
        kind = checkpoint.read(ckpt).network
        if commands_of(kind) != "mfagan":
            raise InputError(
                f"--card with {ckpt}: a card is of a network that enlarges pictures, this is a {kind}; leave --card out"
            )
        found = describe_checkpoint(ckpt)
        return Result(found, [json.dumps(found, indent=2)])
    about = _describe_exported(ckpt) if exported else _describe_checkpoint(ckpt)
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in about.items()}
    return Result(about, [format_fields(texts).rstrip("\n")])


def _describe_checkpoint(ckpt: Path) -> dict[str, object]:
    from mfagan import checkpoint
    from mfagan.registry import describe_network

    found = checkpoint.read(ckpt)
    return {
        "file": str(ckpt),
        "sha256": checkpoint.sha256(ckpt),
        "network": found.network,
        "role": found.role,
        "params": checkpoint.count_parameters(found),
        **describe_network(found, ckpt),
        **found.record,
    }


def _describe_exported(file: Path) -> dict[str, object]:
    from mfagan import checkpoint
    from mfagan.deploy.about.file_metadata import read_metadata

    facts = read_metadata(file)
    if facts is None:
        raise InputError(f"model {file}: it holds no facts by mfagan; give a file that `mfagan export` wrote")
    about = {"file": str(file), "sha256": checkpoint.sha256(file), "bytes": file.stat().st_size}
    return about | facts
