"""Training with torch.compile: the same weights but for last bits, the same names, and a way back."""

import dataclasses
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch._inductor import config as inductor

from mfagan.networks.discriminators import PatchGAN
from mfagan.progress import no_progress
from mfagan.sr.network.supergenerator import SuperGenerator
from mfagan.sr.network.widths import Widths
from mfagan.sr.training.learner import GANLearner
from mfagan.sr.training.recipe import LossWeights, Recipe, Sampling, Stage
from mfagan.sr.training.stages import read_recipe
from mfagan.training.fabric import make_fabric
from mfagan.training.loop import Loop, LoopConfig
from mfagan.training.time_limit import Stopped, TimeLimit

FP32 = make_fabric("cpu", "fp32")
RECIPE = dataclasses.replace(read_recipe("demo"), precision="fp32")
COMPILED = dataclasses.replace(RECIPE, compile=True)
STAGE = Stage(steps=4, learning_rate=1e-2)


def shallow() -> nn.Module:
    """A network that is compiled in seconds: (N, 3, h, w) -> (N, 3, 4 h, 4 w)."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 48, 3, padding=1), nn.PixelShuffle(4)
    )


def crops(number: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(number)
    return torch.rand(2, 3, 8, 8, generator=generator), torch.rand(2, 3, 32, 32, generator=generator)


class Crops:
    waited_s = 0.0

    def __init__(self, start: int, stop: int) -> None:
        self.numbers = range(start, stop)

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        return map(crops, self.numbers)


@contextmanager
def batches(start: int, stop: int) -> Iterator[Crops]:
    yield Crops(start, stop)


def loop(folder: Path, learner: GANLearner, limit: TimeLimit | None = None) -> Loop:
    config = LoopConfig(steps=STAGE.steps, ema_decay=0.9)
    return Loop(learner, config, FP32, folder / "a.state", {}, lambda network: 0.0, limit=limit)


def fit(folder: Path, recipe: Recipe = COMPILED, limit: TimeLimit | None = None) -> dict[str, Tensor]:
    learner = GANLearner(recipe, STAGE, shallow(), FP32)
    with no_progress("") as report:
        loop(folder, learner, limit).run(batches, report)
    return learner.network.state_dict()


def test_a_compiled_training_is_the_eager_one_and_resumes_to_the_same_bits(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO, "mfagan")
    whole, eager = fit(tmp_path / "whole"), fit(tmp_path / "eager", RECIPE)
    assert any(message.startswith("compiled the generator in ") for message in caplog.messages)
    assert list(whole) == list(eager) == list(shallow().state_dict())
    for name, weight in eager.items():
        torch.testing.assert_close(whole[name], weight, rtol=0, atol=1e-4)
        assert not torch.equal(weight, shallow().state_dict()[name])
    with pytest.raises(Stopped):
        fit(tmp_path, limit=TimeLimit(1e-9))
    for name, weight in fit(tmp_path).items():
        assert torch.equal(weight, whole[name])


def test_the_generator_of_an_adversarial_stage_is_compiled():
    stage = dataclasses.replace(STAGE, weights=LossWeights(recon=1, adv=0.1))
    found = []
    for recipe in (RECIPE, COMPILED):
        torch.manual_seed(1)
        learner = GANLearner(recipe, stage, shallow(), FP32, discriminator=PatchGAN(4))
        terms = [learner.step(number, *crops(number)) for number in range(2)]
        found.append({name: value.item() for name, value in terms[-1].items()})
    assert found[1] == pytest.approx(found[0], rel=1e-3)
    assert {"adv", "discriminator"} <= set(found[1])


def test_without_a_compiler_training_goes_on_as_it_would_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "cache"))
    with inductor.patch({"cpp.cxx": (str(tmp_path / "g++"),)}):
        found = fit(tmp_path / "without")
    (line,) = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert line.startswith("training goes on without torch.compile, which fails here (")
    assert "\n" not in line
    eager = fit(tmp_path / "eager", RECIPE)
    for name, weight in eager.items():
        torch.testing.assert_close(found[name], weight, rtol=0, atol=1e-4)


@pytest.mark.slow  # a network of this depth takes a minute to compile
def test_a_compiled_sandwich_is_the_eager_one():
    full, narrow, drawn = Widths.uniform(48), Widths.uniform(24), Widths.uniform(32)
    stage = Stage(steps=1, learning_rate=1e-3, sampling=Sampling(rule="sandwich"))
    gradients = []
    for recipe in (RECIPE, COMPILED):
        torch.manual_seed(0)
        network = SuperGenerator(full, residual="bicubic")
        nn.init.normal_(network.fusion.reconstruct.weight, std=0.1)
        learner = GANLearner(recipe, stage, network, FP32, draw=lambda number: [full, narrow, drawn])
        torch.manual_seed(0)
        terms = learner.step(0, torch.rand(2, 3, 16, 16), torch.rand(2, 3, 64, 64))
        parameters = dict(network.named_parameters())
        gradients.append({name: one.grad for name, one in parameters.items()} | terms)
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], gradient, rtol=1e-3, atol=1e-6, msg=name)
