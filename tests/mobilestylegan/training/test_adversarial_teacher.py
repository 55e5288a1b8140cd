"""A StyleGAN2 trained against a discriminator on pictures."""

from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from mfagan import checkpoint
from mfagan.errors import InputError
from mfagan.mobilestylegan.kinds import load_generator
from mfagan.mobilestylegan.network.discriminator import ResidualDiscriminator
from mfagan.mobilestylegan.training.recipe import TeacherRecipe
from mfagan.mobilestylegan.training.run import TeacherRun, prepare_teacher_run
from mfagan.mobilestylegan.training.stages import fit_teacher
from mfagan.mobilestylegan.training.step_losses import GeneratorObjective
from mfagan.progress import no_progress
from mfagan.training.recipe import FallingStage
from mfagan.training.run import RunOptions
from tests.events import read_events
from tests.mobilestylegan.training.small import build_teacher, require_equal
from tests.tiny import write_photos
from tests.training.kills import Killed, bars_until


def picture_run(folder: Path, photos: Path, bars: Any = no_progress, **settings: Any) -> TeacherRun:
    rate = settings.pop("learning_rate", 2e-3)
    stage = FallingStage(steps=settings.pop("steps", 6), learning_rate=rate, validate_every=3)
    fields = {"batch": 2, "precision": "fp32", "held_out": 2, "ema_decay": 0.5, "checkpoint_every": 2}
    fields |= {
        "channels": (16, 16, 8),
        "style_dim": 8,
        "mapping_layers": 2,
        "lr_mul": 0.01,
        "path_every": 2,
        "r1_every": 3,
    }
    recipe = TeacherRecipe(
        name="tiny",
        learns="pictures",
        stages={"teacher": stage},
        **(fields | settings),
    )
    return prepare_teacher_run(recipe, RunOptions(folder, "cpu"), [str(photos)], bars)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return write_photos(tmp_path / "photos", n=3, side=32)


def test_it_leaves_a_teacher_and_logs_both_losses(tmp_path: Path, photos: Path):
    path = fit_teacher(picture_run(tmp_path / "out", photos))
    found = checkpoint.read(path, role="teacher")
    assert found.record["n_images"] == 3
    assert found.record["sets"]["photos"]["n_images"] == 3  # type: ignore[index]
    assert found.record["patch_distance"] > 0  # type: ignore[operator]
    assert load_generator(path).size == 16
    assert load_generator(path).w_mean.abs().max() > 0
    tags = {
        value.tag
        for event in read_events(tmp_path / "out" / "logs" / "teacher")
        for value in event.summary.value
    }
    assert {"validation_patch_distance", "samples"} <= tags


def test_its_images_become_more_like_the_pictures(tmp_path: Path):
    (tmp_path / "red").mkdir()
    for i in range(2):
        Image.new("RGB", (16, 16), (255, 20 * i, 0)).save(tmp_path / "red" / f"{i}.png")
    settings = {"ema_decay": 0.5, "path_weight": 0.0, "learning_rate": 1e-2, "channels": (8, 8, 8)}
    path = fit_teacher(picture_run(tmp_path / "out", tmp_path / "red", steps=30, **settings))
    curve: Any = checkpoint.read(path).record["validation_curve"]
    print(curve)
    assert curve[-1][1] > curve[0][1] + 0.1


def test_interrupted_it_goes_on_to_the_same_bits(tmp_path: Path, photos: Path):
    """Generator, discriminator, both optimizers and the mean of the path lengths."""
    whole = fit_teacher(picture_run(tmp_path / "whole", photos))
    for at in (3, 5):
        with pytest.raises(Killed):
            fit_teacher(picture_run(tmp_path / "parts", photos, bars_until(at)))
    assert (tmp_path / "parts" / "teacher.state").exists()
    require_equal(fit_teacher(picture_run(tmp_path / "parts", photos)), whole)


def test_other_pictures_are_another_training(tmp_path: Path, photos: Path):
    fit_teacher(picture_run(tmp_path / "out", photos))
    (photos / "photo_2.png").rename(photos / "other.png")
    with pytest.raises(InputError, match="images_sha256 was"):
        fit_teacher(picture_run(tmp_path / "out", photos))


@pytest.mark.parametrize("batch", [1, 3, 5])
def test_any_batch_suits_the_groups_of_the_deviation(tmp_path: Path, photos: Path, batch: int):
    fit_teacher(picture_run(tmp_path, photos, batch=batch, steps=3))


def test_a_size_that_is_none_is_refused(tmp_path: Path, photos: Path):
    with pytest.raises(InputError, match="size 8"):
        picture_run(tmp_path, photos, channels=(16, 16))


def test_path_lengths_are_those_of_gradients_one_by_one():
    network = build_teacher()
    objective = GeneratorObjective(network, ResidualDiscriminator((8, 8, 8)))
    objective.path_mean.fill_(0.3)
    generator = torch.Generator().manual_seed(1)
    z, directions = (torch.randn(shape, generator=generator) for shape in ((4, 8), (4, 3, 16, 16)))
    noise = [torch.randn(4, 1, side, side, generator=generator) for side in network.synthesis.noise_sides]
    terms, length = objective(z, noise, directions)
    lengths = []
    for i in range(2):  # half of the batch, as published
        rows = network.styles(z[i : i + 1])[:, None].repeat(1, network.synthesis.n_rows, 1).detach()
        rows.requires_grad_(True)
        image = network.synthesis(rows, [one[i : i + 1] for one in noise])
        (image * directions[i]).sum().div(16).backward()
        assert rows.grad is not None
        lengths.append(rows.grad.square().sum(2).mean().sqrt())
    assert length is not None
    assert length.item() == pytest.approx(torch.stack(lengths).mean().item(), rel=1e-4)
    expected = (torch.stack(lengths) - 0.3).square().mean().item()
    assert terms["path"].item() == pytest.approx(expected, rel=1e-4)
    objective.follow(length)
    assert objective.path_mean.item() == pytest.approx(0.99 * 0.3 + 0.01 * length.item())
    assert set(objective(z, noise, None)[0]) == {"adv"}
    assert {name.split(".")[0] for name, _ in objective.named_parameters()} == {"network"}
