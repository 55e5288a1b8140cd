"""Whether a ratio can be reached, asked before hours of training."""

import torch

from mfagan.coronetgan.network.costs import WidthCosts
from mfagan.coronetgan.network.hyper.ratio import require_ratio
from mfagan.coronetgan.training.forecast import forecast
from mfagan.coronetgan.training.run import TranslationRun
from mfagan.coronetgan.training.work import full_translators

__all__ = ["require_reachable"]


def require_reachable(run: TranslationRun, by_search: bool = True) -> None:
    """Check that the ratio of a run can be reached.

    Args:
        run: gives recipe and ratio.
        by_search: whether it is sought while the translators train, for which the course must be long enough.

    Raises:
        InputError: a ratio that cannot be met, or not in the course.
    """
    recipe = run.recipe
    with torch.device("meta"):
        forms = full_translators(recipe)
    for one in forms:
        costs = WidthCosts.of(one, recipe.crop_px, recipe.crop_px)
        require_ratio(run.ratio, costs, recipe.round_to, recipe.min_channels)
    if by_search:
        course = run.settings("search")
        forecast(recipe, course, run.ratio, run.options.seed).require(run.ratio, course)
