"""Build latency tables: every block measured in turn until the medians are stable, whatever interrupts it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from time import monotonic

from mfagan.graph.operators import Block
from mfagan.latency.machine import describe_processor, measure_calibration
from mfagan.latency.measuring.journal import Journal
from mfagan.latency.measuring.runtimes import find_runtime
from mfagan.latency.measuring.sampling import (
    Schedule,
    choose_clock,
    describe_noise,
    measure_in_turn,
    median_reference_ms,
    require_counts,
    summarise,
)
from mfagan.latency.measuring.timers import Loader
from mfagan.progress import ProgressCallback, ignore_progress
from search.latency import BlockLatency, LatencyTable

__all__ = ["build_table", "measure_blocks"]

_RUNS_OF_WORK = 20


def measure_blocks(
    blocks: Mapping[str, Block],
    threads: int,
    rounds: int | None = None,
    report: ProgressCallback | None = None,
    runtime: str = "litert",
    precision: str = "fp32",
) -> dict[str, BlockLatency]:
    """Measure the latency of each block alone, all in turn (`mfagan.latency.measuring.sampling`).

    Args:
        blocks: Key -> block.
        threads: CPU threads of the runtime; at least 1.
        rounds: How often all blocks are loaded and timed; None for as often as makes the medians stable.
        report: Called with (done, total, key) after each step, or None.
        runtime: One of `RUNTIMES`.
        precision: One that the runtime is measured in.

    Returns:
        Key -> the median of its runs, half of the interquartile range of the rounds' medians, and the number of runs.

    Raises:
        InputError: An unknown runtime or precision, no threads or no rounds.
    """
    require_counts(threads=threads)
    schedule, runs = Schedule(rounds), find_runtime(runtime, precision)
    clock = choose_clock(runs, threads)
    loaders = {key: runs.prepare(block, threads) for key, block in blocks.items()}
    return summarise(measure_in_turn(loaders, runs.reference(threads), clock, schedule, report), clock)


def build_table(
    blocks: Mapping[str, Block],
    *,
    runtime: str = "litert",
    precision: str = "fp32",
    threads: int,
    input_size: tuple[int, int],
    command: str,
    passes: Sequence[str] = (),
    rounds: int | None = None,
    report: ProgressCallback | None = None,
    journal: Path | None = None,
    load_minutes: float | None = None,
) -> LatencyTable:
    """Measure blocks as the latency table of this machine.

    Args:
        blocks: Key -> block at `input_size`.
        runtime: One of `RUNTIMES`.
        precision: One that the runtime is measured in.
        threads: CPU threads of the runtime; at least 1.
        input_size: (height, width) in pixels, recorded in the table.
        command: The command line that builds the table, recorded in it.
        passes: What rewrote the blocks (`mfagan.graph.passes`), recorded in it.
        rounds: How often all blocks are loaded and timed; None for as often as makes the medians stable.
        report: Called with (done, total, key) after each step, or None.
        journal: A file that keeps each round, from which the same call continues after an interruption; the caller
            removes it when the table is written. None keeps nothing.
        load_minutes: For how long the blocks run before all is measured once more, under load; None leaves that out.

    Raises:
        InputError: As `measure_blocks`, or the journal cannot be written.
    """
    require_counts(threads=threads)
    schedule, runs = Schedule(rounds), find_runtime(runtime, precision)
    clock = choose_clock(runs, threads)
    measured_at = datetime.now(UTC).replace(microsecond=0)
    processor, device, version = describe_processor(), runs.device(), runs.version()
    settings = {
        "command": command,
        "device": device,
        "processor": processor.model_dump(),
        "version": version,
        "clock": clock,
        "schedule": astuple(schedule),
        "blocks": hashlib.sha256(repr(sorted(blocks.items())).encode()).hexdigest(),
    }
    kept = None if journal is None else Journal(journal, settings)
    steps, show = len(blocks), report or ignore_progress
    loaders = {}
    for key, block in blocks.items():
        loaders[key] = runs.prepare(block, threads)
        show(len(loaders), steps * (1 + schedule.most_rounds), key)
    reference = runs.reference(threads)
    found = measure_in_turn(
        loaders,
        reference,
        clock,
        schedule,
        lambda done, total, key: show(steps + done, steps + total, key),
        kept=() if kept is None else kept.rounds,
        keep=None if kept is None else kept.append,
    )
    entries = summarise(found, clock)
    if load_minutes is not None:
        _work(loaders, load_minutes)
        loaded = summarise(measure_in_turn(loaders, reference, clock, Schedule(len(found))), clock)
        entries = {
            key: entry.model_copy(update={"sustained_ms": loaded[key].latency_ms})
            for key, entry in entries.items()
        }
    return LatencyTable(
        unit="ms",
        runtime=runtime,
        runtime_version=version,
        device=device,
        threads=threads,
        input_size=input_size,
        measured_at=measured_at,
        command=command,
        entries=entries,
        passes=tuple(passes),
        processor=processor,
        delegate=runs.delegate,
        precision=runs.precision,
        statistic="median",
        clock=clock,
        warm_up_runs=schedule.warm_up_runs,
        runs_per_load=schedule.runs_per_load,
        noise=describe_noise(found, clock, threads),
        calibration_ms=measure_calibration(runtime),
        reference_ms=round(median_reference_ms(found), 4),
    )


def _work(loaders: Mapping[str, Loader], minutes: float) -> None:
    """Keep the device busy: run the blocks one after the other."""
    end = monotonic() + 60 * minutes
    for load in cycle(loaders.values()):
        time_run = load()
        for _ in range(_RUNS_OF_WORK):
            time_run()
        if monotonic() > end:
            return
