"""`mfagan pick --by-eye`: a page of blind comparisons, made of the study's own pictures."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mfagan.cli.options import name_study

__all__ = ["write_comparisons"]

if TYPE_CHECKING:
    from mfagan.study.opened import Given
    from search.picking.limits import Limit

_N_SCENES = 4


def write_comparisons(
    path: Path,
    where: tuple[str, str],
    given: "Given",
    limits: "Sequence[Limit]",
    n_comparisons: int,
    seed: int,
) -> str:
    """Write the page of comparisons of a study's front.

    Args:
        path: The HTML file to write.
        where: The storage's address and the study's name.
        given: Where the study's sources are now, as far as a user says.
        limits: Limits that the points must keep.
        n_comparisons: How many comparisons are made, at least 5.
        seed: The same seed draws the same comparisons.

    Returns:
        The command that picks by the answers.

    Raises:
        SearchError: There is no such study, too few points to compare, or no pictures of them.
    """
    from mfagan.cli.study.front_description import FrontDescriber
    from mfagan.files import write_atomic
    from mfagan.progress import show_bar
    from search import pareto
    from search.picking.limits import apply_limits
    from search.preference.comparisons import spread_points
    from search.preference.page import comparison_page
    from search.study import load

    storage, study = where
    record = load(storage, study)
    feasible = [point for point in record.points if point.feasible]
    front = pareto.front(
        apply_limits(feasible, record.objectives, limits) if feasible else [], record.objectives
    )
    points = spread_points(front, record.objectives, n_comparisons)
    limited = "".join(f" {shlex.quote(limit.option)} {limit.value:g}" for limit in limits)
    command = f"mfagan pick {name_study(storage, study)}{limited} --answers answers.json --out picked.json"
    description = FrontDescriber(storage, record, given, _N_SCENES).describe(points, show_bar)
    page = comparison_page(record, points, description, command, n_comparisons=n_comparisons, seed=seed)
    write_atomic(path, page)
    return command
