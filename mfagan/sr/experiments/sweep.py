"""A short sweep over learning rates, batches and crops, to choose those of a long training on the validation set."""

import itertools
import json
import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from mfagan import checkpoint
from mfagan.devices import describe_device
from mfagan.errors import InputError
from mfagan.evaluation.experiments.reports import ExperimentReport
from mfagan.evaluation.text_table import Cell, Column
from mfagan.files import require_writable, write_atomic
from mfagan.sr.training.recipe import LossWeights, Recipe
from mfagan.sr.training.run import SRRun
from mfagan.sr.training.stages import TEACHER
from mfagan.training.loop import Diverged

__all__ = ["Length", "Trial", "every_trial", "sweep", "swept_recipe"]

logger = logging.getLogger(__name__)
_TIMED_STEPS = 50
_TIMED_S = 5.0
_LENGTH = "length.json"


@dataclass(frozen=True)
class Trial:
    """The settings of one short training."""

    learning_rate: float
    """Positive; the rate after warm-up, before the cosine."""
    batch: int
    """Crops a step."""
    crop_px: int
    """Side of a crop in LR pixels."""

    def __post_init__(self) -> None:
        if not 0 < self.learning_rate < float("inf"):
            raise InputError(f"--learning-rate {self.learning_rate:g}: give a positive number, such as 1e-3")

    @property
    def name(self) -> str:
        """Of its folder."""
        return f"rate_{self.learning_rate:g}_batch_{self.batch}_crop_{self.crop_px}"


@dataclass(frozen=True)
class Length:
    """How long every training is: a number of steps, or as many as fit in a time."""

    steps: int | None = None
    """At least 1, or None if `minutes` is given."""
    minutes: float | None = None
    """Wall time of the steps, at the speed that is measured before the first one; None if `steps` is given."""

    def __post_init__(self) -> None:
        if (self.steps is None) == (self.minutes is None):
            raise InputError("give one of --steps and --minutes, the length of every training")
        if self.minutes is not None and not 0 < self.minutes < float("inf"):
            raise InputError(f"--minutes {self.minutes:g}: give a positive number of minutes")


def every_trial(
    learning_rates: Sequence[float], batches: Sequence[int], crops_px: Sequence[int]
) -> list[Trial]:
    """All combinations of some settings.

    Args:
        learning_rates: positive rates.
        batches: numbers of crops a step, at least 1.
        crops_px: sides of crops in LR pixels, at least 16.

    Returns:
        The trials without repetition, the crops changing fastest.

    Raises:
        InputError: a learning rate that is not positive and finite.
    """
    found = (Trial(*one) for one in itertools.product(learning_rates, batches, crops_px))
    return list(dict.fromkeys(found))


def swept_recipe(recipe: Recipe, trials: Sequence[Trial], width: int) -> Recipe:
    """The recipe that a sweep's run is prepared with: stage 1a at a width of the sweep, on L1 alone.

    Args:
        recipe: gives everything that is not swept.
        trials: the largest of their crops chooses the training images, so that all trainings have the same ones.
        width: of every layer of the network, at least 1.

    Returns:
        The changed recipe.
    """
    changed = recipe.with_stage("teacher", weights=LossWeights(), validate_every=0, halve_at=(), cosine=True)
    return replace(changed, teacher_width=width, crop_px=max(one.crop_px for one in trials))


def sweep(run: SRRun, trials: Sequence[Trial], length: Length) -> Iterator[ExperimentReport]:
    """Train a network with each of some settings for equally long and compare the scores of their validation.

    Every trial is an ordinary training in a folder of its own, so an interrupted sweep goes on where it stopped.

    Args:
        run: its recipe is of `swept_recipe`.
        trials: the settings.
        length: of every training.

    Yields:
        The table of what has been trained so far, after each training.

    Raises:
        InputError: as `TrainingRun.train`; a trial's folder was timed for another number of minutes.
    """
    rows: list[list[Cell]] = []
    for trial in trials:
        variant = _prepare(run, trial, 1)
        steps = _count_steps(variant, length)
        variant = _prepare(run, trial, steps)
        psnr_db: float | None = None
        try:
            (path,) = variant.train(TEACHER)
            psnr_db = float(str(checkpoint.read(path).record["validation_psnr_db"]))
        except Diverged as error:
            logger.warning("%s: %s", trial.name, error)
        seen = steps * trial.batch * trial.crop_px**2 / 1e6
        rows.append([trial.learning_rate, trial.batch, trial.crop_px, steps, seen, psnr_db])
        rows.sort(key=lambda row: float("inf") if row[-1] is None else -float(row[-1]))
        yield _tabulate(run, rows, length)


def _prepare(run: SRRun, trial: Trial, steps: int) -> SRRun:
    stage = run.recipe.stages["teacher"]
    warm_up = min(stage.warm_up, steps // 10)
    stages = run.recipe.with_stage(
        "teacher", steps=steps, learning_rate=trial.learning_rate, warm_up=warm_up
    ).stages
    return run.varied(trial.name, batch=trial.batch, crop_px=trial.crop_px, stages=stages)


def _count_steps(run: SRRun, length: Length) -> int:
    """The steps of a trial: those that are asked for, or as many as fit in the minutes, measured once."""
    if length.steps is not None:
        return length.steps
    assert length.minutes is not None
    path = require_writable(run.options.folder) / _LENGTH
    known = _read_length(path)
    if known is None:
        seconds = run.fabric.broadcast(_time_step(run, 60 * length.minutes))
        known = {"minutes": length.minutes, "steps": max(1, round(60 * length.minutes / seconds))}
        if run.fabric.is_global_zero:
            write_atomic(path, json.dumps(known) + "\n")
    if known["minutes"] != length.minutes:
        raise InputError(
            f"{path}: the training was timed for {known['minutes']:g} minutes, now --minutes {length.minutes:g}: "
            "give another --out"
        )
    return int(known["steps"])


def _read_length(path: Path) -> dict[str, float] | None:
    if not path.exists():
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {name: float(found[name]) for name in ("minutes", "steps")}
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: not what a sweep wrote ({error}); remove it") from None


def _time_step(run: SRRun, budget_s: float) -> float:
    """Seconds of a step, from some that are made and thrown away, as many in every process."""
    work = TEACHER.build(run, {})
    learner = work.learner
    with work.batches(0, _TIMED_STEPS + 2) as stream:
        batches = enumerate(stream)

        def seconds_of_steps(n: int) -> float:
            began = time.perf_counter()
            for number, batch in itertools.islice(batches, n):
                learner.step(number, *batch)[learner.watched].item()  # waits for the device
            return time.perf_counter() - began

        seconds_of_steps(1)  # which may compile
        wanted = min(_TIMED_S, budget_s) / seconds_of_steps(1)
        n = run.fabric.broadcast(min(max(1, round(wanted)), _TIMED_STEPS))
        return seconds_of_steps(n) / n


def _tabulate(run: SRRun, rows: Sequence[Sequence[Cell]], length: Length) -> ExperimentReport:
    recipe, stage = run.recipe, run.recipe.stages["teacher"]
    each = f"{length.steps} steps each."
    if length.minutes is not None:
        each = (
            f"As many steps each as take {length.minutes:g} minutes at the speed measured before the first; compiling "
            "and validation are not counted."
        )
    warm_up = f"a warm-up of {stage.warm_up} steps, at most a tenth" if stage.warm_up else "no warm-up"
    threads = torch.get_num_threads()
    notes = [
        f"MFANet of width {recipe.teacher_width} everywhere from scratch, on L1 alone. {each}",
        f"Recipe {recipe.name}, with {warm_up}, and a cosine to 0.",
        f"{len(run.training)} training images, {len(run.validation)} validation images; training images smaller than "
        "the largest crop are left out of all.",
        f"Machine: {describe_device(run.fabric.device)}, {threads} threads, PyTorch {torch.__version__}.",
    ]
    if any(row[-1] is None for row in rows):
        notes.append("A training without a score has diverged.")
    columns = [
        Column("learning rate", form="g"),
        Column("batch", form="d"),
        Column("crop", "LR px", "d"),
        Column("steps", form="d"),
        Column("seen", "million LR px", ".2f"),
        Column("validation PSNR-Y", "dB", ".3f"),
    ]
    return ExperimentReport(
        "sweep", "Learning rates, batches and crops on the validation set", columns, list(rows), notes
    )
