"""Kits: the blocks' files, a manifest and a shell script, by which latency is measured on another device."""

import hashlib
import json
import random
import shutil
import tempfile
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, Strict, StringConstraints, ValidationError

from mfagan.errors import InputError, describe_fault
from mfagan.files import read_text, require_writable
from mfagan.graph.operators import Block
from mfagan.progress import ProgressCallback

__all__ = ["DEFAULT_ROUNDS", "MANIFEST", "RESULTS", "SCRIPT", "TOOL_FLAGS", "Kit", "KitBlock", "write_kit"]

DEFAULT_ROUNDS = 5

MANIFEST = "manifest.json"
SCRIPT = "measure.sh"
ORDER = "order.txt"
RESULTS = "results"
"""The folder of a kit that the script writes."""
TOOL_FLAGS = ("--num_runs=10", "--min_secs=0.2", "--max_secs=20", "--warmup_min_secs=0.1")
"""What `benchmark_model` is given: at least 10 runs and 0.2 s, after at least 0.1 s that does not count."""
SEED = 0

_Text = Annotated[str, StringConstraints(min_length=1)]
_Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+$")]


class KitBlock(BaseModel):
    """One block of a kit.

    Attributes:
        key: its key in the latency table.
        name: the name of its file, without `.tflite`.
        sha256: of its file.
        bytes: the size of its file.
        macs: how many multiply-accumulates it computes.
        most: how many of it one network has at most.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    key: _Text
    name: _Name
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    bytes: PositiveInt
    macs: Annotated[int, Field(ge=0)]
    most: Annotated[int, Field(ge=0)]


class Kit(BaseModel):
    """What a kit's manifest says.

    Attributes:
        format: the version of the file format.
        input_size: (height, width) of the networks' input in px.
        scale: enlargement of the networks.
        passes: what rewrote the blocks.
        precision: of the files: fp32; fp16: weights in half precision; int8: computed in 8-bit integers.
        rounds: how often the script measures each block.
        blocks: the blocks.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    format: Literal["latency-kit/1"] = "latency-kit/1"
    input_size: Annotated[tuple[PositiveInt, PositiveInt], Strict(False)]
    scale: PositiveInt
    passes: Annotated[tuple[_Text, ...], Strict(False)]
    precision: Literal["fp32", "fp16", "int8"] = "fp32"
    rounds: PositiveInt
    blocks: Annotated[tuple[KitBlock, ...], Strict(False), Field(min_length=1)]

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the manifest of a kit.

        Args:
            folder: the kit.

        Raises:
            InputError: it cannot be read, or a field is wrong; names the file.
        """
        path = folder / MANIFEST
        if not path.is_file():
            raise InputError(
                f"{folder}: no {MANIFEST} in it; give the folder that `mfagan lut kit --out FOLDER` wrote"
            )
        try:
            return cls.model_validate_json(read_text(path))
        except ValidationError as error:
            raise InputError(f"{path}: {describe_fault(error)}; write the kit again") from None

    @property
    def id(self) -> str:
        """What tells kits apart: a hash of the manifest's content."""
        content = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    def order(self) -> list[tuple[int, KitBlock]]:
        """Each round from 1 on, and each block of it, in an order that differs from round to round."""
        draw = random.Random(SEED).sample
        rounds = range(1, self.rounds + 1)
        return [(round_, block) for round_ in rounds for block in draw(self.blocks, len(self.blocks))]


def write_kit(
    folder: Path,
    blocks: Mapping[str, Block],
    *,
    input_size: tuple[int, int],
    scale: int,
    passes: tuple[str, ...],
    most: Mapping[str, int],
    rounds: int,
    precision: Literal["fp32", "fp16", "int8"] = "fp32",
    report: ProgressCallback | None = None,
) -> Kit:
    """Write a kit, whole or not at all.

    Args:
        folder: where to; it must not exist, or be empty.
        blocks: key -> block at `input_size`.
        input_size: (height, width) of the networks' input in px.
        scale: enlargement of the networks.
        passes: what rewrote the blocks.
        most: key -> how many of it one network has at most.
        rounds: how often each block is to be measured; at least 1.
        precision: as in `Kit`.
        report: called with (done, total, key) after each file, or None.

    Raises:
        InputError: the folder cannot be written, or holds something.
    """
    from mfagan.latency.measuring.block_file import convert_block  # tensorflow takes seconds to load

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder}: it exists and is not an empty folder; choose another one for the kit")
    parent = require_writable(folder.absolute().parent)
    with tempfile.TemporaryDirectory(dir=parent, prefix=".mfagan-", suffix=".tmp") as temporary:
        made = Path(temporary) / "kit"
        made.mkdir()
        found = []
        for key, block in blocks.items():
            content = convert_block(block, precision)
            name = key.replace("/", "-")
            (made / f"{name}.tflite").write_bytes(content)
            found.append(
                KitBlock(
                    key=key,
                    name=name,
                    sha256=hashlib.sha256(content).hexdigest(),
                    bytes=len(content),
                    macs=sum(operator.macs for operator in block.operators),
                    most=most.get(key, 0),
                )
            )
            if report is not None:
                report(len(found), len(blocks), key)
        kit = Kit(
            input_size=input_size,
            scale=scale,
            passes=passes,
            precision=precision,
            rounds=rounds,
            blocks=tuple(found),
        )
        (made / MANIFEST).write_text(kit.model_dump_json(indent=2) + "\n", encoding="utf-8")
        order = "".join(f"{round_} {block.name}\n" for round_, block in kit.order())
        (made / ORDER).write_text(order, encoding="utf-8")
        script = (files("mfagan.latency.phones") / "measure.sh").read_text(encoding="utf-8")
        for mark, text in (("@KIT@", kit.id), ("@FLAGS@", " ".join(TOOL_FLAGS))):
            script = script.replace(mark, text)
        (made / SCRIPT).write_text(script, encoding="utf-8", newline="\n")
        if folder.is_dir():
            folder.rmdir()
        shutil.move(made, folder)
    return kit
