"""What the training recipes of all systems have in common, and how their TOML files are read.

A system extends `StageSettings` and `BaseRecipe` by its own settings, and describes its stages by `StageSpec`
(mfagan/training/stage.py), whose names are those of the recipe's tables `[stages.NAME]`.
"""

import json
import math
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import MISSING, asdict, fields, is_dataclass, replace
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from mfagan.errors import InputError, describe_fault

__all__ = [
    "STRICT",
    "BaseRecipe",
    "FallingStage",
    "StageSettings",
    "TrainingPrecision",
    "add_defaults",
    "as_record",
    "parse_recipe",
    "read_recipe",
]

TrainingPrecision = Literal["fp32", "bf16", "auto"]
"""Arithmetic of the networks in training: bf16 is autocast with fp32 weights; auto takes bf16 where the device
computes it natively."""

STRICT = ConfigDict(extra="forbid")
"""A setting that is not known is refused, not ignored."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class StageSettings:
    """What the stages of all systems have in common: length, learning rate, validation."""

    steps: Annotated[int, Field(ge=1)]
    """Optimizer steps."""
    learning_rate: Annotated[float, Field(gt=0)]
    """The optimizer's learning rate at the first step."""
    halve_at: tuple[Annotated[int, Field(ge=0)], ...] = ()
    """Steps at which the learning rate is halved."""
    cosine: bool = False
    """Let the learning rate fall to zero along a half cosine; excludes `halve_at`."""
    warm_up: Annotated[int, Field(ge=0)] = 0
    """Steps over which the learning rate rises linearly to its value."""
    validate_every: Annotated[int, Field(ge=0)] = 0
    """Steps between validations; 0 validates at the end alone."""

    def __post_init__(self) -> None:
        if self.cosine and self.halve_at:
            raise ValueError("cosine and halve_at exclude each other: remove one of them")

    def learning_rate_at(self, step: int) -> float:
        """The learning rate of one step.

        Args:
            step: its number, from 0.

        Returns:
            The rate after warm-up, halvings or cosine.
        """
        rise = min(1.0, (step + 1) / self.warm_up) if self.warm_up else 1.0
        if self.cosine:
            return rise * self.learning_rate * 0.5 * (1 + math.cos(math.pi * step / self.steps))
        return rise * self.learning_rate * 0.5 ** sum(step >= halved for halved in self.halve_at)

    def describe_unreached(self) -> list[str]:
        """The settings that lie beyond the stage's last step and so have no or little effect, a phrase each."""
        late = [step for step in self.halve_at if step >= self.steps]
        found = [f"halve_at {', '.join(map(str, late))} is never reached"] if late else []
        if self.warm_up > self.steps:
            found.append(
                f"warm_up {self.warm_up} is not finished, so the learning rate stays below {self.learning_rate:g}"
            )
        return found


@dataclass(frozen=True, kw_only=True, config=STRICT)
class FallingStage(StageSettings):
    """Settings of a stage whose learning rate may fall at the end."""

    fall_over: Annotated[float, Field(ge=0, le=1)] = 0.0
    """The share of the steps, the last ones, over which the learning rate falls linearly to zero; excludes `cosine` and
    `halve_at`."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.fall_over and (self.cosine or self.halve_at):
            raise ValueError("fall_over excludes cosine and halve_at: remove it or them")

    def learning_rate_at(self, step: int) -> float:
        """The learning rate of one step.

        Args:
            step: its number, from 0.

        Returns:
            The rate after warm-up, halvings, cosine or fall.
        """
        rate = super().learning_rate_at(step)
        if not self.fall_over:
            return rate
        return rate * min(1.0, (self.steps - step) / (self.fall_over * self.steps))


@dataclass(frozen=True, kw_only=True, config=STRICT)
class BaseRecipe:
    """What the recipes of all systems have in common: optimizer, average, clipping, batch, precision."""

    name: str
    """What checkpoints call it."""
    stages: Mapping[str, StageSettings]
    """Settings of every stage by its name."""
    batch: Annotated[int, Field(ge=1)] = 16
    """Examples a step, such as crops."""
    precision: TrainingPrecision = "auto"
    """Arithmetic of the networks: auto takes bf16 where the device computes it natively."""
    betas: tuple[float, float] = (0.5, 0.999)
    """Adam's decay rates."""
    ema_decay: Annotated[float, Field(ge=0, lt=1)] = 0.999
    """Of the moving average of the weights that is evaluated and exported; 0 takes the last weights."""
    clip_norm: Annotated[float, Field(ge=0)] = 0.0
    """Largest 2-norm of a step's gradient; 0 does not clip."""
    checkpoint_every: Annotated[int, Field(ge=1)] = 250
    """Steps between the snapshots from which an interrupted stage resumes."""
    compile: bool = False
    """Whether torch.compile makes the steps faster. It changes last bits, as another device does; trainings that
    differ in it alone are the same."""

    def with_stage(self, name: str, **settings: object) -> Self:
        """The same recipe with other settings of one stage.

        Args:
            name: the stage's.
            settings: fields of its settings and their new values.

        Returns:
            The changed copy.
        """
        changed = replace(self.stages[name], **settings)  # pyright: ignore[reportArgumentType]
        return replace(self, stages={**self.stages, name: changed})


RecipeT = TypeVar("RecipeT", bound=BaseRecipe)


def read_recipe(
    kind: type[RecipeT], name_or_path: str | Path, stages: Collection[str], folder: Path
) -> RecipeT:
    """Read a shipped recipe, or one of the user's, from TOML.

    Args:
        kind: the system's class of recipes.
        name_or_path: a shipped recipe's name, or the path of a TOML file.
        stages: names of the system's stages, all of which the recipe must describe.
        folder: holds the recipes of that class that are shipped.

    Returns:
        The recipe.

    Raises:
        InputError: no such file, not TOML, or a wrong, missing or unknown setting, which it names.
    """
    shipped = {path.stem: path for path in sorted(folder.glob("*.toml"))}
    path = shipped.get(str(name_or_path), Path(name_or_path))
    try:
        fields = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not text in UTF-8"
        raise InputError(f"recipe {name_or_path}: {reason}; shipped recipes: {', '.join(shipped)}") from None
    except (
        tomllib.TOMLDecodeError,
        RecursionError,
    ) as error:  # the latter where brackets are nested too deeply
        raise InputError(f"recipe {path}: not TOML ({error})") from None
    return parse_recipe(kind, fields, str(path), stages)


def parse_recipe(kind: type[RecipeT], fields: object, source: str, stages: Collection[str]) -> RecipeT:
    """Make a recipe from plain data, such as a checkpoint's record.

    Args:
        kind: the system's class of recipes.
        fields: the settings by name, as TOML or JSON gives them.
        source: names the recipe in errors.
        stages: names of the system's stages, all of which the recipe must describe.

    Returns:
        The recipe.

    Raises:
        InputError: a wrong, missing or unknown setting, which it names.
    """
    try:
        recipe = TypeAdapter(kind).validate_python(fields)
    except ValidationError as error:
        raise InputError(f"recipe {source}: {describe_fault(error)}") from None
    for name in recipe.stages:
        if name not in stages:
            raise InputError(f"recipe {source}: stages.{name}: no such stage; known: {', '.join(stages)}")
    for name in stages:
        if name not in recipe.stages:
            raise InputError(f"recipe {source}: stages.{name} is missing; add its settings")
    return recipe


def as_record(recipe: BaseRecipe) -> dict[str, object]:
    """Turn a recipe into plain data for a checkpoint's record.

    Args:
        recipe: of any system.

    Returns:
        What `parse_recipe` reads back.
    """
    return asdict(recipe)  # pyright: ignore[reportArgumentType] - a pydantic dataclass is a dataclass


def add_defaults(kind: type, settings: Mapping[str, object]) -> dict[str, object]:
    """Add what a record of an earlier version lacks: settings at their defaults, which mean what was done then.

    Args:
        kind: a dataclass of settings, such as a system's class of recipes.
        settings: some of its fields as plain data.

    Returns:
        The settings as JSON gives them back, those of nested dataclasses likewise.
    """
    found = dict(settings)
    for one in fields(kind):
        if one.default_factory is not MISSING:
            default = one.default_factory()
        elif one.default is not MISSING:
            default = one.default
        else:
            continue
        own = found.get(one.name)
        if is_dataclass(default):
            found[one.name] = add_defaults(type(default), own if isinstance(own, Mapping) else {})
        else:
            found.setdefault(one.name, json.loads(json.dumps(default)))
    return found
