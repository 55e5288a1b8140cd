"""What all stages consist of: networks on their device, losses, batches, validation, records."""

import logging
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import nn

from mfagan.checkpoint import load_weights
from mfagan.coronetgan.network import TRANSLATORS, Translator
from mfagan.coronetgan.network.costs import WidthCosts
from mfagan.coronetgan.network.hyper.translator import HyperTranslator
from mfagan.coronetgan.network.links import Gates
from mfagan.coronetgan.training.forecast import tell_memory
from mfagan.coronetgan.training.learner import TranslationLearner
from mfagan.coronetgan.training.objectives import (
    CycleObjective,
    GeneratorObjective,
    PairObjective,
    TranslatorPair,
)
from mfagan.coronetgan.training.recipe import Model, TranslationRecipe
from mfagan.coronetgan.training.run import RATIO_STAGES, TranslationRun
from mfagan.coronetgan.training.sparsifier import Sparsifier
from mfagan.coronetgan.training.validation import HeldOut, format_psnr, record_figures, score_narrowest
from mfagan.data.crops import Prefetcher
from mfagan.devices import to_device
from mfagan.errors import InputError
from mfagan.networks.normed_patchgan import NormedPatchGAN
from mfagan.training.loop import LoopResult, Validation
from mfagan.training.stage import Source, StageWork

__all__ = [
    "Sources",
    "count_numbers",
    "ends_of",
    "full_translators",
    "make_judges",
    "make_work",
    "open_held_out",
    "open_translator",
]

logger = logging.getLogger(__name__)

Sources = Mapping[str, Source]
Figures = Callable[[LoopResult], Mapping[str, object]]


def ends_of(model: Model) -> tuple[str, ...]:
    """How the names of a model's translators end.

    Args:
        model: what is trained.
    """
    return ("",) if model == "pix2pix" else ("_a", "_b")


def open_translator(source: Source, sorted_too: bool = False) -> Translator:
    """The translator of a checkpoint.

    Args:
        source: what was read.
        sorted_too: take a search's network too, as the translator of all its channels, the largest latents' first.

    Returns:
        It, in evaluation mode.

    Raises:
        InputError: another network, which it names.
    """
    found, path = source.checkpoint, source.path
    if sorted_too and found.network == HyperTranslator.KIND:
        return HyperTranslator.from_checkpoint(found, path).bake_full()
    if found.network not in TRANSLATORS:
        raise InputError(
            f"checkpoint {path}: its network is {found.network!r}; a translator is needed here "
            f"({', '.join(TRANSLATORS)})"
        )
    return TRANSLATORS[found.network].from_checkpoint(found, path)


def full_translators(recipe: TranslationRecipe) -> list[Translator]:
    """The untrained translators of a recipe: one, or CycleGAN's two.

    Args:
        recipe: gives their form.

    Raises:
        InputError: as `TranslationRecipe.translator`.
    """
    return [recipe.translator(end == "_b") for end in ends_of(recipe.model)]


def make_judges(recipe: TranslationRecipe, meta: bool = False) -> nn.ModuleDict:
    """The untrained discriminators of a recipe by their names.

    Args:
        recipe: gives their form.
        meta: on the meta device, where nothing is allocated.
    """
    with torch.device("meta" if meta else "cpu"):
        return nn.ModuleDict(
            {f"discriminator{end}": recipe.discriminator(end == "_b") for end in ends_of(recipe.model)}
        )


def count_numbers(module: nn.Module) -> int:
    """Count the trainable numbers of a module.

    Args:
        module: on any device.
    """
    return sum(one.numel() for one in module.parameters())


def open_held_out(run: TranslationRun) -> HeldOut:
    """The held-out pictures of a run on its device.

    Args:
        run: what is trained.
    """
    found = run.pictures.held_out
    return HeldOut(found.a.to(run.fabric.device), found.b.to(run.fabric.device), found.paired)


def make_work(
    run: TranslationRun,
    stage: str,
    networks: Sequence[Translator | HyperTranslator],
    sources: Sources,
    *,
    teachers: Sequence[Translator] = (),
    sparsifiers: Mapping[str, Sparsifier] | None = None,
    draw: Callable[[int], Sequence[Gates]] | None = None,
    before: int = 0,
    more: Figures = lambda result: {},
) -> StageWork:
    """Put networks on the run's device, with losses, batches, validation and records.

    Args:
        run: what it trains.
        stage: the stage's name.
        networks: what is trained.
        sources: discriminators among them are taken up; untrained ones are made in place of those that lack.
        teachers: whose pictures are wanted instead of the data's.
        sparsifiers: by the ends of the translators' names.
        draw: the slices that a step trains, by its number.
        before: steps of the course that another stage has made.
        more: what is recorded besides.

    Returns:
        The work.

    Raises:
        InputError: discriminators of another form.
    """
    recipe, fabric, settings = run.recipe, run.fabric, run.settings(stage)
    judges = make_judges(recipe)
    for name, judge in judges.items():
        if name in sources:
            found = sources[name]
            assert isinstance(judge, NormedPatchGAN)
            load_weights(judge, found.checkpoint, found.path)
    _tell_epochs(run, stage, settings.steps)
    if not sparsifiers:
        tell_memory(stage, sum(map(count_numbers, networks)) + count_numbers(judges), recipe.ema_decay > 0)
    for one in (*networks, *teachers):
        if isinstance(one, HyperTranslator):
            one.to(fabric.device)
        else:
            to_device(one, fabric.device)
    to_device(judges, fabric.device)
    for one in teachers:
        one.requires_grad_(False).eval()
    translators = networks[0] if recipe.model == "pix2pix" else TranslatorPair(*networks)
    arguments = (translators, judges, recipe.gan, recipe.mask == "search", draw, teachers)
    objective: GeneratorObjective = (
        PairObjective(*arguments)
        if recipe.model == "pix2pix"
        else CycleObjective(*arguments, identity=bool(recipe.identity))
    )
    learner = TranslationLearner(
        recipe,
        settings,
        objective,
        judges,
        fabric,
        run.options.seed,
        sparsifiers=sparsifiers,
        before=before,
    )
    held_out, sampler = open_held_out(run), run.pictures.sampler

    def validate(network: nn.Module) -> Validation:
        return score_narrowest(network, held_out) if draw is not None else held_out(network)

    def figures(result: LoopResult) -> Mapping[str, object]:
        found = dict(record_figures(result))
        if run.pictures.sets is not None:
            found["sets"] = run.pictures.sets
        if stage in RATIO_STAGES and not sparsifiers:
            found |= _reached(recipe, networks)
        return {**found, **more(result)}

    return StageWork(
        learner,
        lambda start, stop: Prefetcher(
            sampler, before + start, before + stop, rank=fabric.global_rank, world=fabric.world_size
        ),
        validate,
        held_out.picture,
        figures,
        format_psnr,
        steps=settings.steps - before if before else None,
    )


def _tell_epochs(run: TranslationRun, stage: str, steps: int) -> None:
    """Log how often the course sees each picture, since recipes count steps and publications epochs."""
    numbers = [run.pictures.about.get(name) for name in ("n_a", "n_b")]
    a, b = (one if isinstance(one, int) else 0 for one in numbers)
    if a and b:
        logger.info(
            "stage %s: %d steps are %.1f epochs of %d pictures of A and %d of B",
            stage,
            steps,
            steps * run.recipe.batch / max(a, b),
            a,
            b,
        )


def _reached(
    recipe: TranslationRecipe, networks: Sequence[Translator | HyperTranslator]
) -> dict[str, object]:
    """The ratio of plain translators to the full ones."""
    found: dict[str, object] = {}
    with torch.device("meta"):
        forms = full_translators(recipe)
    for end, form, network in zip(ends_of(recipe.model), forms, networks, strict=True):
        assert isinstance(network, Translator)
        costs = WidthCosts.of(form, recipe.crop_px, recipe.crop_px)
        found |= {f"ratio_reached{end}": costs.ratio(network.widths), f"widths{end}": dict(network.widths)}
    return found
