"""How the stages are put together: which networks, which losses, what is recorded."""

import logging
from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from mfagan.coronetgan.network import Translator
from mfagan.coronetgan.network.costs import WidthCosts
from mfagan.coronetgan.network.hyper.ratio import require_ratio
from mfagan.coronetgan.network.hyper.translator import HyperTranslator, count_trainable
from mfagan.coronetgan.network.slices import extract
from mfagan.coronetgan.network.statistics import N_CALIBRATION, take_statistics
from mfagan.coronetgan.training.baselines import prune_by_magnitude, rescale, uniform_widths
from mfagan.coronetgan.training.draws.slices import draw_gates
from mfagan.coronetgan.training.forecast import forecast, tell_memory
from mfagan.coronetgan.training.run import TranslationRun
from mfagan.coronetgan.training.sparsifier import Sparsifier
from mfagan.coronetgan.training.validation import translate
from mfagan.coronetgan.training.work import (
    Sources,
    count_numbers,
    ends_of,
    full_translators,
    make_judges,
    make_work,
    open_held_out,
    open_translator,
)
from mfagan.errors import InputError
from mfagan.training.loop import LoopResult
from mfagan.training.stage import StageWork

__all__ = [
    "START",
    "build_finetune",
    "build_search",
    "build_supernet",
    "build_whole",
    "continue_pruned",
    "draw_pictures",
    "require_course",
    "require_ratios",
]

logger = logging.getLogger(__name__)

START = "start"
"""What a stage's builder calls the translators that it starts from, if some are given."""
_LOGGED = 100
"""The curve of the ratio in the log has so many points at least."""


def build_whole(run: TranslationRun, sources: Sources, stage: str) -> StageWork:
    """The work of a stage that trains plain translators: dense, uniform, magnitude, distilled.

    Args:
        run: what it trains.
        sources: the checkpoints of stage dense, for the last two.
        stage: its name.

    Returns:
        The work.

    Raises:
        InputError: a ratio that cannot be met; another kind of checkpoint.
    """
    recipe, ends = run.recipe, ends_of(run.recipe.model)
    rounding = recipe.crop_px, run.ratio, recipe.round_to, recipe.min_channels
    even = recipe.crop_px, run.ratio, 1 if recipe.fill else recipe.round_to, recipe.min_channels
    teachers: list[Translator] = []
    torch.manual_seed(run.options.seed)
    if stage in ("magnitude", "distilled"):
        teachers = [open_translator(sources[f"dense{end}"]) for end in ends]
    match stage:
        case "magnitude":
            networks = [prune_by_magnitude(one, *rounding, recipe.fill) for one in teachers]
        case "uniform" | "distilled":
            with torch.device("meta"):
                forms = full_translators(recipe)
            networks = [one.with_widths(uniform_widths(one, *even)) for one in forms]
        case _:
            networks = full_translators(recipe)
    records = {end: sources[f"dense{end}"].checkpoint.record for end in ends if teachers}
    spent = {f"dense_minutes{end}": record.get("training_minutes") for end, record in records.items()}
    return make_work(
        run,
        stage,
        networks,
        sources,
        teachers=teachers if stage == "distilled" else (),
        more=lambda result: spent,
    )


def require_ratios(run: TranslationRun) -> list[WidthCosts]:
    """Check that the ratio of a run can be met by its translators.

    Args:
        run: gives recipe and ratio.

    Returns:
        The costs of its translators: one, or CycleGAN's two.

    Raises:
        InputError: as `require_ratio`, and sizes that they do not take.
    """
    recipe = run.recipe
    with torch.device("meta"):
        costs = [WidthCosts.of(one, recipe.crop_px, recipe.crop_px) for one in full_translators(recipe)]
    for each in costs:
        require_ratio(run.ratio, each, recipe.round_to, recipe.min_channels)
    return costs


def require_course(run: TranslationRun) -> int:
    """Check that stage search will reach the ratio of a run in its course, and before stage pruned ends.

    Args:
        run: gives recipe, ratio and seed.

    Returns:
        The steps after which it will, about.

    Raises:
        InputError: it will not.
    """
    course, end = run.settings("search"), run.settings("pruned").steps
    steps = forecast(run.recipe, course, run.ratio, run.options.seed).require(run.ratio, course)
    if steps >= end:
        raise InputError(
            f"ratio {run.ratio}: it will be reached after about {steps} steps, and stage pruned, whose steps count "
            f"from the start of stage search, ends at step {end}: give it {course.steps} steps"
        )
    return steps


def build_search(run: TranslationRun, sources: Sources, stage: str) -> StageWork:
    """The work of the stage that seeks a ratio.

    Args:
        run: what it trains.
        sources: trained translators to start from, or nothing.
        stage: its name.

    Returns:
        The work.

    Raises:
        InputError: a ratio that cannot be met at all, or not in the course.
    """
    recipe, settings, ends = run.recipe, run.settings(stage), ends_of(run.recipe.model)
    with torch.device("meta"):
        forms = full_translators(recipe)
    costs = require_ratios(run)
    steps = require_course(run)
    logger.info("ratio %g will be reached after about %d of %d steps", run.ratio, steps, settings.steps)
    numbers = sum(map(count_trainable, forms)) + count_numbers(make_judges(recipe, meta=True))
    tell_memory(stage, numbers, recipe.ema_decay > 0)
    torch.manual_seed(run.options.seed)
    networks = [HyperTranslator(one) for one in full_translators(recipe)]
    for end, network in zip(ends, networks, strict=True):
        if f"{START}{end}" in sources:
            network.match(open_translator(sources[f"{START}{end}"]))
    sparsifiers = {
        end: Sparsifier(network, each, run.ratio, recipe)
        for end, network, each in zip(ends, networks, costs, strict=True)
    }
    held_out = open_held_out(run)

    def figures(result: LoopResult) -> Mapping[str, object]:
        found: dict[str, object] = {"search_steps": result.steps}
        for (end, one), pictures in zip(sparsifiers.items(), (held_out.a, held_out.b), strict=False):
            baked = one.network.bake().eval()
            difference = (translate(baked, pictures) - translate(one.network, pictures)).abs().max()
            found |= {
                f"ratio_reached{end}": one.ratio,
                f"landed_at{end}": one.curve[-1][0] if one.curve else result.steps,
                f"ratio_curve{end}": one.curve,
                f"bake_max_abs_diff{end}": difference.item(),
                f"widths{end}": dict(baked.widths),
            }
        return found

    work = make_work(run, stage, networks, sources, sparsifiers=sparsifiers, more=figures)
    return replace(work, log_every=max(1, min(work.log_every, steps // _LOGGED)))


def continue_pruned(run: TranslationRun, sources: Sources, stage: str) -> StageWork:
    """The work of the stage that trains what a search has left, for the rest of its course.

    The discriminators go on (as they were written, in half precision); the optimizers are new.

    Args:
        run: what it trains.
        sources: the checkpoints of stage search.
        stage: its name.

    Returns:
        The work.

    Raises:
        InputError: another kind of checkpoint; the search has used the whole course.
    """
    ends = ends_of(run.recipe.model)
    records = [sources[f"search{end}"].checkpoint.record for end in ends]
    before, steps = records[0].get("search_steps"), run.settings(stage).steps
    path = sources[f"search{ends[0]}"].path
    if not isinstance(before, int) or before >= steps:
        raise InputError(
            f"{path}: the search took {before} steps, and stage {stage} ends at step {steps} of the whole course; give "
            "it more steps"
        )
    forms = [
        HyperTranslator.from_checkpoint(sources[f"search{end}"].checkpoint, sources[f"search{end}"].path)
        for end in ends
    ]
    networks = [rescale(one.bake()) if run.recipe.rescale else one.bake() for one in forms]
    kept = ("ratio_reached", "landed_at", "ratio_curve", "bake_max_abs_diff", "search_steps")
    found = {name: value for record in records for name, value in record.items() if name.startswith(kept)}
    searched = float(records[0].get("training_minutes", 0.0))  # pyright: ignore[reportArgumentType]

    def figures(result: LoopResult) -> Mapping[str, object]:
        return {
            **found,
            "search_minutes": searched,
            "training_minutes": searched + result.seconds / 60,
        }

    return make_work(run, stage, networks, sources, before=before, more=figures)


def build_supernet(run: TranslationRun, sources: Sources, stage: str) -> StageWork:
    """The work of the stage that trains slices too.

    Args:
        run: what it trains.
        sources: translators or searches to start from, or nothing.
        stage: its name.

    Returns:
        The work.

    Raises:
        InputError: another kind of checkpoint.
    """
    ends = ends_of(run.recipe.model)
    torch.manual_seed(run.options.seed)
    if f"{START}{ends[0]}" in sources:
        networks = [open_translator(sources[f"{START}{end}"], sorted_too=True) for end in ends]
    else:
        networks = full_translators(run.recipe)
    seed, how, device = run.options.seed, run.recipe.slices, run.fabric.device
    return make_work(
        run,
        stage,
        networks,
        sources,
        draw=lambda number: draw_gates(networks[0], how, seed, number, device),
    )


def build_finetune(
    run: TranslationRun, sources: Sources, stage: str, widths: Mapping[str, int] | None = None
) -> StageWork:
    """The work of the stage that trains given translators further.

    Args:
        run: what it trains.
        sources: the translators and, maybe, their discriminators.
        stage: its name.
        widths: the slice that is cut from them first, latent -> channels; None for the whole.

    Returns:
        The work.

    Raises:
        InputError: nothing to start from; another kind of checkpoint; widths that are no slice.
    """
    ends = ends_of(run.recipe.model)
    if f"{START}{ends[0]}" not in sources:
        raise InputError(f"stage {stage} trains a given network: use `mfagan coronetgan finetune`")
    torch.manual_seed(run.options.seed)
    networks = [open_translator(sources[f"{START}{end}"]) for end in ends]
    if widths is not None:
        networks = [extract(one, widths) for one in networks]
        for one, pictures in zip(networks, draw_pictures(run, N_CALIBRATION), strict=False):
            take_statistics(one, pictures)
    return make_work(
        run,
        stage,
        networks,
        sources,
        more=lambda result: {
            "best_step": result.kept_step,
            "score_before": result.score_before,
            "score_after": result.score_after,
        },
    )


def draw_pictures(run: TranslationRun, count: int) -> list[Tensor]:
    """Draw the first pictures of both domains that training draws.

    Args:
        run: what it trains.
        count: how many of each.

    Returns:
        Of A, then of B, (count, C, side, side) each, in [-1, 1].
    """
    sampler, batch = run.pictures.sampler, run.recipe.batch
    batches = [sampler.batch(number) for number in range(-(-count // batch))]
    return [torch.cat(pictures)[:count] for pictures in zip(*batches, strict=True)]
