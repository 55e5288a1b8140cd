"""Measured latency tables: one JSON file a device and runtime, priced by opaque keys."""

from __future__ import annotations

import codecs
import hashlib
import json
import math
from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    PositiveInt,
    Strict,
    StringConstraints,
    ValidationError,
)

from search.errors import SearchError, first_fault

_Text = Annotated[str, StringConstraints(min_length=1)]


class BlockLatency(BaseModel):
    """One measured block: its latency and half the interquartile range of its measurements, in ms."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    latency_ms: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    spread_ms: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    repeats: PositiveInt


class LatencyTable(BaseModel):
    """Latencies in ms of named blocks on one device and runtime; the keys mean nothing to this class.

    `input_size` is (height, width) in pixels, `measured_at` a date and time with its zone, `command` the
    command line that built the table.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    format: Literal["latency-table/1"]
    unit: Literal["ms"]
    runtime: _Text
    runtime_version: _Text
    device: _Text
    threads: PositiveInt
    input_size: Annotated[tuple[PositiveInt, PositiveInt], Strict(False)]
    measured_at: Annotated[AwareDatetime, Strict(False)]
    command: _Text
    entries: Annotated[dict[str, BlockLatency], Field(min_length=1)]

    @classmethod
    def read(cls, path: str | PathLike[str]) -> Self:
        """Read a table from a JSON file; SearchError names the file, field and value that is wrong."""
        try:
            content = Path(path).read_bytes().removeprefix(codecs.BOM_UTF8)
        except FileNotFoundError:
            raise SearchError(
                f"latency table {path}: no such file; check the path or build the table"
            ) from None
        except OSError as error:
            raise SearchError(f"latency table {path}: cannot be read ({error.strerror}); check it") from None
        try:
            return cls.model_validate_json(content)
        except ValidationError as error:
            fault = first_fault(error, "build the table again")
            raise SearchError(f"latency table {path}: {fault}") from None

    def require(self, keys: Iterable[str], remedy: str) -> None:
        """Raise SearchError where keys are missing: names them and `remedy`, the command that adds them."""
        wanted = dict.fromkeys(keys)
        missing = [key for key in wanted if key not in self.entries]
        if not missing:
            return
        shown = ", ".join(repr(key) for key in missing[:3])
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        height, width = self.input_size
        raise SearchError(
            f"the {height}x{width} latency table of {self.runtime} on {self.device} lacks {shown}{more}"
            f" ({len(missing)} of {len(wanted)} keys); build it with: {remedy}"
        )

    def price(self, keys: Iterable[str]) -> float:
        """Sum of the keys' latencies in ms, a key counted as often as it occurs, whatever the order.

        Raises SearchError where a key is missing.
        """
        keys = list(keys)
        self.require(keys, self.command)
        return math.fsum(self.entries[key].latency_ms for key in keys)

    @property
    def sha256(self) -> str:
        """Hash of the content, the same however the file is laid out."""
        canonical = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()

    def to_json(self) -> str:
        """The text of the table's file; reading it back gives an equal table."""
        return self.model_dump_json(indent=2) + "\n"
