"""A problem of three choices with known answers: sharpness of a lens against its weight."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from search.description import Box, Drawing, PointDescription, StudyDescription
from search.problem import Choice, Evaluation, Objective, Point, Problem, Value
from search.study import StudyRecord, load, run

GLASS_G = {"crown": 9.0, "flint": 14.0, "fused silica": 11.5}


class Lens(Problem):
    """Sharpness grows with elements and diameter with falling returns, weight grows with all three."""

    def __init__(self, max_weight_g: float | None = None, maker: str = "toy works") -> None:
        self.choices: Mapping[str, Sequence[Value]] = {
            "elements": (1, 2, 3, 4, 5, 6),
            "diameter_mm": (10.0, 12.5, 15.0, 20.0, 25.0),
            "glass": tuple(GLASS_G),
        }
        self.objectives = (Objective("sharpness", "maximize", "lp/mm"), Objective("weight", "minimize", "g"))
        self.max_weight_g = max_weight_g
        self.maker = maker
        self.batches: list[list[Choice]] = []
        self.before_batch: Callable[[int], None] = lambda index: None

    def evaluate(self, batch: Sequence[Choice]) -> list[Evaluation]:
        self.before_batch(len(self.batches))
        self.batches.append(list(batch))
        return [self.score(choice) for choice in batch]

    def score(self, choice: Choice) -> Evaluation:
        elements, diameter_mm = float(choice["elements"]), float(choice["diameter_mm"])
        glass_g = GLASS_G[str(choice["glass"])]
        sharpness = 100 * (1 - 0.7**elements) * (1 - 1 / diameter_mm) + 0.6 * glass_g
        weight_g = elements * glass_g * (diameter_mm / 10) ** 2
        limits = {} if self.max_weight_g is None else {"weight": weight_g - self.max_weight_g}
        return Evaluation((sharpness, weight_g), {"volume_mm3": round(weight_g * 400)}, limits)

    def identity(self) -> dict[str, str]:
        return {"maker": self.maker}


def build() -> Lens:
    return Lens()


class DescribedLens(Lens):
    """Lenses with a drawing of their elements."""

    def describe(self, points: Sequence[Point]) -> StudyDescription:
        described = {
            point.number: PointDescription(
                drawing=Drawing([Box("glass", str(point.choice["glass"]), 0, 0, 9, 9)])
            )
            for point in points
        }
        return StudyDescription(
            points=described, titles={"diameter_mm": "Diameter (mm)"}, notes=["Drawn by hand."]
        )


def build_described() -> DescribedLens:
    return DescribedLens()


def build_limited() -> Lens:
    return Lens(max_weight_g=100.0)


def build_single() -> Lens:
    """One objective: there is no front to draw."""
    lens = Lens()
    lens.objectives = lens.objectives[:1]
    return lens


def build_interrupted() -> Lens:
    """Stands for a user who presses Ctrl-C in the third batch."""
    lens = Lens()

    def interrupt(index: int) -> None:
        if index == 2:
            raise KeyboardInterrupt

    lens.before_batch = interrupt
    return lens


def build_nothing() -> str:
    return "no problem"


def searched(storage: object, n_trials: int = 60, problem: Lens | None = None, **options: int) -> StudyRecord:
    """The record of a small finished search."""
    run(problem or Lens(), str(storage), "toy", n_trials, **{"population": 20, **options})  # type: ignore[arg-type]
    return load(str(storage), "toy")
