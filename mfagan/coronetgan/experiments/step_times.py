"""What a step of the search costs beside a step that trains the dense translator, timed in turn."""

from collections.abc import Callable
from dataclasses import dataclass

from mfagan.coronetgan.training.run import TranslationRun
from mfagan.coronetgan.training.stages import stages_of
from mfagan.evaluation.experiments.measurements import REPEATS, seconds_in_turn

__all__ = ["StepTimes", "time_steps"]


@dataclass(frozen=True)
class StepTimes:
    """Medians of the wall time of training steps, translators and discriminators, in ms.

    dense_ms: of a dense translator.
    search_ms: of its form with hypernetworks, while the ratio is sought.
    """

    dense_ms: float
    search_ms: float

    @property
    def ratio(self) -> float:
        """How many times as long a step of the search takes."""
        return self.search_ms / self.dense_ms


def time_steps(run: TranslationRun, repeats: int = REPEATS) -> StepTimes:
    """Time steps of the stages dense and search in turn, on one batch and from untrained networks.

    Args:
        run: gives recipe, ratio, device and pictures.
        repeats: how many steps of each are timed, after a warm-up.

    Returns:
        The medians.

    Raises:
        InputError: as the stages.
    """
    batch = run.pictures.sampler.batch(0, run.fabric.global_rank, run.fabric.world_size)
    specs = stages_of(run.recipe.model)

    def step_of(stage: str) -> Callable[[], object]:
        learner = specs[stage].build(run, {}).learner
        return lambda: learner.step(0, *batch)

    dense, search = seconds_in_turn([step_of("dense"), step_of("search")], repeats)
    return StepTimes(dense * 1e3, search * 1e3)
