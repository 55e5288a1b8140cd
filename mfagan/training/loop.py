"""The training loop of every stage: resumable, watched, averaged and logged, on one device or several.

What is trained, and how one step goes, is up to a `Learner`; nothing here knows images. Steps are counted from 0.
"""

import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim.swa_utils import PARAM_LIST, AveragedModel, get_ema_multi_avg_fn

from mfagan.errors import InputError
from mfagan.progress import ProgressCallback
from mfagan.training.learner import Batches, Learner
from mfagan.training.snapshot import SnapshotKeeper, Stateful, read_snapshot
from mfagan.training.tensorboard import TrainingLog
from mfagan.training.time_limit import Stopped, TimeLimit

__all__ = ["Diverged", "Loop", "LoopConfig", "LoopResult", "Validation", "format_score"]

logger = logging.getLogger(__name__)

EXPLODED = 20
"""A watched loss this many times over the lowest it has settled at stops the training."""
_SETTLING_STEPS = 50


class Diverged(InputError):
    """A loss is not a number, infinite, or has exploded."""


def format_score(score: float) -> str:
    """Write a score that has no unit.

    Args:
        score: of a validation.

    Returns:
        The number with four digits.
    """
    return f"{score:.4g}"


@dataclass(frozen=True)
class LoopConfig:
    """How a loop runs. Fields named `..._every` are numbers of steps, 0 for never."""

    steps: int
    """The most that it makes in all, at least 1; the learner may end it earlier."""
    ema_decay: float = 0.0
    """Of the averaged weights; 0 keeps the last ones."""
    checkpoint_every: int = 0
    """Steps between snapshots."""
    validate_every: int = 0
    """Steps between validations; the end is always validated."""
    log_every: int = 50
    """Steps between the figures in the log."""
    keep_best: bool = False
    """Keep the weights of the best validation, the start included, instead of the last ones."""


@dataclass(frozen=True)
class Validation:
    """What a validation found."""

    score: float
    """Higher is better; minus infinity for weights that must not be kept."""
    figures: Mapping[str, float] = field(default_factory=dict)
    """What else was measured, by name, to be logged and recorded."""


@dataclass(frozen=True)
class LoopResult:
    """A finished loop."""

    steps: int
    """Steps made in all, fewer than configured if the learner ended the loop."""
    kept_step: int
    """The number of steps after which the kept weights were reached; 0 is the start."""
    score_before: float | None
    """The start's, if it was validated, which `keep_best` does."""
    score_after: float
    """That of the kept weights."""
    curve: list[tuple[int, float]]
    """Steps and scores of the validations on the way."""
    waiting_share: float
    """The share of the time, 0 to 1, in which the loop waited for batches."""
    figures: Mapping[int, Mapping[str, float]] = field(default_factory=dict)
    """Steps -> the other figures of their validations, the start's included."""
    seconds: float = field(default=0.0, compare=False)
    """Wall time of the loop, validations included, and that of the runs that it resumed, up to their snapshots."""


@dataclass(frozen=True)
class Loop:
    """One training of a learner."""

    learner: Learner
    config: LoopConfig
    fabric: Fabric
    state: Path
    """The file of its snapshots."""
    identity: Mapping[str, object]
    """Plain data by which it differs from other trainings."""
    validate: Callable[[nn.Module], float | Validation]
    """The score of a network, higher is better, alone or with other figures."""
    picture: Callable[[nn.Module], Tensor] | None = None
    """A sample of a network's work for the log, (3, H, W), RGB in [0, 1]."""
    log_folder: Path | None = None
    """For TensorBoard; None writes no log."""
    reduce: Callable[[Mapping[str, object]], Mapping[str, object]] = dict
    """As `read_snapshot` takes it."""
    name: str = "training"
    """What the log and the time limit's message call it."""
    format_score: Callable[[float], str] = format_score
    """Writes a score with its unit, for the progress and the log."""
    limit: TimeLimit | None = None
    """When it is over the loop ends with a snapshot; None for no limit."""

    def run(
        self,
        batches: Callable[[int, int], AbstractContextManager[Batches]],
        report: ProgressCallback,
    ) -> LoopResult:
        """Run the remaining steps; the learner's network then has the weights that are kept.

        Args:
            batches: called with the first step and the number of steps in all, gives the batches between.
            report: called after every step.

        Returns:
            What was trained.

        Raises:
            InputError: a snapshot of another training.
            Diverged: a figure is not finite, or the watched loss has exploded.
            Stopped: the time limit is over. At least one more step has been made than the last snapshot had, and
                the snapshot that is left holds it.
        """
        learner, config = self.learner, self.config
        average: AveragedModel | None = None
        progress = _Progress()
        parts = {**learner.parts(), "progress": progress}
        if config.ema_decay > 0:  # else a copy would take memory and be the network
            average = AveragedModel(learner.network, multi_avg_fn=_ema(config.ema_decay))
            average.n_averaged.fill_(1)  # the average starts from the first weights
            parts["average"] = average
        averaged = learner.network if average is None else average.module
        kept = self._resume(parts)
        start = kept or 0
        if kept is None and config.keep_best:
            progress.before = self._score(0, averaged, progress)
            progress.keep(0, progress.before, averaged)
        keeper = SnapshotKeeper(
            self.state,
            self.identity,
            parts,
            kept,
            self.fabric.is_global_zero,
            discard=Diverged,
        )
        began, waited, done, stopping = time.perf_counter(), 0.0, start, False
        before = progress.seconds
        with self._open_log(start) as log, batches(start, config.steps) as stream, keeper:
            for number, batch in enumerate(stream, start):
                figures = self._reduce(learner.step(number, *batch))
                self._watch(number, figures, progress, keeper.kept)
                keeper.keep()
                if stopping:  # this step has shown that the snapshot is good, and is made again later
                    raise Stopped(self.name, done, config.steps)
                if average is not None:
                    average.update_parameters(learner.network)
                done = number + 1
                last = done == config.steps or learner.done()
                report(done, config.steps, self._note(figures, progress))
                if log is not None and _due(done, config.log_every):
                    log.scalars(done, figures | _speed(done - start, time.perf_counter() - began))
                if last or _due(done, config.validate_every):
                    score = self._score(done, averaged, progress)
                    progress.curve.append((done, score))
                    logger.info("%s: step %d, validation %s", self.name, done, self.format_score(score))
                    if config.keep_best and score > progress.best:
                        progress.keep(done, score, averaged)
                    if log is not None:
                        more = progress.figures.get(done, {})
                        # A score that is put together from other figures means less than they do.
                        seen = {f"validation_{name}": value for name, value in more.items()}
                        log.scalars(done, seen or {"validation": score})
                        if self.picture is not None:
                            with _evaluating(averaged):
                                log.picture(done, "samples", self.picture(averaged))
                if last:
                    break
                stopping = self._is_time_over()
                if stopping or _due(done, config.checkpoint_every):
                    progress.seconds = before + time.perf_counter() - began
                    keeper.take(done)
            waited = stream.waited_s
        learner.network.load_state_dict(progress.weights if config.keep_best else averaged.state_dict())
        learner.network.eval()
        elapsed = max(time.perf_counter() - began, 1e-9)
        if config.keep_best:
            outcome = (progress.kept_step, progress.before, progress.best)
        else:
            outcome = (done, None, progress.curve[-1][1])
        return LoopResult(
            done, *outcome, progress.curve, waited / elapsed, progress.figures, before + elapsed
        )

    def _resume(self, parts: Mapping[str, Stateful]) -> int | None:
        """Give the parts the states of the snapshot, which does not stay in memory: its step, None if there is none."""
        snapshot = read_snapshot(self.state, self.identity, self.reduce)
        if snapshot is None:
            return None
        snapshot.restore(parts)
        return snapshot.step

    def _note(self, figures: Mapping[str, float], progress: "_Progress") -> str:
        names = (self.learner.watched, *self.learner.shown)
        note = ", ".join(f"{name} {figures[name]:.4f}" for name in names)
        if not progress.curve:
            return note
        return f"{note}, validation {self.format_score(progress.curve[-1][1])}"

    def _is_time_over(self) -> bool:
        """What the first process finds, for all."""
        return self.limit is not None and self.fabric.broadcast(self.limit.is_over())

    def _score(self, step: int, network: nn.Module, progress: "_Progress") -> float:
        with _evaluating(network):
            found = self.validate(network)
        if not isinstance(found, Validation):
            return found
        progress.figures[step] = dict(found.figures)
        return found.score

    def _open_log(self, start: int) -> AbstractContextManager[TrainingLog | None]:
        if self.log_folder is None or not self.fabric.is_global_zero:
            return nullcontext()
        return TrainingLog(self.log_folder, start)

    def _reduce(self, figures: Mapping[str, Tensor]) -> dict[str, float]:
        """The mean over all processes, in one transfer from the device."""
        stacked = torch.stack([figure.detach().float() for figure in figures.values()])
        means = self.fabric.all_reduce(stacked, reduce_op="mean")
        assert isinstance(means, Tensor)
        return dict(zip(figures, means.tolist(), strict=True))

    def _watch(
        self, number: int, figures: Mapping[str, float], progress: "_Progress", written: int | None
    ) -> None:
        watched = figures[self.learner.watched]
        finite = all(math.isfinite(value) for value in figures.values())
        if finite and not progress.exploded(number, watched):
            return
        terms = ", ".join(f"{name} {value:.4g}" for name, value in figures.items())
        last = (
            f"the last good checkpoint is {self.state} at step {written}"
            if written is not None and written < number  # else this step has shown that it is not good
            else "no good checkpoint has been written"
        )
        raise Diverged(
            f"training diverged at step {number} ({'exploding' if finite else 'not finite'}: {terms}); {last}; "
            "lower the learning rate, or clip gradients with clip_norm, and train that stage again with --restart"
        )


class _Progress:
    """What a loop itself must remember: how the watched loss went and, with `keep_best`, the best weights."""

    def __init__(self) -> None:
        self.mean = 0.0
        self.lowest = math.inf
        self.before = -math.inf
        self.best = -math.inf
        self.kept_step = 0
        self.seconds = 0.0
        self.curve: list[tuple[int, float]] = []
        self.figures: dict[int, dict[str, float]] = {}
        self.weights: dict[str, Tensor] = {}

    def exploded(self, number: int, loss: float) -> bool:
        self.mean = loss if number == 0 else self.mean + 0.1 * (loss - self.mean)
        if number < _SETTLING_STEPS:
            return False
        self.lowest = min(self.lowest, self.mean)
        return loss > EXPLODED * self.lowest

    def keep(self, step: int, score: float, network: nn.Module) -> None:
        self.kept_step, self.best = step, score
        self.weights = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}

    def state_dict(self) -> dict:
        return dict(vars(self))

    def load_state_dict(self, state_dict: dict, /) -> None:
        vars(self).update(state_dict)


def _ema(decay: float) -> Callable[[PARAM_LIST, PARAM_LIST, Tensor | int], None]:
    """Exponential moving average that forgets the first weights faster than its decay alone would."""

    def update(averaged: PARAM_LIST, current: PARAM_LIST, n_averaged: Tensor | int) -> None:
        n = int(n_averaged)
        get_ema_multi_avg_fn(min(decay, n / (9 + n)))(averaged, current, n_averaged)

    return update


@contextmanager
def _evaluating(network: nn.Module) -> Iterator[None]:
    """In this context a network is in evaluation mode; its modules have their own modes again after it."""
    modes = [(one, one.training) for one in network.modules()]
    network.eval()
    try:
        yield
    finally:
        for one, training in modes:
            one.training = training


def _due(done: int, every: int) -> bool:
    return every > 0 and done % every == 0


def _speed(steps: int, seconds: float) -> dict[str, float]:
    return {"steps_per_s": steps / max(seconds, 1e-9)}
