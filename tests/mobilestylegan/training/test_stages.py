"""Trainings through the shared run: their files, records, interruptions and refusals."""

import dataclasses
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

from mfagan import checkpoint
from mfagan.errors import InputError
from mfagan.mobilestylegan.kinds import load_generator
from mfagan.mobilestylegan.network import MobileStyleGAN, StyleGAN2, extract
from mfagan.mobilestylegan.training.distances import FeatureDistance
from mfagan.mobilestylegan.training.recipe import LossWeights, TeacherRecipe
from mfagan.mobilestylegan.training.run import TeacherRun, prepare_teacher_run
from mfagan.mobilestylegan.training.stages import DISTILL, SUPERNET, fit_teacher, train_student
from mfagan.mobilestylegan.training.validation import HeldOut
from mfagan.progress import ProgressCallback, no_progress
from mfagan.training.recipe import FallingStage
from mfagan.training.run import RunOptions
from mfagan.training.time_limit import Stopped, TimeLimit
from tests.events import read_events
from tests.mobilestylegan.training.small import (
    build_teacher,
    require_equal,
    student_recipe,
    student_run,
    write_teacher,
)
from tests.training.kills import Killed, bars_until

ADVERSARIAL = student_recipe(LossWeights(adv=0.5), r1_every=2)


def teacher_run(folder: Path, bars: Callable[[str], Any] = no_progress, **settings: Any) -> TeacherRun:
    stage = FallingStage(steps=settings.pop("steps", 6), learning_rate=3e-3, validate_every=3)
    fields = {"batch": 2, "precision": "fp32", "held_out": 3, "ema_decay": 0.5, "checkpoint_every": 2}
    recipe = TeacherRecipe(
        name="tiny",
        stages={"teacher": stage},
        channels=(8, 8, 8),
        style_dim=16,
        mapping_layers=2,
        **(fields | settings),
    )
    return prepare_teacher_run(recipe, RunOptions(folder, "cpu"), bars=bars)


@pytest.fixture
def teacher(tmp_path: Path) -> Path:
    return write_teacher(tmp_path / "given" / "teacher.safetensors")


def test_a_teacher_is_fitted_to_drawings(tmp_path: Path):
    path = fit_teacher(teacher_run(tmp_path, steps=60, batch=8, ema_decay=0.9))
    found = checkpoint.read(path, role="teacher")
    assert found.record["fitted_to"] == "drawings of faces"
    curve: Any = found.record["validation_curve"]
    assert curve[-1][1] > curve[0][1] + 1
    network = load_generator(path)
    assert isinstance(network, StyleGAN2)
    held_out = HeldOut.by_drawing(16, 16, 3, torch.device("cpu"))
    assert held_out(network).score == pytest.approx(found.record["psnr_db"], abs=1e-3)
    before = network.w_mean.clone()
    network.set_mean()
    assert torch.equal(network.w_mean, before)
    assert before.abs().max() > 0


def test_a_teacher_that_is_interrupted_goes_on_to_the_same_bits(tmp_path: Path):
    whole = fit_teacher(teacher_run(tmp_path / "whole"))
    with pytest.raises(Killed):
        fit_teacher(teacher_run(tmp_path / "parts", bars_until(5)))
    assert (tmp_path / "parts" / "teacher.state").exists()
    require_equal(fit_teacher(teacher_run(tmp_path / "parts")), whole)


@pytest.mark.parametrize("stage", [DISTILL, SUPERNET], ids=lambda spec: spec.name)
@pytest.mark.parametrize("recipe", [student_recipe(), ADVERSARIAL], ids=["plain", "adversarial"])
def test_a_student_that_is_interrupted_goes_on_to_the_same_bits(tmp_path: Path, teacher, recipe, stage):
    whole = train_student(student_run(tmp_path / "whole", recipe), teacher, stage)
    parts = tmp_path / "parts"
    for at in (3, 5):
        with pytest.raises(Killed):
            train_student(student_run(parts, recipe, bars_until(at)), teacher, stage)
        torch.manual_seed(at)  # what else draws numbers between does not matter
    require_equal(train_student(student_run(parts, recipe), teacher, stage), whole)
    assert not list(parts.glob("*.state"))


def test_a_time_limit_stops_a_student_that_goes_on_to_the_same_bits(tmp_path: Path, teacher: Path):
    whole = train_student(student_run(tmp_path / "whole"), teacher)
    with pytest.raises(Stopped):
        train_student(student_run(tmp_path / "parts", limit=TimeLimit(1e-9)), teacher)
    require_equal(train_student(student_run(tmp_path / "parts"), teacher), whole)


def test_a_student_learns_its_teacher_and_keeps_its_mapping_network(tmp_path: Path, teacher: Path):
    recipe = student_recipe(steps=60, batch=4, ema_decay=0.9)
    path = train_student(student_run(tmp_path, recipe), teacher)
    found = checkpoint.read(path, role="student")
    curve: Any = found.record["validation_curve"]
    assert curve[-1][1] > curve[0][1] + 1
    assert found.record["parents"] == {"teacher.safetensors": checkpoint.sha256(teacher)}
    student, source = load_generator(path), load_generator(teacher)
    assert isinstance(student, MobileStyleGAN)
    assert isinstance(source, StyleGAN2)
    for name, one in source.mapping.state_dict().items():
        assert torch.equal(student.mapping.state_dict()[name], one)
    assert torch.equal(student.w_mean, source.w_mean)
    assert HeldOut.by_teacher(source, 3)(student).score == pytest.approx(found.record["psnr_db"], abs=1e-3)
    assert student.synthesis.heads_kind == "all"
    assert student.synthesis.channels == (16, 16)


def test_every_slice_of_a_weight_shared_student_learns(tmp_path: Path, teacher: Path):
    """Better than the slices of a student that was trained as a whole, which have learned nothing."""
    recipe = student_recipe(steps=60, batch=4, ema_decay=0.9)
    paths = [train_student(student_run(tmp_path, recipe), teacher, stage) for stage in (DISTILL, SUPERNET)]
    assert checkpoint.read(paths[1]).role == "supernet"
    source = load_generator(teacher)
    assert isinstance(source, StyleGAN2)
    held_out, scores = HeldOut.by_teacher(source, 8), []
    for path in paths:
        student = load_generator(path)
        assert isinstance(student, MobileStyleGAN)
        small = extract(student.synthesis, (8, 8))
        scores.append(held_out(MobileStyleGAN(student.mapping, small, student.w_mean)).score)
    assert scores[1] > scores[0] + 0.3


def test_figures_and_pictures_are_logged_and_progress_tells_the_psnr(tmp_path: Path, teacher: Path):
    notes = []

    @contextmanager
    def bars(label: str) -> Iterator[ProgressCallback]:
        yield lambda done, total, note: notes.append(note)

    train_student(student_run(tmp_path, ADVERSARIAL, bars), teacher)
    assert re.fullmatch(
        r"loss [\d.]+, psnr_db [\d.]+, adv [\d.]+, discriminator_loss [\d.]+, validation [\d.]+ dB", notes[-1]
    )
    tags = {
        value.tag for event in read_events(tmp_path / "logs" / "student") for value in event.summary.value
    }
    assert {"validation_psnr_db", "validation_distance", "samples"} <= tags


def test_a_slice_is_trained_further_as_a_student(tmp_path: Path, teacher: Path):
    source = load_generator(teacher)
    assert isinstance(source, StyleGAN2)
    whole = MobileStyleGAN.for_teacher(source)
    small = MobileStyleGAN(whole.mapping, extract(whole.synthesis, (12, 8)), whole.w_mean)
    start = tmp_path / "slice.safetensors"
    checkpoint.save(start, small.to_checkpoint("slice"))
    path = train_student(student_run(tmp_path), teacher, start=start)
    tuned = load_generator(path)
    assert isinstance(tuned, MobileStyleGAN)
    assert tuned.synthesis.channels == (12, 8)
    assert set(checkpoint.read(path).record["parents"]) == {"teacher.safetensors", "slice.safetensors"}  # type: ignore
    checkpoint.save(start, small.inference_form().to_checkpoint("slice"))
    with pytest.raises(InputError, match="it has the last head alone; train the form with all heads"):
        train_student(student_run(tmp_path / "other"), teacher, start=start)


def test_a_weight_shared_student_starts_from_the_runs_student_if_the_recipe_says_so(
    tmp_path: Path, teacher: Path
):
    recipe = student_recipe().with_stage("supernet", from_student=True, steps=1, learning_rate=1e-9)
    run = student_run(tmp_path, recipe)
    with pytest.raises(
        InputError, match=r"starts from .*student\.safetensors, which is missing; train stage distill"
    ):
        train_student(run, teacher, SUPERNET)
    paths = [train_student(run, teacher, stage) for stage in (DISTILL, SUPERNET)]
    student, shared = map(checkpoint.read, paths)
    assert all(torch.allclose(one, shared.state[name], atol=1e-6) for name, one in student.state.items())
    assert set(shared.record["parents"]) == {"teacher.safetensors", "student.safetensors"}  # type: ignore


def test_truncated_styles_are_learned_and_validated(tmp_path: Path, teacher: Path):
    path = train_student(student_run(tmp_path, student_recipe(psi=0.5)), teacher)
    source = load_generator(teacher)
    assert isinstance(source, StyleGAN2)
    score = checkpoint.read(path).record["psnr_db"]
    assert HeldOut.by_teacher(source, 3, 0.5)(load_generator(path)).score == pytest.approx(score, abs=1e-3)
    assert HeldOut.by_teacher(source, 3)(load_generator(path)).score != pytest.approx(score, abs=1e-2)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (
            build_teacher((16, 16, 8, 8)),
            "teacher: its size is 16, the student's is 32; give the teacher that",
        ),
        (build_teacher(style_dim=16), "teacher: its style_dim is 8, the student's is 16"),
    ],
    ids=["size", "style_dim"],
)
def test_a_teacher_of_another_student_is_refused(
    tmp_path: Path, teacher: Path, other: StyleGAN2, message: str
):
    start = tmp_path / "start.safetensors"
    checkpoint.save(start, MobileStyleGAN.for_teacher(other).to_checkpoint("student"))
    with pytest.raises(InputError, match=message):
        train_student(student_run(tmp_path), teacher, start=start)
    assert not (tmp_path / "student.safetensors").exists()


def test_another_network_than_a_stylegan2_is_no_teacher(tmp_path: Path):
    student = MobileStyleGAN.for_teacher(build_teacher())
    checkpoint.save(tmp_path / "s.safetensors", student.to_checkpoint("student"))
    with pytest.raises(InputError, match="its network is 'mobilestylegan', 'stylegan2' is needed here"):
        train_student(student_run(tmp_path / "out"), tmp_path / "s.safetensors")


def test_a_teacher_whose_channels_no_student_can_have_is_refused(tmp_path: Path):
    path = write_teacher(tmp_path / "odd.safetensors", build_teacher((16, 6, 8)))
    with pytest.raises(InputError, match=r"channels 16, 6; give multiples of 4"):
        train_student(student_run(tmp_path / "out"), path)


def test_a_teacher_whose_images_are_not_finite_is_refused(tmp_path: Path):
    broken = build_teacher()
    with torch.no_grad():
        broken.synthesis.constant.mul_(1e25)
        for one in broken.synthesis.to_rgb:
            one.get_parameter("weight").mul_(1e20)
    path = write_teacher(tmp_path / "broken.safetensors", broken)
    with pytest.raises(
        InputError, match="teacher: 3 of 3 images hold values that are not finite; give another"
    ):
        train_student(student_run(tmp_path / "out"), path)


def test_any_batch_suits_the_discriminator(tmp_path: Path, teacher: Path):
    """Its groups for the deviation have the largest divisor of the batch up to 4."""
    for batch in (1, 3, 5, 8):
        recipe = dataclasses.replace(ADVERSARIAL, batch=batch).with_stage("distill", steps=2)
        train_student(student_run(tmp_path / str(batch), recipe), teacher)


def test_settings_without_effect_tell_no_trainings_apart(
    tmp_path: Path, teacher: Path, caplog: pytest.LogCaptureFixture
):
    caplog.set_level("INFO", "mfagan")
    path = train_student(student_run(tmp_path), teacher)
    content = path.read_bytes()
    train_student(student_run(tmp_path, student_recipe(r1_gamma=1, perceptual="where_present")), teacher)
    assert path.read_bytes() == content
    assert caplog.messages[-1].startswith("distill is finished already")
    for other, message in ((student_recipe(targets="area"), "targets"), (student_recipe(psi=0.5), "psi")):
        with pytest.raises(InputError, match=rf"recipe\.{message} was"):
            train_student(student_run(tmp_path, other), teacher)
    changed = write_teacher(tmp_path / "teacher.safetensors", build_teacher(seed=1))
    with pytest.raises(InputError, match=r"parents\.teacher\.safetensors was"):
        train_student(student_run(tmp_path), changed)


def test_missing_features_are_named_or_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "none"))
    caplog.set_level("INFO", "mfagan")
    weights = LossWeights(percep=1)
    with pytest.raises(
        InputError, match="recipe tiny needs the perceptual term in distill, supernet, finetune: vgg16's"
    ):
        student_run(tmp_path, student_recipe(weights))
    run = student_run(tmp_path, student_recipe(weights, perceptual="where_present"))
    assert run.perceptual is None
    assert caplog.messages[-1].startswith("training without the perceptual term: vgg16's weights are missing")


class Colours(torch.nn.Module):
    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return (images,)


def test_the_perceptual_term_is_trained_and_recorded(tmp_path: Path, teacher: Path):
    recipe = student_recipe(LossWeights(percep=1), steps=2, perceptual="where_present")
    run = dataclasses.replace(student_run(tmp_path, recipe), perceptual=FeatureDistance(Colours()))
    path = train_student(run, teacher)
    assert checkpoint.read(path).record["perceptual_loss"] is True
    without = dataclasses.replace(run, perceptual=None)
    with pytest.raises(InputError, match="perceptual_loss was True, now False"):
        train_student(without, teacher)
