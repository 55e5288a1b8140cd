"""The profile that `benchmark_model --enable_op_profiling=true --op_profiling_output_mode=csv` writes.

The sections are those of `ProfileSummaryDefaultFormatter` in
https://github.com/google-ai-edge/LiteRT/blob/main/tflite/profiling/profile_summary_formatter.cc (the CSV formatter
derives from it), the tables and the line of timings those of `StatsCalculator` in
https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/util/stats_calculator.cc.
"""

from mfagan.errors import InputError
from mfagan.latency.reports.stat_line import read_stat
from mfagan.latency.reports.timing import Timing

__all__ = ["is_profile", "read_profile"]

_BEGINNING = "Profiling Info for "
_RUNS = "Operator-wise Profiling Info for Regular Benchmark Runs:"
_DELEGATE = "Delegate internal:"
_TIMINGS = "Timings (microseconds): "


def is_profile(text: str) -> bool:
    """Whether a text is such a profile, complete or not.

    Args:
        text: any.
    """
    return _BEGINNING in text


def read_profile(text: str) -> Timing:
    """Read the time of a whole file: that of all its operators in a run, with the profiler's own cost.

    The first section, on the initialization, does not count, nor does the delegate's account of what it did inside an
    operator.

    Args:
        text: the content of the profile.

    Raises:
        InputError: it was cut off, or holds times that are not positive numbers.
    """
    _, found, runs = text.partition(_RUNS)
    if not found:
        raise InputError(f"the profile has no section {_RUNS!r}: it was cut off; measure the file again")
    main = runs.partition(_DELEGATE)[0]
    line = next((line for line in main.splitlines() if _TIMINGS in line and "count=" in line), None)
    if line is None:
        raise InputError(
            f"the profile has no line {_TIMINGS.strip()!r}: it was cut off; measure the file again"
        )
    return read_stat(line)
