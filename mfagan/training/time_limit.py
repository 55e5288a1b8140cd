"""A time limit for trainings on borrowed machines: when it is over they end with a snapshot, and can be continued."""

import math
import time

from mfagan.errors import InputError

__all__ = ["Stopped", "TimeLimit"]


class TimeLimit:
    """A span of wall time that begins when the object is made."""

    def __init__(self, minutes: float) -> None:
        """Start the clock.

        Args:
            minutes: how long the span is.

        Raises:
            InputError: a number that is not positive and finite.
        """
        if not 0 < minutes < math.inf:
            raise InputError(f"the time limit is {minutes:g} minutes: give a positive number of minutes")
        self.minutes = minutes
        self._end = time.monotonic() + 60 * minutes

    def is_over(self) -> bool:
        """Whether the span has passed."""
        return time.monotonic() >= self._end


class Stopped(Exception):
    """A training has ended at its time limit; its snapshot is written, and it can be continued.

    No error: whoever starts a training with a time limit catches it and reports it.
    """

    def __init__(self, stage: str, step: int, steps: int) -> None:
        """Describe where the training stopped.

        Args:
            stage: the name of its stage.
            step: the number of steps made, which its snapshot holds.
            steps: the number of steps that the stage makes in all.
        """
        super().__init__(f"stage {stage} stopped at step {step} of {steps}")
        self.stage = stage
        self.step = step
        self.steps = steps
