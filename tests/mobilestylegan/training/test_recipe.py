from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from mfagan.errors import InputError
from mfagan.mobilestylegan.network import standard_channels
from mfagan.mobilestylegan.training.recipe import (
    LossWeights,
    StudentRecipe,
    read_student_recipe,
    read_teacher_recipe,
)
from mfagan.training.recipe import FallingStage, as_record, parse_recipe
from tests.mobilestylegan.training.small import student_recipe


def test_shipped_recipes_are_the_specifications():
    teacher, demo, published = (
        read_teacher_recipe("drawings"),
        read_student_recipe("demo"),
        read_student_recipe("published"),
    )
    assert (teacher.batch, teacher.betas, teacher.lr_mul) == (16, (0.0, 0.99), 1)
    for recipe in (teacher, demo, published):
        assert recipe.clip_norm == 1
    assert demo.batch == 8
    assert demo.stages["distill"].weights == LossWeights(rgb=1, dwt=1, percep=0, adv=0)
    assert (published.batch, published.betas) == (2, (0.9, 0.999))
    assert published.stages["distill"].steps == 10_000 * 100
    assert published.stages["distill"].learning_rate == 5e-4
    assert published.stages["distill"].weights == LossWeights(rgb=1, dwt=1, percep=1, adv=0.5)


def test_recipes_of_teachers_tell_what_they_learn():
    drawings, pictures, published = map(read_teacher_recipe, ("drawings", "pictures", "stylegan2"))
    assert [one.learns for one in (drawings, pictures, published)] == ["drawings", "pictures", "pictures"]
    assert published.channels == standard_channels(1024)
    assert (published.batch, published.style_dim, published.mapping_layers, published.lr_mul) == (
        32,
        512,
        8,
        0.01,
    )
    assert (published.r1_gamma, published.r1_every, published.path_weight, published.path_every) == (
        10,
        16,
        2,
        4,
    )
    assert published.stages["teacher"].steps * published.batch == 25_000_000


def test_the_learning_rate_falls_over_the_second_half():
    stage = FallingStage(steps=10, learning_rate=1.0, fall_over=0.5)
    rates = [stage.learning_rate_at(step) for step in range(10)]
    assert rates == pytest.approx([1, 1, 1, 1, 1, 1, 0.8, 0.6, 0.4, 0.2])
    assert FallingStage(steps=10, learning_rate=1.0).learning_rate_at(9) == 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"fall_over": 0.5, "cosine": True}, "fall_over excludes cosine and halve_at"),
        ({"fall_over": 0.5, "halve_at": (3,)}, "fall_over excludes cosine and halve_at"),
        ({"fall_over": 1.5}, "less than or equal to 1"),
    ],
)
def test_schedules_exclude_each_other(settings: dict[str, Any], message: str):
    with pytest.raises(ValidationError, match=message):
        FallingStage(steps=10, learning_rate=1.0, **settings)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('targets = "bilinear"', 'targets = "bicubic"', r"targets: .*'bilinear' or 'area'"),
        ('demodulation = "style"', 'demodulation = "none"', "demodulation: "),
        ("batch = 8", "batch = 8\npsi = nan", "psi: .*finite"),
        ("batch = 8", "batch = 8\ncompile = true", "compile: these networks are not compiled"),
        ("batch = 8", "batch = 8\nchannels = [64]", "channels"),
        ("fall_over = 0.8", "from_student = true", r"distill\.from_student: only stage supernet starts"),
        ("fall_over = 0.8", "weights = { rgb = 0, dwt = 0 }", "rgb and dwt are both 0"),
        (
            "[stages.supernet]",
            "[stages.gan]",
            r"stages\.gan: no such stage; known: distill, supernet, finetune",
        ),
    ],
)
def test_wrong_settings_are_named(tmp_path: Path, old: str, new: str, message: str):
    import mfagan.mobilestylegan

    text = (Path(mfagan.mobilestylegan.__file__).parent / "recipes" / "student" / "demo.toml").read_text()
    path = tmp_path / "mine.toml"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(InputError, match=message) as refusal:
        read_student_recipe(path)
    assert "\n" not in str(refusal.value)


def test_recipes_of_one_kind_are_listed_alone():
    with pytest.raises(InputError, match="shipped recipes: demo, published"):
        read_student_recipe("drawings")
    with pytest.raises(InputError, match="shipped recipes: drawings, pictures, stylegan2"):
        read_teacher_recipe("demo")


def test_a_record_gives_the_recipe_back():
    recipe = student_recipe(LossWeights(adv=0.5))
    assert parse_recipe(StudentRecipe, as_record(recipe), "record", tuple(recipe.stages)) == recipe
