"""What a step of the search costs beside a step that trains the dense translator, timed in turn."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from mfagan.coronetgan.training.run import TranslationRun
from mfagan.coronetgan.training.stages import stages_of
from mfagan.evaluation.experiments.measurements import REPEATS, rounds_in_turn

__all__ = ["StepTimes", "time_steps"]


@dataclass(frozen=True)
class StepTimes:
    """Wall time of training steps, translators and discriminators.

    dense_ms: median of a dense translator.
    search_ms: likewise of its form with hypernetworks, while the ratio is sought.
    ratio: median of how many times as long a step of the search takes as the dense step beside it, which tells them
        apart on a busy machine too.
    """

    dense_ms: float
    search_ms: float
    ratio: float


def time_steps(run: TranslationRun, repeats: int = REPEATS) -> StepTimes:
    """Time steps of the stages dense and search in turn, on one batch and from untrained networks.

    Args:
        run: gives recipe, ratio, device and pictures.
        repeats: how many steps of each are timed, after a warm-up.

    Returns:
        The times.

    Raises:
        InputError: as the stages.
    """
    batch = run.pictures.sampler.batch(0, run.fabric.global_rank, run.fabric.world_size)
    specs = stages_of(run.recipe.model)

    def step_of(stage: str) -> Callable[[], object]:
        learner = specs[stage].build(run, {}).learner
        return lambda: learner.step(0, *batch)

    dense, search = rounds_in_turn([step_of("dense"), step_of("search")], repeats)
    ratio = median(one / other for one, other in zip(search, dense, strict=True))
    return StepTimes(median(dense) * 1e3, median(search) * 1e3, ratio)
