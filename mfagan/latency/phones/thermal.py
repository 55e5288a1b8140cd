"""What Android says of a phone's temperature: the answer of `dumpsys thermalservice`.

The format is that of `ThermalManagerService.dump` in
https://android.googlesource.com/platform/frameworks/base/+/refs/heads/main/services/core/java/com/android/server/power/ThermalManagerService.java
and the statuses are those of https://developer.android.com/reference/android/os/PowerManager#THERMAL_STATUS_NONE.
"""

import re

__all__ = ["STATUSES", "read_status"]

STATUSES = ("none", "light", "moderate", "severe", "critical", "emergency", "shutdown")
"""Names of Android's thermal statuses: from `light` on the phone is throttled."""

_STATUS = re.compile(r"^\s*Thermal Status:\s*(\d+)\s*$", re.MULTILINE)


def read_status(dump: str) -> int | None:
    """The thermal status that an answer names.

    Args:
        dump: the text of `dumpsys thermalservice`.

    Returns:
        An index of `STATUSES`; None if the text has none, as before Android 10.
    """
    found = _STATUS.search(dump)
    return min(int(found[1]), len(STATUSES) - 1) if found else None
