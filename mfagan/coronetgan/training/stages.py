"""The training stages of this system, each described once, for pix2pix and for CycleGAN.

Of CycleGAN's two translators and discriminators `_a` is the one from A to B, and the judge of what it makes.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import get_args

from mfagan.coronetgan.training.building import (
    START,
    build_finetune,
    build_search,
    build_supernet,
    build_whole,
    continue_pruned,
)
from mfagan.coronetgan.training.recipe import STAGES, Model
from mfagan.coronetgan.training.run import RATIO_STAGES, TranslationRun
from mfagan.coronetgan.training.work import ends_of
from mfagan.errors import InputError
from mfagan.training.run import StageFiles
from mfagan.training.stage import Source, StageSpec, StageWork, choose_stages

__all__ = [
    "PIPELINE",
    "STARTING",
    "check_stages",
    "finetune",
    "role_of",
    "stage_files",
    "stages_of",
    "train_dense",
    "train_distilled",
    "train_magnitude",
    "train_pruned",
    "train_stage",
    "train_started",
    "train_supernet",
    "train_uniform",
]

PIPELINE = ("search", "pruned")
"""The stages of `mfagan coronetgan train` where none are named."""
STARTING = ("search", "supernet")
"""The stages that may start from given translators."""
_ROLES = {"finetune": "finetuned"}
_READS = {"pruned": "search", "magnitude": "dense", "distilled": "dense"}
"""Stage -> the stage whose networks it starts from."""
_BUILDERS: Mapping[str, Callable[[TranslationRun, Mapping[str, Source], str], StageWork]] = {
    "search": build_search,
    "pruned": continue_pruned,
    "supernet": build_supernet,
    "finetune": build_finetune,
}


def role_of(stage: str) -> str:
    """The role of the networks that a stage leaves, and how their files' names begin.

    Args:
        stage: its name.
    """
    return _ROLES.get(stage, stage)


def stage_files(stage: str, model: Model) -> dict[str, str]:
    """The files of a stage in a run's folder.

    Args:
        stage: its name.
        model: what is trained.

    Returns:
        Role -> name: of the translators, then, but of finetune, of the discriminators.
    """
    role, ends = role_of(stage), ends_of(model)
    files = {f"{role}{end}": f"{role}{end}.safetensors" for end in ends}
    if stage == "finetune":
        return files
    return files | {f"discriminator{end}": f"{role}_discriminator{end}.safetensors" for end in ends}


def stages_of(model: Model) -> Mapping[str, StageSpec[TranslationRun]]:
    """The stages of a model.

    Args:
        model: what is trained.

    Returns:
        Name -> description.
    """
    return _SPECS[model]


def _describe(stage: str, model: Model) -> StageSpec[TranslationRun]:
    build = _BUILDERS.get(stage, build_whole)
    return StageSpec(
        stage,
        writes=stage_files(stage, model),
        build=lambda run, sources: build(run, sources, stage),
        reads=stage_files(_READS[stage], model) if stage in _READS else {},
        keep_best=stage == "finetune",
        unused=partial(_unused, stage, model),
    )


def _unused(stage: str, model: Model, settings: Mapping[str, object]) -> Collection[str]:
    """For `StageSpec.unused`; what pruned starts from has its own record."""
    names = set() if stage == "search" else {"gamma", "tau", "mask", "stop_above"}
    if stage not in RATIO_STAGES or stage == "pruned":
        names |= {"min_channels", "round_to", "fill"}
    if stage != "supernet":
        names.add("slices")
    if stage != "pruned":
        names.add("rescale")
    if model == "pix2pix":
        return names | {"cycle", "identity", "pool"}
    return names | ({"cycle", "identity"} if stage == "distilled" else {"l1"})


_SPECS: Mapping[Model, Mapping[str, StageSpec[TranslationRun]]] = {
    model: {stage: _describe(stage, model) for stage in STAGES} for model in get_args(Model)
}


def train_stage(
    run: TranslationRun,
    stage: str,
    files: StageFiles | None = None,
    facts: Mapping[str, object] | None = None,
) -> list[Path]:
    """Train one stage, unless it is finished.

    Args:
        run: what it trains.
        stage: its name, one of `STAGES`.
        files: where it reads and writes, if not in the run's folder.
        facts: more plain data for the record.

    Returns:
        The files of the translators: one, or CycleGAN's two.

    Raises:
        InputError: an unknown stage; as `TrainingRun.train`; a ratio that cannot be met, or not in the course.
        Diverged, Stopped: as `TrainingRun.train`.
    """
    specs = stages_of(run.recipe.model)
    if stage not in specs:
        raise InputError(f"stage {stage!r}: choose from {', '.join(specs)}")
    paths = run.train(specs[stage], files or StageFiles(), facts)
    return paths[: len(ends_of(run.recipe.model))]


def check_stages(model: Model, names: Sequence[str] | None) -> list[str]:
    """Find stages of `mfagan coronetgan train` by their names.

    Args:
        model: what is trained.
        names: the stages asked for; None or nothing asks for `PIPELINE`.

    Returns:
        Their names, in order.

    Raises:
        InputError: a name that is no such stage.
    """
    known = [spec for name, spec in stages_of(model).items() if name != "finetune"]
    return [spec.name for spec in choose_stages(known, names or PIPELINE)]


def train_started(run: TranslationRun, stage: str, starts: Sequence[Path] | None = None) -> list[Path]:
    """Train one stage, from given translators if there are some.

    Args:
        run: what it trains.
        stage: its name.
        starts: one translator, or CycleGAN's two, for a stage of `STARTING`; a search from trained ones is an
            experiment, and recorded as one.

    Returns:
        As `train_stage`.

    Raises:
        InputError, Diverged, Stopped: as `train_stage`; another number of files than translators.
    """
    facts = {"started_from_trained": True} if starts and stage == "search" else None
    return train_stage(run, stage, _start(run, starts or ()), facts)


def train_dense(run: TranslationRun) -> list[Path]:
    """Train translators at full widths.

    Args:
        run: what it trains.

    Returns:
        As `train_stage`; the records have `psnr_db` (with pairs), `training_minutes`, `validation_curve`.

    Raises:
        InputError, Diverged, Stopped: as `train_stage`.
    """
    return train_stage(run, "dense")


def train_uniform(run: TranslationRun, ratio: float) -> list[Path]:
    """Train translators from scratch of which every width is the same share of the full one.

    Args:
        run: what it trains.
        ratio: the share of the MACs that may be left.

    Returns:
        As `train_stage`; the records have `ratio_asked`, `ratio_reached` and `widths` too.

    Raises:
        InputError, Diverged, Stopped: as `train_stage`.
    """
    return train_stage(run.at(ratio), "uniform")


def train_pruned(run: TranslationRun, ratio: float, starts: Sequence[Path] = ()) -> list[Path]:
    """Train translators that are pruned to a ratio on the way: stages search and pruned, one course.

    Args:
        run: what it trains.
        ratio: the share of the MACs that may be left.
        starts: trained translators of full widths to start the search from, which is no part of CoroNetGAN; none for
            untrained ones.

    Returns:
        As `train_stage`, of stage pruned; the records have `ratio_asked`, `ratio_reached`, `landed_at` (steps),
        `ratio_curve`, `bake_max_abs_diff`, `widths` and `search_minutes` too.

    Raises:
        InputError, Diverged, Stopped: as `train_stage`.
    """
    run = run.at(ratio)
    train_started(run, "search", starts)
    return train_stage(run, "pruned")


def train_magnitude(run: TranslationRun, ratio: float, dense: Path | None = None) -> list[Path]:
    """Drop the channels of the smallest filters of the dense translators, and train what is left further.

    Args:
        run: what it trains.
        ratio: the share of the MACs that may be left.
        dense: the folder of stage dense; None for the run's own.

    Returns:
        As `train_uniform`.

    Raises:
        InputError, Diverged, Stopped: as `train_stage`.
    """
    return train_stage(run.at(ratio), "magnitude", StageFiles(read_from=dense))


def train_distilled(run: TranslationRun, ratio: float, dense: Path | None = None) -> list[Path]:
    """Train translators of uniform widths from scratch on what the dense ones make, against their discriminators.

    Args:
        run: what it trains.
        ratio: the share of the MACs that may be left.
        dense: the folder of stage dense; None for the run's own.

    Returns:
        As `train_uniform`.

    Raises:
        InputError, Diverged, Stopped: as `train_stage`.
    """
    return train_stage(run.at(ratio), "distilled", StageFiles(read_from=dense))


def train_supernet(run: TranslationRun, starts: Sequence[Path] = ()) -> list[Path]:
    """Train translators whose slices, the first channels of every latent, are trained too.

    Args:
        run: what it trains.
        starts: what to start from, a translator or a search, whose channels are sorted by their latents; none for
            untrained ones.

    Returns:
        As `train_stage`; the records have `narrowest_psnr_db` too (with pairs).

    Raises:
        InputError, Diverged, Stopped: as `train_stage`.
    """
    return train_started(run, "supernet", starts)


def finetune(
    run: TranslationRun,
    starts: Sequence[Path],
    out: Sequence[Path],
    widths: Mapping[str, int] | None = None,
    discriminators: Sequence[Path] = (),
    facts: Mapping[str, object] | None = None,
) -> list[Path]:
    """Train translators further and write their best validation, the start included.

    Args:
        run: gives recipe, device and pictures.
        starts: one translator, or CycleGAN's two.
        out: the files to write, as many.
        widths: the slice that is cut from weight-shared ones first, latent -> channels; None for the whole.
        discriminators: to start from, as many; none for untrained ones.
        facts: plain data that the checkpoints record besides, such as the pick.

    Returns:
        `out`; the records have `best_step`, `score_before` and `score_after` too.

    Raises:
        InputError, Diverged, Stopped: as `train_stage`.
    """
    model = run.recipe.model
    ends = ends_of(model)
    files = _start(run, starts)
    assert files is not None
    sources = dict(files.sources or {})
    if discriminators:
        sources |= {f"discriminator{end}": path for end, path in zip(ends, discriminators, strict=True)}
    writes = dict(zip(stage_files("finetune", model), out, strict=True))
    chosen = {} if widths is None else {"slice": dict(widths)}
    spec = stages_of(model)["finetune"]
    build = partial(build_finetune, stage=spec.name, widths=widths)
    return run.train(
        replace(spec, build=build), StageFiles(sources=sources, writes=writes), {**chosen, **(facts or {})}
    )


def _start(run: TranslationRun, starts: Sequence[Path]) -> StageFiles | None:
    if not starts:
        return None
    ends = ends_of(run.recipe.model)
    if len(starts) != len(ends):
        raise InputError(
            f"{len(starts)} files to start from: {run.recipe.model} has {len(ends)} translators; give as many"
        )
    return StageFiles(sources={f"{START}{end}": path for end, path in zip(ends, starts, strict=True)})
