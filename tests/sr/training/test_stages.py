from pathlib import Path
from typing import Any

import pytest
import torch

from mfagan import checkpoint
from mfagan.data.embedded import EMBEDDED, EMBEDDED_HELD_OUT, EMBEDDED_TRAIN
from mfagan.errors import InputError
from mfagan.sr.network.mfanet import MFANet
from mfagan.sr.network.supergenerator import SuperGenerator
from mfagan.sr.training import stages as training
from mfagan.sr.training.recipe import Recipe
from mfagan.sr.training.run import SRRun, SRRunOptions, load_perceptual, prepare_run
from mfagan.sr.training.stages import read_recipe, recipe_of
from tests import tiny
from tests.events import read_events


def prepare(recipe: Recipe, folder: Path, images: str | Path, **place: Any) -> SRRun:
    return prepare_run(recipe, SRRunOptions(folder, device="cpu", images=str(images), **place))


def test_every_stage_leaves_its_checkpoints(trained: Path):
    roles = {
        path.name: (checkpoint.read(path).network, checkpoint.read(path).role)
        for path in trained.glob("*.safetensors")
    }
    assert roles == {
        "teacher.safetensors": ("mfanet", "teacher"),
        "teacher_gan.safetensors": ("mfanet", "teacher_gan"),
        "teacher_discriminator.safetensors": ("patchgan", "teacher_discriminator"),
        "student.safetensors": ("mfanet", "student"),
        "discriminator.safetensors": ("patchgan", "discriminator"),
        "supergenerator.safetensors": ("mfanet", "supergenerator"),
    }


def test_checkpoints_say_where_they_came_from(trained: Path):
    record = checkpoint.read(trained / "supergenerator.safetensors").record
    assert record["stage"] == "supernet"
    assert record["steps"] == 8
    assert record["parents"] == {"student.safetensors": checkpoint.sha256(trained / "student.safetensors")}
    assert record["training_images"] == ["photo_0", "photo_1", "photo_2"]
    assert record["validation_images"] == ["photo_3"]
    assert record["perceptual_loss"] is False
    recipe = recipe_of(checkpoint.read(trained / "supergenerator.safetensors"))
    assert recipe == read_recipe(trained / "tiny.toml")


def test_the_teacher_is_wide_and_the_student_narrow(trained: Path):
    assert checkpoint.read(trained / "teacher_gan.safetensors").config["widths"] == [64] * 8
    assert checkpoint.read(trained / "student.safetensors").config["widths"] == [48] * 8


def test_training_is_reproducible(trained: Path, tmp_path: Path):
    again = tiny.train_all(tmp_path)
    first, second = (checkpoint.read(p / "supergenerator.safetensors").state for p in (trained, again))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_stage_alone_reads_the_previous_ones(trained: Path, tmp_path: Path):
    for name in ("student.safetensors",):
        (tmp_path / name).write_bytes((trained / name).read_bytes())
    run = prepare(read_recipe(trained / "tiny.toml"), tmp_path, trained / "photos", max_steps=1)
    (written,) = training.train(run, [training.SUPERNET])
    assert checkpoint.read(written, "mfanet", "supergenerator").record["steps"] == 1
    with pytest.raises(InputError, match=r"teacher_gan\.safetensors: no such file"):
        training.train(run, [training.DISTILL])


def test_the_supernet_starts_from_the_sorted_student(trained: Path, tmp_path: Path):
    """At a learning rate next to nothing the full width computes what the student computed."""
    (tmp_path / "student.safetensors").write_bytes((trained / "student.safetensors").read_bytes())
    recipe = read_recipe(trained / "tiny.toml")
    recipe = recipe.with_stage("supernet", learning_rate=1e-12, steps=1)
    training.train(prepare(recipe, tmp_path, trained / "photos"), [training.SUPERNET])
    networks = [
        kind.from_checkpoint(checkpoint.read(tmp_path / name), name)
        for kind, name in ((MFANet, "student.safetensors"), (SuperGenerator, "supergenerator.safetensors"))
    ]
    x = torch.rand(1, 3, 8, 8)
    with torch.no_grad():
        assert (networks[0](x) - networks[1](x)).abs().max() < 1e-5
    assert not torch.equal(networks[0].head.weight, networks[1].head.weight)


def test_embedded_split_never_trains_on_held_out_photos(tmp_path: Path):
    run = prepare(read_recipe("demo"), tmp_path, EMBEDDED)
    record = run.describe(training.TEACHER)
    assert record["validation_images"] == [Path(name).stem for name in EMBEDDED_HELD_OUT]
    assert record["training_images"] == [Path(name).stem for name in EMBEDDED_TRAIN]
    assert {"astronaut", "chelsea"}.isdisjoint(record["training_images"])  # type: ignore[arg-type]


def test_a_run_caps_the_steps_of_every_stage(tmp_path: Path):
    run = prepare(read_recipe("demo"), tmp_path, EMBEDDED, max_steps=30)
    assert [run.settings(name).steps for name in training.STAGES] == [30, 20, 30, 30, 30]
    assert run.recipe == read_recipe("demo")
    record = run.describe(training.SUPERNET)
    assert record["steps"] == record["recipe"]["stages"]["supernet"]["steps"] == 30  # type: ignore[index]
    with pytest.raises(InputError, match="max_steps is 0: give at least 1"):
        SRRunOptions(tmp_path, max_steps=0)


def test_unknown_stages_are_named():
    assert training.check_stages(None) == list(training.PIPELINE)
    assert training.check_stages(["supernet", "teacher"]) == [training.TEACHER, training.SUPERNET]
    with pytest.raises(
        InputError, match="stage 'finetune': choose from teacher, teacher_gan, distill, supernet"
    ):
        training.check_stages(["teacher", "finetune"])


def test_stages_have_the_seeds_of_version_0_1_0(tmp_path: Path):
    run = prepare(read_recipe("demo"), tmp_path, EMBEDDED, seed=3)
    assert [training.crop_seed(run, name) for name in training.STAGES] == [15, 16, 17, 18, 19]
    assert list(training.STAGES) == ["teacher", "teacher_gan", "distill", "supernet", "finetune"]


def test_without_vgg19_the_demo_goes_on_and_the_paper_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    caplog.set_level("INFO", "mfagan")
    assert load_perceptual(read_recipe("demo"), None) is None
    (line,) = caplog.messages
    assert "vgg19" in line
    assert "\n" not in line
    with pytest.raises(InputError, match="recipe paper needs the perceptual loss"):
        load_perceptual(read_recipe("paper"), None)


def test_tensorboard_gets_losses_validation_and_a_sample(trained: Path, tmp_path: Path):
    recipe = read_recipe(tiny.write_recipe(tmp_path, steps=50))
    run = prepare(recipe, tmp_path / "out", trained / "photos")
    training.train(run, [training.TEACHER])
    events = read_events(tmp_path / "out" / "logs" / "teacher")
    found = {(event.step, value.tag): value for event in events for value in event.summary.value}
    assert {tag for _, tag in found} == {
        "recon",
        "gradient",
        "learning_rate",
        "steps_per_s",
        "validation",
        "samples",
    }
    record = checkpoint.read(tmp_path / "out" / "teacher.safetensors").record
    assert found[50, "validation"].simple_value == pytest.approx(record["validation_psnr_db"], abs=1e-4)
    assert found[50, "samples"].image.height > 64
