import dataclasses
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from mfagan import checkpoint
from mfagan.errors import InputError
from mfagan.evaluation.scores import mean_psnr_db
from mfagan.sr.kinds import load_generator
from mfagan.sr.network.discriminators import ESRGANDiscriminator, load_discriminator
from mfagan.sr.training import stages as training
from mfagan.sr.training.recipe import Recipe, Sampling
from mfagan.sr.training.run import SRRun, SRRunOptions, prepare_run
from mfagan.sr.training.stages import DISTILL, STAGES, SUPERNET, TEACHER, TEACHER_GAN, read_recipe, recipe_of
from mfagan.training.losses import PerceptualLoss
from mfagan.training.stage import StageSpec
from tests import tiny


def prepare(
    folder: Path,
    recipe: Recipe,
    images: str | Sequence[str],
    **place: Any,
) -> SRRun:
    return prepare_run(recipe, SRRunOptions(folder, device="cpu", images=images, **place))


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level("INFO", "mfagan")
    return caplog


def tiny_recipe(trained: Path, **settings: object) -> Recipe:
    return dataclasses.replace(read_recipe(trained / "tiny.toml"), **settings)


def copy(trained: Path, folder: Path, *names: str) -> None:
    for name in names:
        shutil.copy(trained / name, folder / name)


def test_the_record_tells_how_it_was_made(trained: Path, tmp_path: Path):
    copy(trained, tmp_path, "teacher.safetensors")
    recipe = tiny_recipe(trained).with_stage("teacher_gan", steps=5, validate_every=2)
    run = prepare(tmp_path, recipe, str(trained / "photos"), seed=3, command="mfagan train tiny.toml")
    files = run.train(TEACHER_GAN)
    assert files == [tmp_path / "teacher_gan.safetensors", tmp_path / "teacher_discriminator.safetensors"]
    found = [checkpoint.read(path) for path in files]
    record = found[0].record
    assert found[1].record == record
    assert (record["stage"], record["steps"], record["seed"]) == ("teacher_gan", 5, 3)
    assert record["command"] == "mfagan train tiny.toml"
    assert record["parents"] == {"teacher.safetensors": checkpoint.sha256(tmp_path / "teacher.safetensors")}
    assert record["images"] == str(trained / "photos")
    assert record["training_images"] == ["photo_0", "photo_1", "photo_2"]
    assert record["validation_images"] == ["photo_3"]
    assert record["torch"] == torch.__version__
    assert recipe_of(found[0]) == recipe
    curve = record["validation_curve"]
    assert isinstance(curve, list)
    assert [step for step, _ in curve] == [2, 4, 5]  # the end is always validated
    network = load_generator(files[0])
    assert record["validation_psnr_db"] == pytest.approx(mean_psnr_db(network, run.validation), abs=1e-9)
    assert "best_step" not in record
    assert sorted(path.name for path in tmp_path.glob("*.state")) == []


def test_a_curve_holds_the_scores_of_those_steps(trained: Path, tmp_path: Path):
    """The last validation on the way, at the end of the training, is that of the file."""
    recipe = tiny_recipe(trained).with_stage("teacher", steps=4, validate_every=2)
    prepare(tmp_path, recipe, str(trained / "photos")).train(TEACHER)
    record = checkpoint.read(tmp_path / "teacher.safetensors").record
    curve = record["validation_curve"]
    assert isinstance(curve, list)
    assert [step for step, _ in curve] == [2, 4]
    assert curve[1][1] == record["validation_psnr_db"] != curve[0][1]


def test_a_finished_stage_is_left_and_said_so(trained: Path, tmp_path: Path, log: pytest.LogCaptureFixture):
    run = prepare(tmp_path, tiny_recipe(trained), str(trained / "photos"))
    (path,) = run.train(TEACHER)
    content = path.read_bytes()
    log.clear()
    (tmp_path / "teacher.state").write_bytes(b"left by a crash between the two")
    assert run.train(TEACHER) == [path]
    assert path.read_bytes() == content
    assert log.messages == [f"teacher is finished already: {path}"]
    assert not (tmp_path / "teacher.state").exists()


def test_what_is_typed_and_where_images_lie_tells_no_trainings_apart(
    trained: Path, tmp_path: Path, log: pytest.LogCaptureFixture
):
    copy(trained, tmp_path, "teacher.safetensors")
    photos = shutil.copytree(trained / "photos", tmp_path / "moved")
    prepare(tmp_path, tiny_recipe(trained), str(photos), command="another").train(TEACHER)
    assert log.messages[-1].startswith("teacher is finished already")


@pytest.mark.parametrize(
    ("change", "place", "message"),
    [
        ({"batch": 2}, {}, r"recipe\.batch was 1, now 2"),
        ({"name": "other"}, {}, r"recipe\.name was 'tiny', now 'other'"),
        ({}, {"seed": 1}, r"seed was 0, now 1"),
        (
            {},
            {"validation": "val"},
            r"training_images was \['photo_0', 'photo_1', 'photo_2'\], now \['photo_0'",
        ),
    ],
)
def test_the_file_of_another_training_is_refused_by_name(
    trained: Path, tmp_path: Path, change: dict, place: dict, message: str
):
    copy(trained, tmp_path, "teacher.safetensors")
    before = (tmp_path / "teacher.safetensors").read_bytes()
    if "validation" in place:
        place = {"validation": str(tiny.write_photos(tmp_path / "val", n=1, side=48))}
    run = prepare(tmp_path, tiny_recipe(trained, **change), str(trained / "photos"), **place)
    with pytest.raises(InputError, match=rf"teacher\.safetensors was made with other settings \({message}"):
        run.train(TEACHER)
    assert (tmp_path / "teacher.safetensors").read_bytes() == before


def test_the_settings_of_other_stages_do_not_matter(
    trained: Path, tmp_path: Path, log: pytest.LogCaptureFixture
):
    copy(trained, tmp_path, "teacher.safetensors")
    recipe = tiny_recipe(trained).with_stage("supernet", steps=99)
    prepare(tmp_path, recipe, str(trained / "photos")).train(TEACHER)
    assert log.messages[-1].startswith("teacher is finished already")
    with pytest.raises(InputError, match=r"recipe\.stages\.learning_rate was 0\.0001, now 0\.1"):
        prepare(tmp_path, recipe.with_stage("teacher", learning_rate=0.1), str(trained / "photos")).train(
            TEACHER
        )


def test_a_new_parent_means_another_training(trained: Path, tmp_path: Path):
    copy(trained, tmp_path, "student.safetensors", "supergenerator.safetensors")
    found = checkpoint.read(tmp_path / "student.safetensors")
    state = {name: tensor + 1 for name, tensor in found.state.items()}
    checkpoint.save(tmp_path / "student.safetensors", dataclasses.replace(found, state=state))
    run = prepare(tmp_path, tiny_recipe(trained), str(trained / "photos"))
    with pytest.raises(InputError, match=r"\(parents\.student\.safetensors was '[0-9a-f]{64}', now '"):
        run.train(SUPERNET)


def test_restart_trains_again(trained: Path, tmp_path: Path):
    copy(trained, tmp_path, "teacher.safetensors")
    (tmp_path / "teacher.state").write_bytes(b"damaged")
    recipe = tiny_recipe(trained).with_stage("teacher", steps=1)
    prepare(tmp_path, recipe, str(trained / "photos"), restart=True).train(TEACHER)
    assert checkpoint.read(tmp_path / "teacher.safetensors").record["steps"] == 1
    assert not (tmp_path / "teacher.state").exists()


def test_images_of_several_folders(trained: Path, tmp_path: Path):
    folders = [str(tiny.write_photos(tmp_path / name, n=n, side=64)) for name, n in (("a", 2), ("b", 3))]
    run = prepare(tmp_path / "w", tiny_recipe(trained).with_stage("teacher", steps=1), folders)
    (path,) = run.train(TEACHER)
    record = checkpoint.read(path).record
    assert record["images"] == folders
    assert record["training_images"] == ["photo_0", "photo_0", "photo_1"]
    assert record["validation_images"] == ["photo_1", "photo_2"]  # the last tenth of each, rounded up
    with pytest.raises(InputError, match="given to train on twice"):
        prepare(tmp_path / "w", tiny_recipe(trained), [folders[0], folders[0]])


def test_esrgans_discriminator_trains_a_teacher_and_is_not_distilled(trained: Path, tmp_path: Path):
    copy(trained, tmp_path, "teacher.safetensors")
    run = prepare(tmp_path, tiny_recipe(trained, discriminator="esrgan"), str(trained / "photos"))
    run.train(TEACHER_GAN)
    path = tmp_path / "teacher_discriminator.safetensors"
    discriminator = load_discriminator(path, "teacher_discriminator")
    assert isinstance(discriminator, ESRGANDiscriminator)
    assert discriminator.config() == {"image_px": 64, "base": 64}
    with pytest.raises(
        InputError, match=r"'esrgan_discriminator' has no layers to distill; choose patchgan"
    ) as e:
        run.train(DISTILL)
    assert "\n" not in str(e.value)
    with pytest.raises(InputError, match="choose patchgan"):
        training.train(run)
    assert not (tmp_path / "student.safetensors").exists()


def test_its_crops_must_suit_esrgans_discriminator(trained: Path, tmp_path: Path):
    copy(trained, tmp_path, "teacher.safetensors")
    run = prepare(tmp_path, tiny_recipe(trained, discriminator="esrgan", crop_px=20), str(trained / "photos"))
    with pytest.raises(InputError, match="images of 80 px"):
        run.train(TEACHER_GAN)


@pytest.mark.parametrize(
    ("given", "needed", "stage", "message"),
    [
        ("student", "teacher", "teacher_gan", r"teacher\.safetensors: its role is 'student', 'teacher' is"),
        (
            "teacher",
            "teacher_gan",
            "distill",
            r"teacher_gan\.safetensors: its role is 'teacher', 'teacher_gan' is",
        ),
        (
            "discriminator",
            "teacher_discriminator",
            "distill",
            r"its role is 'discriminator', 'teacher_discriminator' is",
        ),
        (
            "supergenerator",
            "student",
            "supernet",
            r"student\.safetensors: its role is 'supergenerator', 'student' is",
        ),
        (
            "discriminator",
            "student",
            "supernet",
            r"student\.safetensors: its role is 'discriminator', 'student' is",
        ),
    ],
)
def test_a_wrong_parent_is_named(
    trained: Path, tmp_path: Path, given: str, needed: str, stage: str, message: str
):
    copy(trained, tmp_path, "teacher_gan.safetensors", "teacher_discriminator.safetensors")
    shutil.copy(trained / f"{given}.safetensors", tmp_path / f"{needed}.safetensors")
    run = prepare(tmp_path, tiny_recipe(trained), str(trained / "photos"))
    before = sorted(tmp_path.iterdir())
    with pytest.raises(InputError, match=message):
        training.train(run, [STAGES[stage]])
    assert sorted(tmp_path.iterdir()) == before


def test_a_variant_has_a_folder_of_its_own(trained: Path, tmp_path: Path):
    run = prepare(tmp_path, tiny_recipe(trained), str(trained / "photos"))
    other = run.varied("wide", batch=3)
    assert other.options.folder == tmp_path / "wide"
    assert other.options.folder.is_dir()
    assert (other.recipe.batch, run.recipe.batch) == (3, 1)
    assert (other.training, other.options.images) == (run.training, run.options.images)


def change_record(path: Path, **entries: object) -> None:
    found = checkpoint.read(path)
    checkpoint.save(path, dataclasses.replace(found, record={**found.record, **entries}))


def a_perceptual_loss() -> PerceptualLoss:
    return PerceptualLoss(torch.nn.Conv2d(3, 4, 3))


def test_vgg19s_file_matters_to_the_stages_that_weigh_it_alone(
    trained: Path, tmp_path: Path, log: pytest.LogCaptureFixture
):
    copy(
        trained,
        tmp_path,
        *(f"{name}.safetensors" for name in ("teacher", "teacher_gan", "teacher_discriminator")),
    )
    run = prepare(tmp_path, tiny_recipe(trained), str(trained / "photos"))
    with_vgg19 = dataclasses.replace(run, perceptual=a_perceptual_loss())
    log.clear()
    with_vgg19.train(TEACHER)
    # Version 0.1.0 recorded the loss of every stage as used when the file was there.
    change_record(tmp_path / "teacher.safetensors", perceptual_loss=True)
    run.train(TEACHER)
    assert len(log.messages) == 2
    assert all(line.startswith("teacher is finished already") for line in log.messages)
    copy(trained, tmp_path, "teacher.safetensors")
    with pytest.raises(InputError, match=r"perceptual_loss was False, now True"):
        with_vgg19.train(TEACHER_GAN)


def test_records_without_the_layers_are_of_the_papers(
    trained: Path, tmp_path: Path, log: pytest.LogCaptureFixture
):
    """As version 0.1.0 wrote them."""
    copy(trained, tmp_path, "teacher.safetensors")
    run = dataclasses.replace(
        prepare(tmp_path, tiny_recipe(trained), str(trained / "photos")), perceptual=a_perceptual_loss()
    )
    files = run.train(TEACHER_GAN)
    record = checkpoint.read(files[0]).record
    assert record["perceptual_features"] == "VGG19 conv5_4, before the activation"
    recipe: Any = record["recipe"]
    for name in ("perceptual_backbone", "perceptual_layers"):
        del recipe[name]
    for stage in recipe["stages"].values():
        for name in ("criterion", "max_psnr_loss_db"):
            del stage[name]
    for path in files:
        change_record(path, recipe=recipe, perceptual_features="as 0.1.0 did not write it")
    log.clear()
    run.train(TEACHER_GAN)
    assert log.messages[0].startswith("teacher_gan is finished already")
    for settings, message in (
        ({"perceptual_backbone": "vgg16"}, r"recipe\.perceptual_backbone was 'vgg19', now 'vgg16'"),
        (
            {"perceptual_layers": {"conv3_3": 1.0}},
            r"recipe\.perceptual_layers\.conv3_3 was 'not given', now 1\.0",
        ),
    ):
        other = dataclasses.replace(run, recipe=dataclasses.replace(run.recipe, **settings))
        with pytest.raises(InputError, match=message):
            other.train(TEACHER_GAN)


@pytest.mark.parametrize(
    ("stage", "without_effect", "effective"),
    [
        (
            TEACHER,
            {"student_width": 32, "teacher_discriminator": 5, "discriminator": "esrgan", "norm": "l2"},
            {"teacher_width": 32},
        ),
        (TEACHER, {"perceptual_backbone": "vgg16", "perceptual_layers": {"conv1_2": 1.0}}, {"batch": 2}),
        (TEACHER_GAN, {"teacher_width": 32, "student_discriminator": 5}, {"teacher_discriminator": 5}),
        (DISTILL, {"teacher_discriminator": 5, "perceptual": "required"}, {"norm": "l2"}),
        (SUPERNET, {"student_width": 32, "discriminator": "esrgan"}, {"batch": 2}),
    ],
    ids=lambda value: value.name if isinstance(value, StageSpec) else "",
)
def test_settings_that_a_stage_does_not_use_make_no_other_training(
    trained: Path, tmp_path: Path, stage: StageSpec, without_effect: dict, effective: dict
):
    copy(trained, tmp_path, *(f"{name}.safetensors" for name in tiny.STAGE_FILES))
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    run = prepare(tmp_path, tiny_recipe(trained), str(trained / "photos"))
    dataclasses.replace(run, recipe=dataclasses.replace(run.recipe, **without_effect)).train(stage)
    assert {path: path.read_bytes() for path in before} == before
    with pytest.raises(InputError, match=rf"recipe\.{next(iter(effective))} was"):
        dataclasses.replace(run, recipe=dataclasses.replace(run.recipe, **effective)).train(stage)


def test_the_recipe_of_an_old_checkpoint_with_ignored_halvings_is_read(trained: Path):
    found = checkpoint.read(trained / "supergenerator.safetensors")
    record: Any = found.record
    record["recipe"]["stages"]["finetune"] |= {"cosine": True, "halve_at": [3]}
    expected = tiny_recipe(trained).with_stage("finetune", cosine=True)
    assert recipe_of(found) == expected


def test_a_stage_for_a_picked_network_names_its_command(trained: Path, tmp_path: Path):
    copy(trained, tmp_path, "discriminator.safetensors")
    run = prepare(tmp_path, tiny_recipe(trained), str(trained / "photos"))
    with pytest.raises(InputError, match="use `mfagan finetune`"):
        run.train(STAGES["finetune"])


def test_widths_that_no_step_reaches_are_reported(
    trained: Path, tmp_path: Path, log: pytest.LogCaptureFixture
):
    copy(trained, tmp_path, "student.safetensors")
    sampling = Sampling(rule="sandwich", full_first=1)
    recipe = tiny_recipe(trained).with_stage("supernet", sampling=sampling, steps=1)
    run = prepare(tmp_path, recipe, str(trained / "photos"))
    log.clear()
    run.train(SUPERNET)
    assert log.messages[0] == (
        "recipe tiny: stage supernet ends at step 1: sampling.full_first 1 leaves no step to the narrower slices"
    )
