"""The latency table of the times that were measured with a kit."""

import numpy as np

from mfagan.errors import InputError
from mfagan.latency.measuring.sampling import SPREAD_LIMIT, median_half_width
from mfagan.latency.phones.kit import Kit
from mfagan.latency.phones.kit_results import Results
from mfagan.latency.phones.thermal import STATUSES
from mfagan.latency.reports.timing import Timing
from search.latency import BlockLatency, LatencyTable, Noise, Thermal

__all__ = ["DRIFT_LIMIT", "make_table", "warn_thermal"]

DRIFT_LIMIT = 0.1
"""By which share the last round may be slower than the first before the device counts as throttled."""


def make_table(
    kit: Kit,
    results: Results,
    *,
    sustained: Results | None = None,
    runtime: str,
    command: str,
    device: str | None = None,
    threads: int | None = None,
    runtime_version: str = "unknown",
) -> LatencyTable:
    """Make a latency table: of each block the median of its rounds.

    Args:
        kit: what was measured.
        results: all of its times.
        sustained: likewise, after minutes under load; None if that was not measured.
        runtime: what the table calls the tool that ran the blocks.
        command: the command line that makes the table, recorded in it.
        device: a description of the device; None for what the kit's script wrote down.
        threads: threads of the runtime; None for those of the flags that it was given.
        runtime_version: the version of the runtime, which `benchmark_model` does not tell.

    Raises:
        InputError: the device or the number of threads is not known.
    """
    run = results.run
    if device is None:
        if run is None:
            raise InputError("the device is not known, as the kit's script did not run: give --device NAME")
        device = f"{run.device}, {run.system}"
    if threads is None:
        written = run.flag("num_threads") if run is not None else None
        if written is None or not written.isdecimal() or int(written) < 1:
            raise InputError(
                "the number of threads is not known, as no --num_threads was given: give --threads N"
            )
        threads = int(written)
    entries = {key: _summarise(found) for key, found in results.timings.items()}
    if sustained is not None:
        loaded = {key: _summarise(found).latency_ms for key, found in sustained.timings.items()}
        entries = {
            key: entry.model_copy(update={"sustained_ms": loaded[key]}) for key, entry in entries.items()
        }
    return LatencyTable(
        unit="ms",
        runtime=runtime,
        runtime_version=runtime_version,
        device=device,
        threads=threads,
        input_size=kit.input_size,
        measured_at=results.measured_at,
        command=command,
        entries=entries,
        passes=kit.passes,
        delegate=run.delegate if run is not None else None,
        precision=kit.precision,
        statistic=results.statistic,
        noise=_judge_noise(entries, results),
        thermal=_judge_warmth(results),
    )


def warn_thermal(table: LatencyTable) -> str | None:
    """One line if the device slowed down while a table was measured, else None.

    Args:
        table: the table.
    """
    thermal = table.thermal
    if thermal is None or not thermal.throttled:
        return None
    status = "" if thermal.status in (None, "none") else f", Android's thermal status was {thermal.status}"
    return (
        f"the device became warm: the last round was {thermal.drift:+.0%} slower than the first{status}; let it cool "
        f"and measure again: {table.command}"
    )


def _summarise(found: list[Timing]) -> BlockLatency:
    times = [timing.latency_ms for timing in found]
    low, median, high = np.percentile(times, (25, 50, 75)).tolist()
    return BlockLatency(
        latency_ms=round(median, 6),
        spread_ms=round(found[0].spread_ms if len(found) == 1 else (high - low) / 2, 6),
        repeats=sum(timing.repeats for timing in found),
    )


def _judge_noise(entries: dict[str, BlockLatency], results: Results) -> Noise | None:
    """As `sampling.describe_noise`; None if there is a single round, whose runs follow one another."""
    rounds = min(map(len, results.timings.values()))
    if rounds < 2:
        return None
    total_ms = sum(entry.latency_ms for entry in entries.values())
    spread = sum(entry.spread_ms for entry in entries.values()) / total_ms
    return Noise(
        cpu_over_wall=None,
        spread=round(spread, 4),
        uncertainty=round(median_half_width(2 * spread, rounds), 4),
        noisy=spread > SPREAD_LIMIT,
    )


def _judge_warmth(results: Results) -> Thermal | None:
    """None if there is neither a second round nor a thermal status."""
    worst = max(results.thermal_statuses, default=None)
    if worst is None and min(map(len, results.timings.values())) < 2:
        return None
    drift = round(results.drift, 4)
    return Thermal(
        status=None if worst is None else STATUSES[worst],
        drift=drift,
        throttled=bool(worst) or drift > DRIFT_LIMIT,
    )
