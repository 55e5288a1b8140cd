"""A training stage, described once: its name, what it reads, what it writes, how it builds what it trains.

The recipe's tables, the command, the files and the checkpoints' records all follow the description.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Generic, Protocol, TypeVar

from torch import Tensor, nn

from mfagan.checkpoint import Checkpoint
from mfagan.errors import InputError
from mfagan.training.learner import Batches, Learner
from mfagan.training.loop import LoopResult, Validation, format_score

__all__ = ["SavedNetwork", "Source", "StageSpec", "StageWork", "choose_stages", "score_figures"]

RunT = TypeVar("RunT")


class SavedNetwork(Protocol):
    """A network that a checkpoint can describe."""

    KIND: ClassVar[str]
    """What checkpoints call it."""

    def config(self) -> dict[str, object]:
        """The arguments that rebuild it."""
        ...

    def state_dict(self) -> dict[str, Tensor]:
        """Its weights by name."""
        ...


@dataclass(frozen=True)
class Source:
    """A checkpoint that a stage starts from."""

    path: Path
    """Its file, which errors name."""
    checkpoint: Checkpoint


def score_figures(result: LoopResult) -> dict[str, object]:
    """What a checkpoint records of a training whose score has no name of its own.

    Args:
        result: of the loop.

    Returns:
        Plain data by name.
    """
    return {"score": result.score_after, "curve": result.curve, "kept_step": result.kept_step}


@dataclass(frozen=True)
class StageWork:
    """What one training of a stage consists of, made by `StageSpec.build`."""

    learner: Learner
    batches: Callable[[int, int], AbstractContextManager[Batches]]
    """Called with the first step and the number of steps in all, gives the batches between."""
    validate: Callable[[nn.Module], float | Validation]
    """The score of a network, higher is better, alone or with other figures."""
    picture: Callable[[nn.Module], Tensor] | None = None
    """A sample of a network's work for the log, (3, H, W), RGB in [0, 1]."""
    figures: Callable[[LoopResult], Mapping[str, object]] = score_figures
    """What the checkpoints record of the finished training; called once, by the first process."""
    format_score: Callable[[float], str] = format_score
    """Writes a score with its unit, for the progress and the log."""
    log_every: int = 50
    """Steps between the figures in the log."""
    steps: int | None = None
    """The most steps of the loop; None for as many as the settings say. What it lacks, another stage has made."""


@dataclass(frozen=True)
class StageSpec(Generic[RunT]):
    """One stage of a system's training."""

    name: str
    """What the recipe calls its settings and the checkpoints record."""
    writes: Mapping[str, str]
    """Role of a network -> its file's name, in the order of `Learner.results`. The first names the snapshot too."""
    build: Callable[[RunT, Mapping[str, Source]], StageWork]
    """Called with the run and the checkpoints of `reads` by role."""
    reads: Mapping[str, str] = field(default_factory=dict)
    """Role of a checkpoint that it starts from -> its file's name."""
    keep_best: bool = False
    """Keep the weights of the best validation, the start included, instead of the last ones."""
    unused: Callable[[Mapping[str, object]], Collection[str]] = lambda settings: ()
    """Called with the stage's settings as plain data; names what of the record, the recipe and those settings has no
    effect on this stage, so that trainings that differ in it alone are the same."""

    def path(self, folder: Path, role: str | None = None) -> Path:
        """Where the stage writes a network.

        Args:
            folder: the run's.
            role: the network's, None for the first.

        Returns:
            The file.
        """
        return folder / (next(iter(self.writes.values())) if role is None else self.writes[role])


def choose_stages(
    pipeline: Sequence[StageSpec[RunT]], names: Sequence[str] | None
) -> Sequence[StageSpec[RunT]]:
    """Find stages of a training by their names.

    Args:
        pipeline: the stages that there are, in order.
        names: those asked for; None or nothing asks for all.

    Returns:
        Their descriptions, in the pipeline's order.

    Raises:
        InputError: a name that is no such stage.
    """
    known = [spec.name for spec in pipeline]
    for name in names or ():
        if name not in known:
            raise InputError(f"stage {name!r}: choose from {', '.join(known)}")
    return [spec for spec in pipeline if not names or spec.name in names]
