"""What the recipes of all systems have in common."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic.dataclasses import dataclass

from mfagan.errors import InputError
from mfagan.training.recipe import (
    STRICT,
    BaseRecipe,
    StageSettings,
    add_defaults,
    as_record,
    parse_recipe,
    read_recipe,
)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Stage(StageSettings):
    noise: float = 0.5


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Recipe(BaseRecipe):
    stages: Mapping[str, Stage]
    size_px: int = 32


SHIPPED = Path("no recipes are shipped")
TEXT = """
name = "mine"
batch = 2
size_px = 64
[stages.one]
steps = 20
learning_rate = 8.0
[stages.two]
steps = 5
learning_rate = 1e-3
noise = 0.1
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_systems_recipe_has_its_own_settings_and_the_common_ones(tmp_path: Path):
    recipe = read_recipe(Recipe, write(tmp_path, TEXT), ("one", "two"), SHIPPED)
    assert (recipe.name, recipe.batch, recipe.size_px, recipe.ema_decay) == ("mine", 2, 64, 0.999)
    assert (recipe.stages["two"].steps, recipe.stages["two"].noise, recipe.stages["one"].noise) == (
        5,
        0.1,
        0.5,
    )
    assert parse_recipe(Recipe, as_record(recipe), "record", ("one", "two")) == recipe
    changed = recipe.with_stage("two", noise=0.2)
    assert (changed.stages["two"].noise, changed.stages["two"].steps) == (0.2, 5)
    assert changed.stages["one"] == recipe.stages["one"]
    assert recipe.stages["two"].noise == 0.1


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("batch = 2", "batch = 0", r"batch: .*greater than or equal to 1.*found 0"),
        ("size_px", "sise_px", "sise_px: "),
        ("noise = 0.1", 'noise = "much"', "stages.two.noise: .*found 'much'"),
        ("noise", "nose", "stages.two.nose: "),
        ("[stages.two]", "[stages.too]", "stages.too: no such stage; known: one, two"),
        ("[stages.two]", "[else.two]", "else: "),
        ("steps = 5\n", "", "stages.two.steps: the field is missing"),
        ('name = "mine"\n', "", "name: the field is missing"),
        (
            "noise = 0.1",
            "cosine = true\nhalve_at = [3]",
            r"stages\.two: cosine and halve_at exclude each other: remove one of them",
        ),
        ("noise = 0.1", "halve_at = [-3]", "stages.two.halve_at.0: "),
        ("noise = 0.1", "= 3", "not TOML"),
    ],
)
def test_mistakes_are_named_in_one_line(tmp_path: Path, old: str, new: str, message: str):
    assert old in TEXT
    with pytest.raises(InputError, match=message) as caught:
        read_recipe(Recipe, write(tmp_path, TEXT.replace(old, new)), ("one", "two"), SHIPPED)
    assert "mine.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_stage_without_settings_is_named(tmp_path: Path):
    with pytest.raises(InputError, match=r"stages\.three is missing; add its settings"):
        read_recipe(Recipe, write(tmp_path, TEXT), ("one", "two", "three"), SHIPPED)


def rates(steps: list[int], **settings: Any) -> list[float]:
    stage = StageSettings(steps=20, learning_rate=8.0, **settings)
    return [stage.learning_rate_at(step) for step in steps]


def test_halvings_and_cosine():
    assert rates([0, 4, 5, 9, 10, 19], halve_at=(5, 10)) == [8, 8, 4, 4, 2, 2]
    assert rates([0, 10, 20], cosine=True) == pytest.approx([8, 4, 0])
    assert rates([0, 1, 3, 4, 5], halve_at=(5,), warm_up=4) == [2, 4, 8, 8, 4]


def test_what_a_record_lacks_counts_as_its_default(tmp_path: Path):
    recipe = read_recipe(Recipe, write(tmp_path, TEXT), ("one", "two"), SHIPPED)
    record = as_record(recipe)
    earlier = {name: value for name, value in record.items() if name not in ("clip_norm", "betas")}
    found = add_defaults(Recipe, earlier)
    assert (found["clip_norm"], found["betas"], found["size_px"]) == (0.0, [0.5, 0.999], 64)
    assert found["stages"] == earlier["stages"]
    assert add_defaults(Stage, {"steps": 3})["noise"] == 0.5
    assert "learning_rate" not in add_defaults(Stage, {"steps": 3})  # it has no default
    assert add_defaults(Recipe, {"name": "x"} | {"batch": 4})["batch"] == 4
