"""Times several subjects in turn, and what their runs say: one statistic for blocks, files and networks.

Every round loads each subject again, in a shuffled order, and runs it equally often, so that a disturbance meets all
alike. The latency is the median of the runs. The fastest run is no measure to add up: a short block finds quieter
moments than a whole network, so that a sum of fastest runs lies below the fastest run of the whole.

A shared machine is now faster and now slower, for seconds and by tens of per cent. So a reference, the same few
convolutions, runs before and after every run, or every few short ones, and each time is brought to the reference's
median: multiplied by that median over the geometric mean of the two. What a run leaves in the caches must not count in
the other: the reference, and a short subject after it, run once untimed first.

On one thread the clock is the CPU time of that thread if the runtime allows: on an idle machine it is the wall time,
and other work on the cores does not count in it.
"""

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter, process_time, thread_time
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mfagan.errors import InputError
from mfagan.latency.measuring.runtimes import Runtime
from mfagan.latency.measuring.timers import Loader, Timer
from mfagan.progress import ProgressCallback, ignore_progress
from search.latency import BlockLatency, Noise

__all__ = [
    "BUSY_LIMIT",
    "SPREAD_LIMIT",
    "UNCERTAINTY_LIMIT",
    "Clock",
    "Round",
    "Run",
    "Schedule",
    "choose_clock",
    "describe_noise",
    "measure_in_turn",
    "median_half_width",
    "median_reference_ms",
    "relative_uncertainty",
    "require_counts",
    "summarise",
]

SPREAD_LIMIT = 0.05
"""The sum of the spreads over the sum of the latencies that a quiet machine shows at most."""
UNCERTAINTY_LIMIT = 0.01
"""Likewise of the medians' 95 % confidence intervals; a measurement goes on until it is below."""
BUSY_LIMIT = 0.9
"""The least CPU time over wall time of one thread on a quiet machine."""
_BUSY_LIMIT_OF_MANY = 0.5  # a thread, since threads wait for each other
_RESOLUTION_MS = 1e-4
_APART_MS = 60.0
"""How long runs take together, if they are short, between two runs of the reference."""
_SEED = 0

Floats = NDArray[np.float64]
Clock = Literal["wall", "cpu"]
"""What a run is timed by."""


@dataclass(frozen=True)
class Run:
    """One timed run of a subject.

    wall_ms: how long it took.
    cpu_ms: CPU time of all threads together.
    reference_ms: how long the reference took before and after it, by the clock; their geometric mean.
    """

    wall_ms: float
    cpu_ms: float
    reference_ms: float


Round = Mapping[str, Sequence[Run]]
"""Subject -> its runs after it was loaded once."""


@dataclass(frozen=True)
class Schedule:
    """How often subjects are loaded and run.

    rounds: how often all subjects are loaded; None for as often as makes their medians stable.
    runs_per_load: runs after each loading that count.
    warm_up_runs: runs before these that do not.
    min_rounds, max_rounds, limit_s: if `rounds` is None: how many rounds there are at least and at most, and the time
        in seconds after which no other begins.

    InputError: a number under 1.
    """

    rounds: int | None = None
    runs_per_load: int = 3
    warm_up_runs: int = 1
    min_rounds: int = 9
    max_rounds: int = 40
    limit_s: float = 120.0

    def __post_init__(self) -> None:
        require_counts(
            rounds=self.most_rounds, runs_per_load=self.runs_per_load, warm_up_runs=self.warm_up_runs
        )

    @property
    def most_rounds(self) -> int:
        """How many rounds there are at most."""
        return self.max_rounds if self.rounds is None else self.rounds

    def is_complete(self, rounds: Sequence[Round], clock: Clock, elapsed_s: float) -> bool:
        """Whether no other round is needed.

        Args:
            rounds: Those that are done.
            clock: What the latencies are.
            elapsed_s: Time since the measurement began, in seconds.
        """
        if self.rounds is not None or len(rounds) >= self.max_rounds:
            return len(rounds) >= self.most_rounds
        if len(rounds) < self.min_rounds:
            return False
        return elapsed_s > self.limit_s or relative_uncertainty(rounds, clock) <= UNCERTAINTY_LIMIT


def require_counts(**counts: int) -> None:
    """Check numbers of threads, rounds and the like.

    Args:
        **counts: The numbers by their names.

    Raises:
        InputError: One is under 1.
    """
    for name, count in counts.items():
        if count < 1:
            raise InputError(f"{name} is {count}: give 1 or more")


def choose_clock(runtime: Runtime, threads: int) -> Clock:
    """What runs are timed by.

    Args:
        runtime: What runs them.
        threads: Its threads.
    """
    return "cpu" if threads == 1 and runtime.in_caller else "wall"


def measure_in_turn(
    loaders: Mapping[str, Loader],
    reference: Loader,
    clock: Clock,
    schedule: Schedule,
    report: ProgressCallback | None = None,
    kept: Sequence[Round] = (),
    keep: Callable[[Round], None] | None = None,
) -> list[Round]:
    """Time subjects in rounds, each of all subjects in another order.

    Args:
        loaders: Subject -> how to load it.
        reference: How to load what runs before and after every run (`mfagan.latency.measuring.fixed_operators`).
        clock: What its latency will be, which decides when the medians are stable.
        schedule: How often they are loaded and run.
        report: Called with (done, total, subject) after each loading, or None.
        kept: Rounds of an earlier run of the same measurement.
        keep: Called with each round when it is done, or None.

    Returns:
        All rounds, the kept ones first.
    """
    report = report or ignore_progress
    rounds, start = list(kept), perf_counter()
    random_order = random.Random(_SEED + len(rounds))
    total = len(loaders) * schedule.most_rounds
    while not schedule.is_complete(rounds, clock, perf_counter() - start):
        order = random_order.sample(list(loaders), len(loaders))
        time_reference = reference()
        found: dict[str, list[Run]] = {}
        for key in order:
            found[key] = _time(loaders[key](), time_reference, clock, schedule)
            report(len(loaders) * len(rounds) + len(found), total, key)
        rounds.append({key: found[key] for key in loaders})
        if keep is not None:
            keep(rounds[-1])
    report(total, total, "")
    return rounds


def _time(time_run: Timer, time_reference: Timer, clock: Clock, schedule: Schedule) -> list[Run]:
    # The thread that draws a progress bar is one of the process.
    cpu_s = thread_time if clock == "cpu" else process_time

    def time(timer: Timer) -> dict[Clock, float]:
        before = cpu_s()
        wall_ms = timer()
        return {"wall": wall_ms, "cpu": (cpu_s() - before) * 1e3}

    def read_pace() -> float:
        time_reference()  # it comes back to the caches
        return time(time_reference)[clock]

    usual_ms = min(time_run() for _ in range(schedule.warm_up_runs))
    together = min(schedule.runs_per_load, max(1, int(_APART_MS / max(usual_ms, _RESOLUTION_MS))))
    before_ms = read_pace()
    runs: list[Run] = []
    while len(runs) < schedule.runs_per_load:
        if together > 1:
            time_run()  # likewise; a whole network is too large to be there anyway
        timed = [time(time_run) for _ in range(min(together, schedule.runs_per_load - len(runs)))]
        after_ms = read_pace()
        pace_ms = math.sqrt(before_ms * after_ms)
        runs += [Run(run["wall"], run["cpu"], pace_ms) for run in timed]
        before_ms = after_ms
    return runs


def median_reference_ms(rounds: Sequence[Round]) -> float:
    """The reference's median, to which all times are brought.

    Args:
        rounds: At least one.
    """
    return float(np.median([run.reference_ms for one in rounds for runs in one.values() for run in runs]))


def summarise(rounds: Sequence[Round], clock: Clock) -> dict[str, BlockLatency]:
    """What the rounds say of each subject.

    Args:
        rounds: At least one.
        clock: What the runs are timed by.

    Returns:
        Subject -> the median of its runs and half of the interquartile range of its rounds' medians, in ms.
    """
    found = {}
    for key, times in _times_ms(rounds, clock).items():
        low, high = np.percentile(np.median(times, axis=1), (25, 75)).tolist()
        found[key] = BlockLatency(
            latency_ms=max(round(float(np.median(times)), 4), _RESOLUTION_MS),
            spread_ms=round((high - low) / 2, 4),
            repeats=times.size,
        )
    return found


def median_half_width(interquartile: float, n: int) -> float:
    """Half of the 95 % confidence interval of a median (McGill, Tukey and Larsen, 1978).

    Args:
        interquartile: range between the values' quartiles.
        n: how many values there are.
    """
    return 1.57 * interquartile / n**0.5


def relative_uncertainty(rounds: Sequence[Round], clock: Clock) -> float:
    """The sum of the half widths of the medians' 95 % confidence intervals over the sum of the medians.

    Args:
        rounds: At least one.
        clock: What the runs are timed by.
    """
    medians = [np.median(times, axis=1) for times in _times_ms(rounds, clock).values()]
    low, middle, high = np.percentile(medians, (25, 50, 75), axis=1)
    return median_half_width(float((high - low).sum() / middle.sum()), len(rounds))


def describe_noise(rounds: Sequence[Round], clock: Clock, threads: int) -> Noise:
    """How far other work disturbed a measurement.

    Args:
        rounds: At least one.
        clock: What the runs are timed by.
        threads: Threads of the runtime.
    """
    entries = summarise(rounds, clock).values()
    spread = sum(entry.spread_ms for entry in entries) / sum(entry.latency_ms for entry in entries)
    runs = [run for one in rounds for timed in one.values() for run in timed]
    busy = sum(run.cpu_ms for run in runs) / sum(run.wall_ms for run in runs) / threads
    uncertainty = relative_uncertainty(rounds, clock)
    return Noise(
        cpu_over_wall=round(busy, 3) or None,
        spread=round(spread, 4),
        uncertainty=round(uncertainty, 4),
        noisy=spread > SPREAD_LIMIT
        or uncertainty > UNCERTAINTY_LIMIT
        or busy < (BUSY_LIMIT if threads == 1 else _BUSY_LIMIT_OF_MANY),
    )


def _times_ms(rounds: Sequence[Round], clock: Clock) -> dict[str, Floats]:
    """Subject -> its times at the reference's median, (rounds, runs)."""
    usual_ms = median_reference_ms(rounds)

    def at_usual(run: Run) -> float:
        return (run.cpu_ms if clock == "cpu" else run.wall_ms) * usual_ms / run.reference_ms

    return {key: np.array([[at_usual(run) for run in one[key]] for one in rounds]) for key in rounds[0]}
