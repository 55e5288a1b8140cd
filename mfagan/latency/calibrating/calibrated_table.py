"""A calibrated latency table with, in a file beside it, what its prices were found from and how sure they are."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, Strict, ValidationError

from mfagan.errors import InputError, describe_fault
from mfagan.files import read_text
from mfagan.latency.calibrating.calibration import Calibration
from search.latency import BlockLatency, LatencyTable, Processor

__all__ = [
    "CalibrationRecord",
    "NetworkRecord",
    "TimedOn",
    "make_record",
    "make_table",
    "read_calibration",
    "record_path",
]

HALF_INTERQUARTILE = 0.6745
"""Half of the interquartile range of a normal distribution, in standard deviations."""
_LEAST_MS = 1e-4
"""The smallest price that a table holds, which has four decimals."""


@dataclass(frozen=True)
class TimedOn:
    """What networks were timed on, as a latency table names it.

    passes: what rewrote the networks (`mfagan.graph.passes`).
    delegate, processor, clock, calibration_ms, reference_ms: as in `LatencyTable`, if they are known.
    """

    device: str
    runtime: str
    runtime_version: str
    threads: int
    input_size: tuple[int, int]
    passes: tuple[str, ...]
    delegate: str | None = None
    processor: Processor | None = None
    clock: Literal["wall", "cpu"] = "wall"
    calibration_ms: Mapping[str, float] = field(default_factory=dict)
    reference_ms: float | None = None


class NetworkRecord(BaseModel):
    """A measured network.

    Attributes:
        widths: of its layers, as the caller writes them.
        measured_ms: its latency, in ms.
        price_ms: the sum of its blocks' prices, in ms.
        left_out_error: relative error of its price when it is priced from the others, or None if it is the only one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    widths: str
    measured_ms: float
    price_ms: float
    left_out_error: float | None


class CalibrationRecord(BaseModel):
    """What the file beside a calibrated table holds.

    Attributes:
        format: the version of the file format.
        table_sha256: hash of the table's content.
        prior: the prior table's file or name, or None if blocks were guessed from their costs.
        prior_sha256: hash of the prior table's content.
        networks: what was measured.
        keys: the blocks.
        covariance: of the logarithms of their prices, in the order of `keys`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    format: Literal["latency-calibration/1"] = "latency-calibration/1"
    table_sha256: str
    prior: str | None
    prior_sha256: str | None
    networks: Annotated[tuple[NetworkRecord, ...], Strict(False)]
    keys: Annotated[tuple[str, ...], Strict(False)]
    covariance: Annotated[
        tuple[Annotated[tuple[float, ...], Strict(False)], ...], Strict(False), Field(min_length=1)
    ]

    def to_json(self) -> str:
        """The text of the file, one line for each row of the covariance."""
        content = self.model_dump(mode="json")
        rows = ",\n    ".join(json.dumps(row) for row in content.pop("covariance"))
        return json.dumps(content, indent=2)[:-2] + f',\n  "covariance": [\n    {rows}\n  ]\n}}\n'


def record_path(table: str | Path) -> Path:
    """The file beside a table's file: `pixel.json` has `pixel.calibration.json`.

    Args:
        table: The table's file.
    """
    return Path(table).with_suffix(".calibration.json")


def make_table(
    calibration: Calibration, timed_on: TimedOn, networks: Sequence[str], command: str
) -> LatencyTable:
    """A calibration as a latency table.

    Args:
        calibration: The prices; half the interquartile range of each one's probable values becomes its spread.
        timed_on: What the networks were timed on.
        networks: Names of those that were measured, by their medians.
        command: The command line that calibrates the table, recorded in it.
    """
    found = zip(calibration.keys, calibration.latency_ms, calibration.error_ms, strict=True)
    entries = {
        key: BlockLatency(
            latency_ms=max(round(float(latency_ms), 4), _LEAST_MS),
            spread_ms=round(HALF_INTERQUARTILE * float(error_ms), 4),
            repeats=len(networks),
        )
        for key, latency_ms, error_ms in found
    }
    return LatencyTable(
        unit="ms",
        runtime=timed_on.runtime,
        runtime_version=timed_on.runtime_version,
        device=timed_on.device,
        threads=timed_on.threads,
        input_size=timed_on.input_size,
        measured_at=datetime.now(UTC).replace(microsecond=0),
        command=command,
        entries=entries,
        passes=timed_on.passes,
        processor=timed_on.processor,
        delegate=timed_on.delegate,
        statistic="median",
        clock=timed_on.clock,
        calibration_ms=dict(timed_on.calibration_ms),
        reference_ms=timed_on.reference_ms,
        networks=tuple(networks),
    )


def make_record(
    calibration: Calibration,
    table: LatencyTable,
    prior: tuple[str, LatencyTable] | None,
    networks: Sequence[NetworkRecord],
) -> CalibrationRecord:
    """What is kept beside a calibrated table.

    Args:
        calibration: As the table was made from it.
        table: The table.
        prior: File or name of the prior table, and the table; None without one.
        networks: What was measured.
    """
    return CalibrationRecord(
        table_sha256=table.sha256,
        prior=None if prior is None else prior[0],
        prior_sha256=None if prior is None else prior[1].sha256,
        networks=tuple(networks),
        keys=calibration.keys,
        covariance=tuple(tuple(float(f"{x:.6g}") for x in row) for row in calibration.covariance.tolist()),
    )


def read_calibration(path: str | Path, table: LatencyTable) -> Calibration:
    """The calibration of a table, to price networks with an error.

    Args:
        path: The table's file.
        table: Its content.

    Raises:
        InputError: There is no file beside it, or it is altered or of another table.
    """
    beside = record_path(path)
    try:
        record = CalibrationRecord.model_validate_json(read_text(beside))
    except ValidationError as error:
        raise InputError(
            f"calibration {beside}: {describe_fault(error)}; calibrate the table again"
        ) from None
    if record.table_sha256 != table.sha256 or list(record.keys) != list(table.entries):
        raise InputError(
            f"calibration {beside}: it belongs to another table than {path}; calibrate the table again"
        )
    prices = [entry.latency_ms for entry in table.entries.values()]
    covariance = np.array([row for row in record.covariance if len(row) == len(prices)])
    if covariance.shape != (len(prices), len(prices)):
        raise InputError(
            f"calibration {beside}: its covariance is not {len(prices)} x {len(prices)}; calibrate the table again"
        )
    return Calibration(record.keys, np.array(prices), covariance)
