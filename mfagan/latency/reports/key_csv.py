"""A plain CSV file of latencies by key, with the header `key,milliseconds`."""

import csv
import io

from mfagan.errors import InputError
from mfagan.latency.reports.timing import Timing

__all__ = ["HEADER", "is_keyed", "read_keyed"]

HEADER = ["key", "milliseconds"]
_OTHER_UNITS = ("seconds", "s", "microseconds", "us", "nanoseconds", "ns")


def is_keyed(text: str) -> bool:
    """Whether a text is such a file, with whatever unit in its header.

    Args:
        text: any.
    """
    return text.lstrip().partition("\n")[0].lower().replace(" ", "").startswith("key,")


def read_keyed(text: str) -> dict[str, Timing]:
    """Read latencies that someone measured by whatever means.

    Args:
        text: the content of the file.

    Returns:
        Key -> its latency, as one measurement without a spread.

    Raises:
        InputError: another header, a key that comes twice, or a time that is not a positive number.
    """
    rows = csv.reader(io.StringIO(text.strip() + "\n"), skipinitialspace=True)
    header = [name.strip().lower() for name in next(rows)]
    if header != HEADER:
        unit = header[1] if len(header) == 2 else ""
        hint = "convert the times to milliseconds and " if unit in _OTHER_UNITS else ""
        raise InputError(f"its first line is {','.join(header)!r:.80}: {hint}write {','.join(HEADER)}")
    found: dict[str, Timing] = {}
    for row in rows:
        if not row:
            continue
        line = rows.line_num
        if len(row) != 2:
            raise InputError(f"line {line} has {len(row)} fields: it needs a key and its milliseconds")
        key = row[0].strip()
        if key in found:
            raise InputError(f"line {line}: the key {key!r:.80} comes twice; leave one of its lines")
        try:
            found[key] = Timing(float(row[1]), "median", 0.0, 1)
        except ValueError as error:  # InputError is one
            reason = error if isinstance(error, InputError) else f"{row[1]!r:.40} is not a number"
            raise InputError(f"line {line}, {key!r:.80}: {reason}") from None
    if not found:
        raise InputError(f"it has no line after {','.join(HEADER)}: it was cut off")
    return found
