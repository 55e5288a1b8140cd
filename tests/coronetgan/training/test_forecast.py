import logging

import pytest
import torch

from mfagan.coronetgan.training import forecast as module
from mfagan.coronetgan.training.forecast import forecast, tell_memory
from mfagan.coronetgan.training.recipe import read_recipe
from mfagan.errors import InputError
from tests.coronetgan.training.small import with_every_stage


def test_the_published_course_needs_as_many_steps_as_the_specification_counts():
    """0.38 / (gamma lr) for half of the MACs, 1.3 times as many measured: 18 epochs of horse2zebra."""
    recipe = read_recipe("cyclegan")
    found = forecast(recipe, recipe.stages["search"], 0.5, 0)
    assert found.steps == pytest.approx(1.3 * 0.38 / (0.1 * 2e-4), rel=0.05)


def test_the_demo_arrives_where_it_was_measured():
    recipe = read_recipe("demo")
    found = [forecast(recipe, recipe.stages["search"], ratio, 0).steps for ratio in (0.7, 0.5, 0.3)]
    assert None not in found
    assert found == sorted(found)  # type: ignore
    assert 110 < found[1] < 200  # type: ignore


@pytest.mark.parametrize("fall_over", [0.0, 0.5, 1.0])
def test_a_course_that_is_too_short_is_refused_and_the_steps_that_it_names_suffice(fall_over: float):
    recipe = with_every_stage(read_recipe("demo"), steps=100, fall_over=fall_over)
    stage = recipe.stages["search"]
    found = forecast(recipe, stage, 0.5, 0)
    with pytest.raises(InputError, match=f"a course of 100 steps .* give about {found.needed} steps"):
        found.require(0.5, stage)
    enough = with_every_stage(recipe, steps=found.needed).stages["search"]
    steps = forecast(recipe, enough, 0.5, 0).require(0.5, enough)
    assert steps < found.needed
    slightly_less = with_every_stage(recipe, steps=int(0.9 * found.needed)).stages["search"]
    with pytest.raises(InputError, match="too short"):
        forecast(recipe, slightly_less, 0.5, 0).require(0.5, slightly_less)


def test_memory_is_told_and_too_little_of_it_warned_of(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO, "mfagan")
    monkeypatch.setattr(module, "machine_bytes", lambda: 8 * 10**9)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    tell_memory("search", 123_809_536)
    assert caplog.messages == [
        "stage search trains 123,809,536 numbers: 2.0 GB with gradients and Adam's averages, before activations"
    ]
    tell_memory("search", 123_809_536, averaged=True)
    assert caplog.messages[-1].endswith(
        "numbers: 2.5 GB with gradients, Adam's averages and that of the weights, before activations"
    )
    tell_memory("search", 547_441_216)
    assert caplog.messages[-1] == (
        "stage search needs 8.8 GB before activations and there are 8.0 GB: take a smaller base"
    )
