"""A problem of 729 choices that takes its time, for several workers at once."""

import os
import time
from pathlib import Path

from search.problem import Evaluation, Known, Objective, Problem

GATE = "LADDER_GATE"


class Ladder(Problem):
    """Six choices of three: the front has the ladders without a needless step, and the cost is known beforehand."""

    choices = dict.fromkeys([f"step_{i}" for i in range(6)], (0, 1, 2))
    objectives = (Objective("height", "maximize"), Objective("cost", "minimize"))
    known_choices = (dict.fromkeys(choices, 2), dict.fromkeys(choices, 0))
    seconds = 0.0

    def evaluate(self, batch):
        time.sleep(self.seconds * len(batch))
        return [self.score(list(choice.values())) for choice in batch]

    def foresee(self, batch):
        return [Known({"cost": self.score(list(choice.values())).values[1]}) for choice in batch]

    def score(self, steps):
        height = sum(step / (1 + i) for i, step in enumerate(steps))
        return Evaluation((height, float(sum(step * (1 + i % 3) for i, step in enumerate(steps)))))


def build_slow():
    """Waits at the gate, a folder named by the environment, until it is open."""
    gate = Path(os.environ[GATE])
    (gate / str(os.getpid())).touch()
    while not (gate / "open").exists():
        time.sleep(0.01)
    ladder = Ladder()
    ladder.seconds = 0.1
    return ladder
