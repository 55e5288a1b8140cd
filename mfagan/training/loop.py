"""The training loop of every stage: resumable, watched, averaged and logged, on one device or several.

What is trained, and how one step goes, is a `Learner`'s business; nothing here knows images. Steps are counted
from 0 and a learner's step depends on nothing but its number, its batch and the state it was left in, so a
training resumed from a snapshot repeats the uninterrupted one bit for bit.
"""

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim.swa_utils import PARAM_LIST, AveragedModel, get_ema_multi_avg_fn

from mfagan.errors import InputError
from mfagan.files import write_atomic
from mfagan.progress import ProgressCallback
from mfagan.training.snapshot import Snapshot, Stateful, read_snapshot
from mfagan.training.tensorboard import TrainingLog

EXPLODED = 20
"""A watched loss this many times over the lowest it has settled at stops the training."""
_SETTLING_STEPS = 50


class Diverged(InputError):
    """A loss is not a number, infinite, or has exploded."""


class Learner(ABC):
    """What a loop trains."""

    network: nn.Module
    """Its weights are averaged; the average is what is validated and kept."""
    watched: str
    """The loss term that must not explode."""

    @abstractmethod
    def parts(self) -> Mapping[str, Stateful]:
        """Everything that changes from step to step: modules and optimizers by name."""

    @abstractmethod
    def step(self, number: int, *batch: Tensor) -> dict[str, Tensor]:
        """Train on one batch; returns the figures to log, scalars without gradient."""


class Batches(Protocol):
    """Batches in order, fetched ahead."""

    waited_s: float
    """Seconds that the loop has waited for them."""

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]: ...


@dataclass(frozen=True)
class LoopConfig:
    """How a loop runs.

    steps: in all, at least 1. ema_decay: of the averaged weights; 0 keeps the last ones. keep_best: keep the best
    validation, the start included, instead of the end. Every other field is a number of steps, 0 for never; the
    end is always validated.
    """

    steps: int
    ema_decay: float = 0.0
    checkpoint_every: int = 0
    validate_every: int = 0
    log_every: int = 50
    keep_best: bool = False


@dataclass(frozen=True)
class LoopResult:
    """A finished loop: the score of what it started from and of what it keeps, and the step that came from.

    curve: steps and scores of the validations on the way.
    """

    kept_step: int
    score_before: float | None
    score_after: float
    curve: list[tuple[int, float]]
    waiting_share: float


@dataclass(frozen=True)
class Loop:
    """One training of a learner; `state` is the file of its snapshots, `identity` tells it from other trainings.

    validate: the score of a network, higher is better. picture: a sample of its work for the log, (3, H, W).
    """

    learner: Learner
    config: LoopConfig
    fabric: Fabric
    state: Path
    identity: Mapping[str, object]
    validate: Callable[[nn.Module], float]
    picture: Callable[[nn.Module], Tensor] | None = None
    log_folder: Path | None = None

    def run(
        self,
        batches: Callable[[int, int], AbstractContextManager[Batches]],
        report: ProgressCallback,
    ) -> LoopResult:
        """All steps, or those that an interrupted run left; the learner's network then has the kept weights.

        batches: called with the first step and the number of steps, gives the batches between.
        InputError: a snapshot of another training. Diverged: see there.
        """
        learner, config = self.learner, self.config
        average = AveragedModel(learner.network, multi_avg_fn=_ema(config.ema_decay))
        average.n_averaged.fill_(1)  # the average starts from the first weights
        progress = _Progress()
        parts = {**learner.parts(), "average": average, "progress": progress}
        snapshot = read_snapshot(self.state, self.identity)
        if snapshot is not None:
            snapshot.restore(parts)
        elif config.keep_best:
            progress.before = self._score(average.module)
            progress.keep(0, progress.before, average.module)
        start = 0 if snapshot is None else snapshot.step
        keeper = _Keeper(self, parts, None if snapshot is None else start)
        began, waited = time.perf_counter(), 0.0
        with self._open_log(start) as log, batches(start, config.steps) as stream, keeper:
            for number, batch in enumerate(stream, start):
                figures = self._reduce(learner.step(number, *batch))
                self._watch(number, figures, progress, keeper.written)
                keeper.write()
                average.update_parameters(learner.network)
                done = number + 1
                report(done, config.steps, f"{learner.watched} {figures[learner.watched]:.4f}")
                if log is not None and _due(done, config.log_every):
                    log.scalars(done, figures | _speed(done - start, time.perf_counter() - began))
                if done == config.steps or _due(done, config.validate_every):
                    score = self._score(average.module)
                    progress.curve.append((done, score))
                    if config.keep_best and score > progress.best:
                        progress.keep(done, score, average.module)
                    if log is not None:
                        log.scalars(done, {"validation": score})
                        if self.picture is not None:
                            log.picture(done, "samples", self.picture(average.module.eval()))
                if _due(done, config.checkpoint_every) and done < config.steps:
                    keeper.take(done)
            waited = stream.waited_s
        learner.network.load_state_dict(progress.weights if config.keep_best else average.module.state_dict())
        learner.network.eval()
        elapsed = max(time.perf_counter() - began, 1e-9)
        if config.keep_best:
            return LoopResult(
                progress.kept_step, progress.before, progress.best, progress.curve, waited / elapsed
            )
        return LoopResult(config.steps, None, progress.curve[-1][1], progress.curve, waited / elapsed)

    def _score(self, network: nn.Module) -> float:
        training = network.training
        score = self.validate(network.eval())
        network.train(training)
        return score

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
            "lower the learning rate, or clip gradients with clip_norm, and train that stage anew with --restart"
        )


class _Keeper:
    """Takes a loop's snapshots and writes each when the next step has shown that its weights are good.

    Leaving the loop writes the one that still waits for this, unless the training diverged.
    """

    def __init__(self, loop: Loop, parts: Mapping[str, Stateful], written: int | None) -> None:
        """`written` is the step of the snapshot that stands in the loop's file, None where there is none."""
        self.written = written
        self._loop = loop
        self._parts = parts
        self._waiting: tuple[int, bytes] | None = None

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if not isinstance(error, Diverged):
            self.write()

    def take(self, step: int) -> None:
        content = b""
        if self._loop.fabric.is_global_zero:
            states = {name: part.state_dict() for name, part in self._parts.items()}
            content = Snapshot(step, self._loop.identity, states).encode()
        self._waiting = (step, content)

    def write(self) -> None:
        if self._waiting is None:
            return
        (step, content), self._waiting = self._waiting, None
        if self._loop.fabric.is_global_zero:
            write_atomic(self._loop.state, content)
        self.written = step


class _Progress:
    """What a loop itself must remember: how the watched loss went and, where asked for, the best weights."""

    def __init__(self) -> None:
        self.mean = 0.0
        self.lowest = math.inf
        self.before = -math.inf
        self.best = -math.inf
        self.kept_step = 0
        self.curve: list[tuple[int, float]] = []
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


def _due(done: int, every: int) -> bool:
    return every > 0 and done % every == 0


def _speed(steps: int, seconds: float) -> dict[str, float]:
    return {"steps_per_s": steps / max(seconds, 1e-9)}
