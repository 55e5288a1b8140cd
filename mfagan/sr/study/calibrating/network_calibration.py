"""A latency table from measured SubGenerators and another device's table."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mfagan.latency.calibrating.block_prior import BlockPrior
from mfagan.latency.calibrating.calibrated_table import (
    CalibrationRecord,
    NetworkRecord,
    TimedOn,
    make_record,
    make_table,
)
from mfagan.latency.calibrating.calibration import Calibration, calibrate, leave_one_out
from mfagan.latency.machine import describe_processor, measure_calibration
from mfagan.latency.measuring.runtimes import find_runtime
from mfagan.latency.measuring.sampling import (
    Schedule,
    choose_clock,
    measure_in_turn,
    median_reference_ms,
    require_counts,
    summarise,
)
from mfagan.latency.tables import describe_rebuild
from mfagan.progress import ProgressCallback
from mfagan.sr.network.widths import Widths
from mfagan.sr.study.calibrating.network_plan import distinct_choices, require_networks
from mfagan.sr.study.calibrating.network_times import Settings, Times, as_block
from search.latency import LatencyTable

__all__ = ["Calibrated", "calibrate_table", "find_prior", "price_errors", "time_networks"]


@dataclass(frozen=True)
class Calibrated:
    """A calibrated table, and what its prices were found from.

    table: the prices.
    record: what is kept beside it.
    calibration: the prices with their covariance.
    """

    table: LatencyTable
    record: CalibrationRecord
    calibration: Calibration


def find_prior(table: LatencyTable | None, settings: Settings) -> BlockPrior:
    """What is believed of the prices of all SubGenerators' blocks.

    Args:
        table: Another device's table; None to guess from the blocks' costs.
        settings: What the blocks depend on.

    Raises:
        SearchError: The table lacks blocks.
    """
    every = settings.list_blocks().every_block()
    if table is None:
        return BlockPrior.from_costs(every)
    return BlockPrior.from_table(table, every, describe_rebuild(table, settings.size, settings.scale))


def calibrate_table(
    times: Times, timed_on: TimedOn, prior: tuple[str, LatencyTable] | None, command: str
) -> Calibrated:
    """Price all blocks from measured SubGenerators.

    Args:
        times: What was measured.
        timed_on: On what.
        prior: File or name of another device's table, and the table; None if the networks alone must tell.
        command: The command line, recorded in the table.

    Raises:
        InputError: Without a prior the networks do not tell all prices.
        SearchError: The prior lacks blocks.
    """
    believed = find_prior(None if prior is None else prior[1], times.settings)
    if prior is None:
        require_networks(believed, times)
    lists = times.settings.list_blocks()
    counts = believed.count([lists.count(widths) for widths in times.widths])
    latency_ms = np.array(times.milliseconds)
    found = calibrate(believed, counts, latency_ms)
    left_out: Sequence[float | None] = [None]
    if len(latency_ms) > 1:
        left_out = leave_one_out(believed, counts, latency_ms).tolist()
    networks = [
        NetworkRecord(
            widths=str(widths),
            measured_ms=measured_ms,
            price_ms=round(price_ms, 4),
            left_out_error=None if error is None else round(error, 5),
        )
        for widths, measured_ms, price_ms, error in zip(
            times.widths, times.milliseconds, (counts @ found.latency_ms).tolist(), left_out, strict=True
        )
    ]
    table = make_table(found, timed_on, [str(widths) for widths in times.widths], command)
    return Calibrated(table, make_record(found, table, prior, networks), found)


def price_errors(calibration: Calibration, settings: Settings) -> list[float]:
    """Relative standard error of the price of each SubGenerator that differs in its blocks, ascending.

    Args:
        calibration: Prices of blocks.
        settings: What the blocks depend on.
    """
    lists = settings.list_blocks()
    prices = (
        calibration.price_with_error(block.key for block in lists.blocks(one)) for one in distinct_choices()
    )
    return sorted(error_ms / price_ms for price_ms, error_ms in prices)


def time_networks(
    widths: Sequence[Widths],
    settings: Settings,
    runtime: str,
    threads: int,
    rounds: int | None,
    report: ProgressCallback | None = None,
) -> tuple[Times, TimedOn]:
    """Time whole SubGenerators on this machine, in turn, as `measure_blocks` times blocks.

    Args:
        widths: Of each.
        settings: What their blocks depend on.
        runtime: One of `mfagan.latency.measuring.runtimes.RUNTIMES`.
        threads: CPU threads; at least 1.
        rounds: As in `measure_blocks`.
        report: As in `measure_blocks`.

    Raises:
        InputError: As `measure_blocks`.
    """
    require_counts(threads=threads)
    runs = find_runtime(runtime)
    clock = choose_clock(runs, threads)
    loaders = {str(one): runs.prepare(as_block(one, settings), threads) for one in widths}
    found = measure_in_turn(loaders, runs.reference(threads), clock, Schedule(rounds), report)
    entries = summarise(found, clock)
    times = Times(settings, tuple(widths), tuple(entries[str(one)].latency_ms for one in widths))
    about = runs.device(), runtime, runs.version(), threads
    return times, TimedOn(
        *(*about, settings.size, settings.passes),
        delegate=runs.delegate,
        processor=describe_processor(),
        clock=clock,
        calibration_ms=measure_calibration(runtime),
        reference_ms=round(median_reference_ms(found), 4),
    )
