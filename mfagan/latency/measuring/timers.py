"""What a runtime gives to be timed."""

from collections.abc import Callable

__all__ = ["Loader", "Timer"]

Timer = Callable[[], float]
"""Runs the subject once and returns how long that took, in ms of wall time."""
Loader = Callable[[], Timer]
"""Loads the subject again, at another address in memory."""
