"""Measured latency tables: one JSON file for each device and runtime, with a latency for each key."""

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

__all__ = ["BlockLatency", "LatencyTable"]

_Text = Annotated[str, StringConstraints(min_length=1)]


class BlockLatency(BaseModel):
    """One measured block.

    Attributes:
        latency_ms: its latency in ms.
        spread_ms: half the interquartile range of the measurements, in ms.
        repeats: how often it was measured.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    latency_ms: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    spread_ms: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    repeats: PositiveInt


class LatencyTable(BaseModel):
    """Latencies of named blocks on one device and runtime.

    The keys are plain text whose meaning is up to the caller.

    Attributes:
        format: the version of the file format.
        unit: the unit of all latencies.
        runtime: the runtime that was measured.
        runtime_version: its version.
        device: the device that was measured.
        threads: threads of the runtime.
        input_size: (height, width) of the network's input in pixels.
        measured_at: date and time with its zone.
        command: the command line that built the table.
        entries: the measured blocks by key.
        passes: names of what rewrote the blocks before they were measured, as the caller rewrites what it prices.
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
    passes: Annotated[tuple[_Text, ...], Strict(False)] = ()

    @classmethod
    def read(cls, path: str | PathLike[str]) -> Self:
        """Read a table.

        Args:
            path: a JSON file in UTF-8, with or without a byte order mark.

        Returns:
            The table.

        Raises:
            SearchError: the file cannot be read; names the file, and the field and value that is wrong.
        """
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
        """Check that keys are in the table.

        Args:
            keys: the keys.
            remedy: the command that adds missing ones.

        Raises:
            SearchError: keys are missing; names some of them and the remedy.
        """
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
        """Add up the latencies of keys; the order makes no difference.

        Args:
            keys: the keys, each counted as often as it occurs.

        Returns:
            The sum in ms.

        Raises:
            SearchError: a key is missing.
        """
        keys = list(keys)
        self.require(keys, self.command)
        return math.fsum(self.entries[key].latency_ms for key in keys)

    @property
    def sha256(self) -> str:
        """Hash of the content, which does not depend on the layout of the file."""
        content = self.model_dump(mode="json")
        if not self.passes:  # older tables lack the field, and studies know them by their hash
            del content["passes"]
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()

    def to_json(self) -> str:
        """Return the text of the table's file; reading it gives an equal table."""
        return self.model_dump_json(indent=2) + "\n"
