"""The line of statistics that TensorFlow's `Stat` prints: `count=50 first=2990 curr=2913 min=2727 max=3189 ...`.

The format is that of `Stat::OutputToStream` and, with p5, median and p95, of `StatWithPercentiles::OutputToStream` in
https://github.com/openxla/xla/blob/main/third_party/tsl/tsl/util/stats_calculator.h. Equal runs are printed as
`count=3 curr=12(all same)` and one run as `count=1 curr=12`.
"""

import re

from mfagan.errors import InputError
from mfagan.latency.reports.timing import Delegation, Timing, spread_of_deviation, spread_of_percentiles

__all__ = ["read_stat"]

_PAIR = re.compile(r"(\w+)=([^\s(]+)")


def read_stat(line: str, model_mb: float | None = None, delegation: Delegation | None = None) -> Timing:
    """The timing that a line of statistics holds.

    Args:
        line: it, in microseconds, with or without something before `count=`.
        model_mb: as in `Timing`.
        delegation: as in `Timing`.

    Raises:
        InputError: a figure is missing or is not a number, or it makes no `Timing`.
    """
    pairs = dict(_PAIR.findall(line[line.index("count=") :]))
    try:
        values_ms = {name: float(text) / 1e3 for name, text in pairs.items() if name != "count"}
        count = int(pairs["count"])
    except ValueError:
        raise InputError(f"its statistics hold something other than numbers: {line.strip()!r:.160}") from None
    if count < 1:
        raise InputError("it counts 0 runs: a measurement has 1 or more")
    same_ms = values_ms.get("curr") if "avg" not in values_ms else None
    median_ms, mean_ms = values_ms.get("median"), values_ms.get("avg", same_ms)
    latency_ms = mean_ms if median_ms is None else median_ms
    if latency_ms is None or ("avg" in values_ms and "std" not in values_ms):
        raise InputError(f"its line of statistics was cut off: {line.strip()!r:.160}")
    if "p5" in values_ms and "p95" in values_ms:
        spread_ms = spread_of_percentiles(values_ms["p5"], values_ms["p95"])
    else:
        spread_ms = spread_of_deviation(values_ms.get("std", 0.0))
    statistic = "mean" if median_ms is None else "median"
    return Timing(latency_ms, statistic, spread_ms, count, model_mb, delegation)
