"""One training run of any system: how its stages are trained, recorded and resumed in its folder.

A stage leaves its networks in the run's folder, and while it is unfinished a snapshot beside them. Asked for again, a
finished stage is left as it is and an interrupted one goes on; one made with other settings is refused.
"""

import json
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, Self, TypeVar, cast

import torch
from lightning_fabric import Fabric
from torch import Tensor

from mfagan import checkpoint
from mfagan.checkpoint import Checkpoint
from mfagan.devices import describe_device
from mfagan.errors import InputError
from mfagan.files import require_place, require_writable
from mfagan.networks.discriminators import Discriminator
from mfagan.progress import ProgressFactory
from mfagan.training.loop import Loop, LoopConfig, LoopResult
from mfagan.training.recipe import BaseRecipe, StageSettings, add_defaults, as_record
from mfagan.training.snapshot import require_same
from mfagan.training.stage import SavedNetwork, Source, StageSpec, StageWork
from mfagan.training.time_limit import TimeLimit

__all__ = ["RunOptions", "StageFiles", "TrainingRun", "join_terms", "save_network"]

_CIRCUMSTANCES = ("images", "sets", "terms", "torch", "machine", "command", "storage", "compile")
"""Entries of a record that may differ between records of the same training."""

logger = logging.getLogger(__name__)
SettingsT = TypeVar("SettingsT", bound=StageSettings)
RunT = TypeVar("RunT", bound="TrainingRun[Any]")


@dataclass(frozen=True)
class RunOptions:
    """Where and how a run trains: what the command line gives besides the recipe."""

    folder: Path
    """For checkpoints, snapshots and logs."""
    device: str = "auto"
    """As `choose_device` takes it."""
    seed: int = 0
    """Of everything random."""
    restart: bool = False
    """Train again what is in the folder already."""
    max_steps: int | None = None
    """The most steps of a stage, whatever its recipe asks for; None for no limit."""
    command: str = ""
    """What the user typed, for the record."""
    terms: str = ""
    """What the images may be used for, for the record."""
    limit: TimeLimit | None = None
    """When it is over the stage in progress ends with a snapshot; None for no limit."""

    def __post_init__(self) -> None:
        if self.max_steps is not None and self.max_steps < 1:
            raise InputError(f"max_steps is {self.max_steps}: give at least 1, or leave it out")


@dataclass(frozen=True)
class StageFiles:
    """Other files of a stage than those that its spec names in the run's folder."""

    read_from: Path | None = None
    """A folder that holds what the stage reads, under the spec's names; None for the run's own."""
    sources: Mapping[str, Path] | None = None
    """Role -> file, instead of all that the spec reads; the roles in those files may be any."""
    writes: Mapping[str, Path] | None = None
    """Role -> file, instead of all that the spec writes."""


DEFAULT_FILES = StageFiles()


@dataclass(frozen=True)
class TrainingRun(Generic[SettingsT]):
    """A recipe on a device, into a folder; a system's own run adds its data and what settings its stages have."""

    recipe: BaseRecipe
    options: RunOptions
    fabric: Fabric
    bars: ProgressFactory
    """Shows progress."""

    def train(
        self: RunT,
        spec: StageSpec[RunT],
        files: StageFiles = DEFAULT_FILES,
        facts: Mapping[str, object] | None = None,
    ) -> list[Path]:
        """Train one stage, unless it is finished.

        Args:
            spec: the stage's description.
            files: where it reads and writes, if not in the run's folder under the spec's names.
            facts: more plain data for the record; a training with other facts is another training.

        Returns:
            The files it leaves, in the spec's order; every process finds them.

        Raises:
            InputError: a checkpoint that it reads is missing or has another role; a file that it writes cannot be
                written, or is of another training; a snapshot of another training.
            Diverged, Stopped: as `Loop.run`.
        """
        sources = self._read(spec, files)
        writes = dict(files.writes or {role: spec.path(self.options.folder, role) for role in spec.writes})
        for path in writes.values():
            require_place(path, *(source.path for source in sources.values()))
        record = self.describe(spec, [source.path for source in sources.values()], facts)
        inherited = [str(source.checkpoint.record.get("terms", "")) for source in sources.values()]
        if terms := join_terms(*inherited, self.options.terms):
            record["terms"] = terms
        identity = identify(spec, record, self.recipe)
        state = next(iter(writes.values())).with_suffix(".state")
        if self.options.restart:
            self._remove([*writes.values(), state])
        if self._is_finished(spec, writes, identity):
            self._remove([state])
            logger.info("%s is finished already: %s", spec.name, ", ".join(map(str, writes.values())))
            return list(writes.values())
        for phrase in self.recipe.stages[spec.name].describe_unreached():
            steps = self.recipe.stages[spec.name].steps
            logger.warning(
                "recipe %s: stage %s ends at step %d: %s", self.recipe.name, spec.name, steps, phrase
            )
        work = spec.build(self, sources)
        steps = work.steps or self.settings(spec.name).steps
        result = self._loop(spec, work, steps, state, identity)
        if self.fabric.is_global_zero:
            record |= json.loads(json.dumps(work.figures(result)))
            if result.steps < steps:
                record["ended_after_steps"] = result.steps
            results = work.learner.results()[: len(writes)]
            for (role, path), network in zip(writes.items(), results, strict=True):
                save_network(path, network, role, record)  # pyright: ignore[reportArgumentType]
        self._remove([state])
        return list(writes.values())

    def settings(self, stage: str) -> SettingsT:
        """The settings of a stage, no longer than the run's `max_steps`.

        Args:
            stage: its name.

        Returns:
            The recipe's settings with that number of steps.
        """
        found = cast(SettingsT, self.recipe.stages[stage])
        if self.options.max_steps is None:
            return found
        return replace(found, steps=min(found.steps, self.options.max_steps))  # pyright: ignore[reportArgumentType]

    def varied(self, folder: str, **settings: Any) -> Self:
        """The same run with other settings of the recipe, in a folder inside its own.

        Args:
            folder: the name of the new folder.
            settings: fields of the recipe and their new values.

        Returns:
            The changed copy.

        Raises:
            InputError: the folder cannot be written.
        """
        options = replace(self.options, folder=require_writable(self.options.folder / folder))
        return replace(self, recipe=replace(self.recipe, **settings), options=options)

    def describe(
        self, spec: StageSpec[Any], parents: Sequence[Path] = (), facts: Mapping[str, object] | None = None
    ) -> dict[str, object]:
        """What a checkpoint records of how it was trained.

        Args:
            spec: the stage.
            parents: the checkpoints that it starts from.
            facts: more plain data.

        Returns:
            Plain data as JSON gives it back, without tuples.
        """
        settings = self.settings(spec.name)
        recipe = replace(self.recipe, stages={**self.recipe.stages, spec.name: settings})  # pyright: ignore[reportArgumentType]
        fields = as_record(recipe)
        record = {
            "stage": spec.name,
            "steps": settings.steps,
            "compile": fields.pop("compile"),  # how it was computed is no setting of what was trained
            "recipe": fields,
            "seed": self.options.seed,
            **self.describe_data(spec),
            "parents": {path.name: checkpoint.sha256(path) for path in parents},
            "torch": torch.__version__,
            "machine": describe_device(self.fabric.device),
            "command": self.options.command,
            **(facts or {}),
        }
        return json.loads(json.dumps(record))

    def describe_data(self, spec: StageSpec[Any]) -> Mapping[str, object]:
        """What a checkpoint records of the data that a stage is trained on; a system's run overrides this.

        Args:
            spec: the stage.

        Returns:
            Plain data by name.
        """
        return {}

    def _read(self, spec: StageSpec[Any], files: StageFiles) -> dict[str, Source]:
        if files.sources is not None:
            return {role: Source(path, checkpoint.read(path)) for role, path in files.sources.items()}
        folder = files.read_from or self.options.folder
        paths = {role: folder / name for role, name in spec.reads.items()}
        return {role: Source(path, checkpoint.read(path, role=role)) for role, path in paths.items()}

    def _loop(
        self, spec: StageSpec[Any], work: StageWork, steps: int, state: Path, identity: Mapping[str, object]
    ) -> LoopResult:
        settings = self.settings(spec.name)
        config = LoopConfig(
            steps=steps,
            ema_decay=self.recipe.ema_decay,
            checkpoint_every=self.recipe.checkpoint_every,
            validate_every=settings.validate_every,
            log_every=work.log_every,
            keep_best=spec.keep_best,
        )
        loop = Loop(
            work.learner,
            config,
            self.fabric,
            state,
            identity,
            work.validate,
            work.picture,
            state.with_name("logs") / state.stem,
            lambda found: identify(spec, found, self.recipe),
            spec.name,
            work.format_score,
            self.options.limit,
        )
        with self.bars(state.stem) as report:
            result = loop.run(work.batches, report)
        if result.waiting_share > 0.05:
            logger.warning(
                "%s waited %.0f %% of its time for its data: put them on a faster disk",
                spec.name,
                100 * result.waiting_share,
            )
        return result

    def _is_finished(
        self, spec: StageSpec[Any], writes: Mapping[str, Path], identity: Mapping[str, object]
    ) -> bool:
        for role, path in writes.items():
            if not path.is_file():
                return False
            found = identify(spec, checkpoint.read(path, role=role).record, self.recipe)
            require_same(path, {name: found.get(name, "not given") for name in identity}, identity)
        return True

    def _remove(self, paths: Collection[Path]) -> None:
        self.fabric.barrier()  # every process has read what is there
        if self.fabric.is_global_zero:
            for path in paths:
                path.unlink(missing_ok=True)
        self.fabric.barrier()


def join_terms(*terms: str) -> str:
    """Join what several sets of images may be used for.

    Args:
        terms: a text each, or "".

    Returns:
        Each text once, or "" if there is none.
    """
    return "; ".join(dict.fromkeys(one for one in terms if one))


def identify(spec: StageSpec[Any], record: Mapping[str, object], kind: BaseRecipe) -> dict[str, object]:
    """What must agree for two trainings of a stage to be the same: what the stage uses, and nothing else.

    Args:
        spec: the stage.
        record: a checkpoint's record, or what this function made of one.
        kind: any recipe of the system, for the defaults of settings that a record of an earlier version lacks.

    Returns:
        Of the record's recipe the common settings and the stage's own, without what `spec.unused` names.
    """
    identity = {name: value for name, value in record.items() if name not in _CIRCUMSTANCES}
    recipe = identity.get("recipe")
    if isinstance(recipe, Mapping):
        stages = recipe.get("stages")
        own = stages.get(spec.name, stages) if isinstance(stages, Mapping) else None
        recipe = add_defaults(type(kind), recipe)
        if isinstance(own, Mapping):
            own = add_defaults(type(kind.stages[spec.name]), own)
            unused = set(spec.unused(own)) | ({"halve_at"} if own.get("cosine") else set())
            own = {name: value for name, value in own.items() if name not in unused}
            recipe = {name: value for name, value in recipe.items() if name not in unused}
            identity = {name: value for name, value in identity.items() if name not in unused}
        identity["recipe"] = {**recipe, "stages": own}
    return identity


def save_network(path: Path, network: SavedNetwork, role: str, record: Mapping[str, object]) -> None:
    """Write a network's checkpoint; discriminators, which nobody deploys, in half precision.

    Args:
        path: the file.
        network: what is written.
        role: what it is in its system, such as "teacher".
        record: how it was made, plain data.

    Raises:
        InputError: the file cannot be written.
    """
    state: Mapping[str, Tensor] = network.state_dict()
    if isinstance(network, Discriminator):
        state = {
            name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in state.items()
        }
    checkpoint.save(path, Checkpoint(network.KIND, role, network.config(), state, record))
