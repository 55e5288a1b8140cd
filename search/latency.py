"""Measured latency tables: one JSON file for each device and runtime, with a latency for each key."""

from __future__ import annotations

import codecs
import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from os import PathLike
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveInt,
    Strict,
    StringConstraints,
    ValidationError,
    computed_field,
    model_validator,
)

from search.errors import SearchError, first_fault
from search.files import read_bytes

__all__ = ["BlockLatency", "LatencyTable", "Noise", "Processor", "Thermal"]

_Text = Annotated[str, StringConstraints(min_length=1)]
_Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_STRICT = ConfigDict(frozen=True, extra="forbid", strict=True)
_VERSION_1, _VERSION_2 = "latency-table/1", "latency-table/2"
_REMEDY = "build the table again"


class BlockLatency(BaseModel):
    """One measured block.

    Attributes:
        latency_ms: its latency in ms.
        spread_ms: half the interquartile range of the measurements, in ms.
        repeats: how often it was measured.
        sustained_ms: its latency in ms after minutes under load; None if that was not measured.
    """

    model_config = _STRICT

    latency_ms: _Positive
    spread_ms: _NotNegative
    repeats: PositiveInt
    sustained_ms: _Positive | None = None


class Processor(BaseModel):
    """What two devices of one name can differ in.

    Attributes:
        family: such as `AuthenticAMD family 25`.
        model: such as `AMD EPYC, model 1, stepping 1`.
        instruction_set: the architecture and its extensions, such as `x86_64: avx2, fma3`.
    """

    model_config = _STRICT

    family: _Text
    model: _Text
    instruction_set: _Text


class Noise(BaseModel):
    """How far other work disturbed the measurement of a table.

    Attributes:
        cpu_over_wall: CPU time of the timed runs over their wall time, a thread: 1 if nothing else took the cores, less
            if it did, and less if the runtime leaves threads idle; None if it is not known.
        spread: the sum of the spreads over the sum of the latencies.
        uncertainty: likewise of the 95 % confidence intervals' half widths of the medians.
        noisy: whether one of these is past what a quiet machine shows, so that the table should be measured again.
    """

    model_config = _STRICT

    cpu_over_wall: _Positive | None
    spread: _NotNegative
    uncertainty: _NotNegative
    noisy: bool


class Thermal(BaseModel):
    """How warm a phone became while a table was measured.

    Attributes:
        status: the highest of Android's thermal statuses: `none`, `light`, `moderate`, `severe`, `critical`,
            `emergency` or `shutdown`; None if it is not known.
        drift: by which share the last round was slower than the first, in the median over the blocks.
        throttled: whether one of these shows that the phone slowed down, so that the table should be measured again
            when it is cool.
    """

    model_config = _STRICT

    status: _Text | None
    drift: Annotated[float, Field(gt=-1, allow_inf_nan=False)]
    throttled: bool


class LatencyTable(BaseModel):
    """Latencies of named blocks on one device and runtime.

    The keys are plain text whose meaning is up to the caller. The defaults are what tables of version 1 were.

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
        processor: the processor; None if it is not known.
        delegate: what computed the operators within the runtime, such as `XNNPACK`, `gpu` or `nnapi`; None if it is not
            known.
        precision: of the weights and the arithmetic: `fp32`, `fp16` or `int8`.
        statistic: which of a block's runs `latency_ms` is: the fastest, the median or, from tools that report no other,
            the mean.
        clock: what a run was timed by: `wall`, or the `cpu` time of a single thread, which does not count other work.
        load: `burst`: the device was rested when the measurement began; `sustained`: it had worked for minutes.
        warm_up_runs: runs after each loading that do not count.
        runs_per_load: runs after each loading that count; None if they were not equally many.
        noise: how far other work disturbed the measurement; None if it is not known.
        thermal: how warm the phone became; None if it is not known.
        calibration_ms: the fastest runs of a few fixed operators, in ms, by which the machine is known again.
        reference_ms: the median of the fixed operators that ran before and after every run, in ms, to whose pace all
            runs were brought; None if they were not.
        networks: names of the whole networks that took part in building the table.
        rescaled_by: the factor that all latencies of another machine's table were multiplied by; 1 for a measured one.
    """

    model_config = _STRICT

    format: Literal["latency-table/2"] = _VERSION_2
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
    processor: Processor | None = None
    delegate: _Text | None = None
    precision: Literal["fp32", "fp16", "int8"] = "fp32"
    statistic: Literal["fastest", "median", "mean"] = "fastest"
    clock: Literal["wall", "cpu"] = "wall"
    load: Literal["burst", "sustained"] = "burst"
    warm_up_runs: NonNegativeInt = 1
    runs_per_load: PositiveInt | None = None
    noise: Noise | None = None
    thermal: Thermal | None = None
    calibration_ms: dict[_Text, _Positive] = {}
    reference_ms: _Positive | None = None
    networks: Annotated[tuple[_Text, ...], Strict(False)] = ()
    rescaled_by: _Positive = 1.0

    @model_validator(mode="before")
    @classmethod
    def _migrate(cls, content: Any) -> Any:
        """Leave out the hash, which is computed, and give a table of version 1 the defaults, which are what it was."""
        if not isinstance(content, Mapping):
            return content
        fields = {name: value for name, value in content.items() if name != "sha256"}
        return fields | ({"format": _VERSION_2} if fields.get("format") == _VERSION_1 else {})

    @classmethod
    def read(cls, path: str | PathLike[str]) -> Self:
        """Read a table of this version of the format or of an earlier one.

        Args:
            path: a JSON file in UTF-8, with or without a byte order mark.

        Returns:
            The table.

        Raises:
            SearchError: the file cannot be read, is of an unknown version, or was altered after it was written; names
                the file, and the field and value that is wrong.
        """
        content = read_bytes(path, "latency table", "check the path or build the table")
        content = content.removeprefix(codecs.BOM_UTF8)
        try:
            head = _Head.model_validate_json(content)
            if head.format not in (_VERSION_1, _VERSION_2):
                raise SearchError(
                    f"latency table {path}: format is {head.format!r:.60}, and this program reads {_VERSION_1} and"
                    f" {_VERSION_2}: update the program, or {_REMEDY}"
                )
            table = cls.model_validate_json(content)
        except ValidationError as error:
            raise SearchError(f"latency table {path}: {first_fault(error, _REMEDY)}") from None
        if head.format != _VERSION_1 and head.sha256 != table.sha256:
            raise SearchError(
                f"latency table {path}: sha256 is {head.sha256!r:.20}, its content has {table.sha256[:12]}...: the"
                f" file was altered after it was written; restore it, or {_REMEDY}"
            )
        return table

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

    def rescaled(self, factor: float) -> Self:
        """Return the table with all latencies multiplied by a factor, and marked so.

        Args:
            factor: how many times slower another machine is; positive.
        """
        entries = {
            key: entry.model_copy(
                update={
                    "latency_ms": entry.latency_ms * factor,
                    "spread_ms": entry.spread_ms * factor,
                    "sustained_ms": None if entry.sustained_ms is None else entry.sustained_ms * factor,
                }
            )
            for key, entry in self.entries.items()
        }
        return self.model_copy(update={"entries": entries, "rescaled_by": self.rescaled_by * factor})

    def under_load(self) -> Self:
        """Return the table with the latencies after minutes under load in place of those of the rested device.

        Raises:
            SearchError: a block was not measured under load.
        """
        rested = [key for key, entry in self.entries.items() if entry.sustained_ms is None]
        if rested:
            raise SearchError(
                f"the latency table of {self.runtime} on {self.device}: {rested[0]!r} and {len(rested) - 1} others have"
                f" no latency under load; build it with: {self.command} --sustained 15"
            )
        entries = {
            key: entry.model_copy(update={"latency_ms": entry.sustained_ms, "sustained_ms": None})
            for key, entry in self.entries.items()
        }
        return self.model_copy(update={"entries": entries, "load": "sustained"})

    @computed_field
    @property
    def sha256(self) -> str:
        """Hash of the content, which does not depend on the layout of the file.

        Fields that have their defaults, and the version, are left out, so that a table of version 1 keeps the hash that
        studies know it by.
        """
        content = self.model_dump(mode="json", exclude_defaults=True, exclude={"sha256"})
        canonical = json.dumps({**content, "format": _VERSION_1}, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()

    def to_json(self) -> str:
        """Return the text of the table's file; reading it gives an equal table."""
        return self.model_dump_json(indent=2) + "\n"


class _Head(BaseModel):
    """What is read first: whether the rest can be read and is as it was written."""

    format: str
    sha256: str | None = None
