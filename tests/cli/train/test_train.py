"""`mfagan train` where it ends early, and its sources of images."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch._inductor import config as inductor

from mfagan import checkpoint
from mfagan.sr.kinds import load_generator
from mfagan.sr.network.mfanet import MFANet
from mfagan.sr.network.widths import Widths
from mfagan.sr.study.picked import Picked
from mfagan.training.snapshot import read_snapshot
from tests import ROOT, tiny
from tests.command import Run


def test_several_folders_of_images(run: Run, trained: Path, tmp_path: Path):
    folders = [tiny.write_photos(tmp_path / name, n=2, side=64) for name in ("a", "b")]
    command = [
        "train",
        trained / "tiny.toml",
        "--out",
        tmp_path / "w",
        "--stage",
        "teacher",
        "--device",
        "cpu",
    ]
    done = run(*command, "--images", folders[0], "--images", folders[1], "--max-steps", 1)
    assert done.status == 0, done.err
    record = checkpoint.read(tmp_path / "w" / "teacher.safetensors").record
    assert record["images"] == [str(folder) for folder in folders]
    assert record["training_images"] == ["photo_0", "photo_0"]
    assert record["validation_images"] == ["photo_1", "photo_1"]
    assert str(record["command"]).startswith(f"mfagan train {trained / 'tiny.toml'} --out ")
    validated = run(
        *command, "--images", folders[0], "--validation", folders[1], "--max-steps", 1, "--restart"
    )
    assert validated.status == 0, validated.err
    record = checkpoint.read(tmp_path / "w" / "teacher.safetensors").record
    assert record["training_images"] == record["validation_images"] == ["photo_0", "photo_1"]
    twice = run(*command, "--images", folders[0], "--images", folders[0]).message
    assert "given to train on twice" in twice


@pytest.mark.parametrize(
    ("checkpoint_every", "last"),
    [
        (1, "the last good checkpoint is {state} at step {good};"),
        (100, "no good checkpoint has been written;"),
    ],
)
def test_a_training_that_diverges_ends_in_one_line(
    run: Run, trained: Path, tmp_path: Path, checkpoint_every: int, last: str
):
    recipe = tiny.write_recipe(tmp_path, steps=9, checkpoint_every=checkpoint_every)
    recipe.write_text(recipe.read_text().replace("learning_rate = 1e-4", "learning_rate = 1e6"))
    out = tmp_path / "w"
    done = run("train", recipe, "--images", trained / "photos", "--out", out, "--device", "cpu")
    message = done.message
    step = int(message.split("diverged at step ")[1].split()[0])
    assert 0 < step < 9
    assert " (not finite: recon " in message
    assert "learning_rate 1e+06" in message
    # The weights after `step` steps were ruined already, those before the last step were the last good ones.
    assert last.format(state=out / "teacher.state", good=step - 1) in message
    assert "lower the learning rate" in message
    assert not list(out.glob("*.safetensors"))
    assert (out / "teacher.state").exists() == (checkpoint_every == 1)


def _listen_to_ctrl_c() -> None:
    """A shell starts what it runs in the background deaf to SIGINT, and its children inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def start(recipe: Path, photos: Path, out: Path) -> subprocess.Popen:
    command = [sys.executable, "-m", "mfagan", "train", str(recipe), "--images", str(photos)]
    command += ["--out", str(out), "--device", "cpu", "--stage", "teacher"]
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        preexec_fn=_listen_to_ctrl_c,
    )


@pytest.mark.slow
def test_ctrl_c_ends_quietly_and_the_same_command_goes_on(trained: Path, tmp_path: Path):
    recipe = tiny.write_recipe(tmp_path, steps=60, checkpoint_every=3)
    photos, state = trained / "photos", tmp_path / "stopped" / "teacher.state"
    process = start(recipe, photos, state.parent)
    deadline = time.monotonic() + 120
    while not state.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130, err[-2000:]
    assert out == ""
    assert "Traceback" not in err
    assert err.splitlines()[-1].startswith(
        "mfagan: interrupted; what was trained up to the last snapshot is kept"
    )
    assert sorted(path.name for path in state.parent.iterdir()) == ["logs", "teacher.state"]
    found = torch.load(state, weights_only=True)
    snapshot = read_snapshot(state, found["identity"])
    assert snapshot is not None
    assert 0 < snapshot.step < 60
    states = []
    for folder in (state.parent, tmp_path / "whole"):
        process = start(recipe, photos, folder)
        _, err = process.communicate(timeout=240)
        assert process.returncode == 0, err[-2000:]
        states.append(checkpoint.read(folder / "teacher.safetensors").state)
    assert not state.exists()
    assert states[0].keys() == states[1].keys()
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


# What is refused or reported before the work


def train_command(trained: Path, out: Path, *more: object) -> list[object]:
    command: list[object] = ["train", trained / "tiny.toml", "--images", trained / "photos", "--out", out]
    return [*command, "--device", "cpu", "--max-steps", 1, *more]


@pytest.mark.parametrize("name", ["teacher", "teacher_discriminator"])
def test_a_folder_where_a_checkpoint_would_be_written_is_refused_before_any_stage(
    run: Run, trained: Path, tmp_path: Path, name: str
):
    (tmp_path / f"{name}.safetensors").mkdir()
    message = run(*train_command(trained, tmp_path)).message
    assert f"cannot write {tmp_path / f'{name}.safetensors'}: it is a folder" in message
    assert [path.name for path in tmp_path.iterdir()] == [f"{name}.safetensors"]


@pytest.mark.parametrize("images", ["photos", "absent"])
def test_fine_tuning_refuses_a_discriminator_that_cannot_be_used(
    run: Run, trained: Path, tmp_path: Path, images: str
):
    """Before the images are looked for."""
    supernet, picked, out = (
        trained / "supergenerator.safetensors",
        tmp_path / "picked.json",
        tmp_path / "x.st",
    )
    sha256 = checkpoint.sha256(supernet)
    Picked("s", 0, (24,) * 8, 30.0, 1.0, 1, 1, 1, "", str(supernet), sha256).save(picked)
    command = ["finetune", picked, "--images", trained / images, "--device", "cpu", "--out", out]
    message = run(*command, "--discriminator", tmp_path / "missing").message
    assert f"checkpoint {tmp_path / 'missing'}: no such file" in message
    message = run(*command, "--discriminator", trained / "student.safetensors").message
    assert "its network is 'mfanet', a discriminator is needed here" in message
    assert not out.exists()


def test_a_cosine_excludes_halvings(run: Run, trained: Path, tmp_path: Path):
    recipe = tiny.write_recipe(tmp_path)
    text = recipe.read_text().replace(
        "[stages.distill]\n", "[stages.distill]\ncosine = true\nhalve_at = [1]\n"
    )
    recipe.write_text(text)
    message = run("train", recipe, "--images", trained / "photos", "--out", tmp_path / "w").message
    assert f"recipe {recipe}: stages.distill: cosine and halve_at exclude each other: remove one" in message


def test_settings_beyond_a_stages_length_are_reported(run: Run, trained: Path, tmp_path: Path):
    recipe = tiny.write_recipe(tmp_path)
    late = "[stages.teacher]\nhalve_at = [1, 2]\nwarm_up = 3\n"
    recipe.write_text(recipe.read_text().replace("[stages.teacher]\n", late))
    command = ["train", recipe, "--images", trained / "photos", "--device", "cpu", "--stage", "teacher"]
    done = run(*command, "--out", tmp_path / "w")
    assert done.status == 0, done.err
    assert (
        "mfagan: warning: recipe tiny: stage teacher ends at step 2: halve_at 2 is never reached" in done.err
    )
    assert "stage teacher ends at step 2: warm_up 3 is not finished" in done.err


# Pictures that are too small


def test_small_pictures_are_skipped_and_counted(run: Run, trained: Path, tmp_path: Path):
    photos = shutil.copytree(trained / "photos", tmp_path / "photos")
    for i, (width, height) in enumerate([(63, 200), (200, 63), (20, 20), (10, 10)]):
        Image.new("RGB", (width, height), "teal").save(photos / f"a_{i}.png")
    command = ["train", trained / "tiny.toml", "--images", photos, "--device", "cpu", "--stage", "teacher"]
    done = run(*command, "--max-steps", 1, "--out", tmp_path / "w")
    assert done.status == 0, done.err
    listed = ", ".join(str(photos / f"a_{i}.png") for i in (0, 1, 2))
    assert (
        f"mfagan: warning: 4 of 7 training images are smaller than 64x64 px and are skipped: {listed}, ...\n"
        in done.err
    )
    record = checkpoint.read(tmp_path / "w" / "teacher.safetensors").record
    assert record["training_images"] == ["photo_0", "photo_1", "photo_2"]


def test_pictures_that_are_all_too_small_are_refused(run: Run, trained: Path, tmp_path: Path):
    photos = tiny.write_photos(tmp_path / "photos", n=2, side=60)
    command = ["train", trained / "tiny.toml", "--device", "cpu", "--out", tmp_path / "w", "--max-steps", 1]
    message = run(*command, "--images", photos, "--validation", trained / "photos").message
    assert "all 2 training images are smaller than 64x64 px, among them" in message
    assert str(photos / "photo_0.png") in message


def test_small_validation_pictures_are_known_before_the_training(run: Run, trained: Path, tmp_path: Path):
    validation = tiny.write_photos(tmp_path / "validation", n=1, side=64)
    Image.new("RGB", (100, 17), "teal").save(validation / "strip.png")
    command = ["train", trained / "tiny.toml", "--images", trained / "photos", "--device", "cpu"]
    command += ["--stage", "teacher", "--max-steps", 1, "--out", tmp_path / "w", "--validation"]
    done = run(*command, validation)
    assert done.status == 0, done.err
    assert (
        f"1 of 2 validation images are smaller than 20x20 px and are skipped: {validation / 'strip.png'}"
        in done.err
    )
    (validation / "photo_0.png").unlink()
    assert "all 1 validation images are smaller than 20x20 px" in run(*command, validation).message


# VGG19


def test_vgg19_is_needed_by_stages_that_weigh_it_alone(run: Run, trained: Path, tmp_path: Path):
    recipe = tiny.write_recipe(tmp_path)
    recipe.write_text(recipe.read_text().replace('"where_present"', '"required"'))
    command = ["train", recipe, "--images", trained / "photos", "--device", "cpu", "--out", tmp_path / "w"]
    done = run(*command, "--stage", "teacher")
    assert done.status == 0, done.err
    assert "vgg19" not in done.err
    message = run(*command).message
    assert (
        "recipe tiny needs the perceptual loss in teacher_gan, distill, supernet: vgg19's weights" in message
    )
    recipe.write_text(recipe.read_text().replace("percep = 1, ", "").replace(", percep = 1", ""))
    done = run(*command, "--max-steps", 1, "--restart")
    assert done.status == 0, done.err
    assert "vgg19" not in done.err


# A limit of time


def test_a_training_that_is_stopped_in_time_is_continued_by_the_same_command(
    run: Run, trained: Path, tmp_path: Path
):
    recipe = tiny.write_recipe(tmp_path, steps=3)
    command = ["train", recipe, "--images", trained / "photos", "--device", "cpu", "--stage", "teacher"]
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert run(*command, "--out", whole).status == 0
    for step in (1, 2):
        done = run(*command, "--out", parts, "--for", 1e-9)
        assert done.status == 0, done.err
        again = "stage teacher stopped at step {} of 3 after 1e-09 minutes; the same command continues\n"
        assert done.answer == again.format(step)
        assert (parts / "teacher.state").exists()
    done = run(*command, "--out", parts, "--for", 60)
    assert (done.status, done.answer) == (0, f"{parts / 'teacher.safetensors'}\n")
    found, expected = (checkpoint.read(folder / "teacher.safetensors") for folder in (parts, whole))
    assert all(torch.equal(found.state[name], weight) for name, weight in expected.state.items())
    assert {**found.record, "command": ""} == {**expected.record, "command": ""}
    assert "mfagan: teacher: step 3, validation " in done.err
    assert "--restart" not in done.out
    done = run(*command, "--out", parts, "--for", 1e-9, "--restart")
    assert done.answer.endswith("; the same command without --restart continues\n")


def test_a_fine_tuning_is_stopped_in_time(run: Run, trained: Path, tmp_path: Path):
    picked, out = tmp_path / "picked.json", tmp_path / "net.safetensors"
    supernet = trained / "supergenerator.safetensors"
    Picked("s", 0, (24,) * 8, 30.0, 1.0, 1, 1, 1, "", str(supernet), checkpoint.sha256(supernet)).save(picked)
    command = ["finetune", picked, "--discriminator", trained / "discriminator.safetensors", "--out", out]
    command += ["--images", trained / "photos", "--device", "cpu", "--max-steps", 2]
    done = run(*command, "--for", 1e-9)
    assert done.status == 0, done.err
    assert (
        done.answer
        == "stage finetune stopped at step 1 of 2 after 1e-09 minutes; the same command continues\n"
    )
    assert not out.exists()
    done = run(*command)
    assert done.status == 0, done.err
    assert out.exists()


@pytest.mark.parametrize("minutes", ["0", "-5", "nan", "inf"])
def test_times_that_cannot_be(run: Run, trained: Path, tmp_path: Path, minutes: str):
    message = run(*train_command(trained, tmp_path / "w", f"--for={minutes}")).message
    assert f"--for: the time limit is {minutes} minutes: give a positive number of minutes" in message
    assert not (tmp_path / "w").exists()


# Starting from a checkpoint


def start_from(run: Run, trained: Path, out: Path, init: Path, *more: object) -> checkpoint.Checkpoint:
    """A SuperGenerator trained for one step of almost no length from a checkpoint, without a student's file."""
    out.mkdir(parents=True)
    recipe = tiny.write_recipe(out.parent)
    recipe.write_text(recipe.read_text().replace("learning_rate = 2e-4", "learning_rate = 1e-12"))
    command = ["train", recipe, "--images", trained / "photos", "--device", "cpu", "--out", out]
    done = run(*command, "--stage", "supernet", "--init", init, "--max-steps", 1, *more)
    assert done.status == 0, done.err
    return checkpoint.read(out / "supergenerator.safetensors")


def test_a_supernet_goes_on_from_a_supernet_in_its_order(run: Run, trained: Path, tmp_path: Path):
    init = trained / "supergenerator.safetensors"
    found, given = start_from(run, trained, tmp_path / "w", init), checkpoint.read(init)
    for name, weight in given.state.items():
        torch.testing.assert_close(found.state[name], weight, rtol=0, atol=1e-6, msg=name)
    assert found.record["parents"] == {init.name: checkpoint.sha256(init)}


def test_a_supernet_that_starts_from_another_generator_is_sorted(run: Run, trained: Path, tmp_path: Path):
    init = Path(shutil.copy(trained / "student.safetensors", tmp_path / "mine.safetensors"))
    found = start_from(run, trained, tmp_path / "a" / "w", init)
    (tmp_path / "b" / "w").mkdir(parents=True)
    shutil.copy(trained / "student.safetensors", tmp_path / "b" / "w")
    recipe = tmp_path / "a" / "tiny.toml"
    command = ["train", recipe, "--images", trained / "photos", "--device", "cpu", "--max-steps", 1]
    done = run(*command, "--stage", "supernet", "--out", tmp_path / "b" / "w")
    assert done.status == 0, done.err
    usual = checkpoint.read(tmp_path / "b" / "w" / "supergenerator.safetensors")
    assert all(torch.equal(found.state[name], weight) for name, weight in usual.state.items())
    assert not torch.equal(found.state["head.weight"], checkpoint.read(init).state["head.weight"])


def test_a_recipe_can_leave_the_channels_unsorted(run: Run, trained: Path, tmp_path: Path):
    recipe = tiny.write_recipe(tmp_path)
    text = recipe.read_text().replace(
        "learning_rate = 2e-4", "learning_rate = 1e-12\nsampling = { sort = false }"
    )
    recipe.write_text(text)
    shutil.copy(trained / "student.safetensors", tmp_path)
    command = ["train", recipe, "--images", trained / "photos", "--device", "cpu", "--out", tmp_path]
    done = run(*command, "--stage", "supernet", "--max-steps", 1)
    assert done.status == 0, done.err
    student, found = (
        checkpoint.read(tmp_path / f"{name}.safetensors") for name in ("student", "supergenerator")
    )
    torch.testing.assert_close(found.state["head.weight"], student.state["head.weight"], rtol=0, atol=1e-6)


def test_a_narrower_generator_is_grown_into_the_supernet(run: Run, trained: Path, tmp_path: Path):
    torch.manual_seed(0)
    network = MFANet(Widths.uniform(24), 4, "bicubic")
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    init = tmp_path / "narrow.safetensors"
    checkpoint.save(init, checkpoint.Checkpoint("mfanet", "teacher", network.config(), network.state_dict()))
    start_from(run, trained, tmp_path / "w", init)
    grown = load_generator(tmp_path / "w" / "supergenerator.safetensors")
    assert isinstance(grown, MFANet)
    assert grown.widths == Widths.uniform(48)
    x = torch.rand(1, 3, 12, 12)
    with torch.inference_mode():
        assert torch.allclose(grown(x), network.eval()(x), atol=1e-4)


def test_a_student_starts_from_a_generator_and_its_teachers_are_read_as_always(
    run: Run, trained: Path, tmp_path: Path
):
    init, out = trained / "supergenerator.safetensors", tmp_path / "w"
    recipe = tiny.write_recipe(tmp_path)
    recipe.write_text(recipe.read_text().replace("learning_rate = 1e-4", "learning_rate = 1e-12"))
    out.mkdir()
    for name in ("teacher_gan", "teacher_discriminator"):
        shutil.copy(trained / f"{name}.safetensors", out)
    command = ["train", recipe, "--images", trained / "photos", "--device", "cpu", "--out", out]
    done = run(*command, "--stage", "distill", "--max-steps", 1, "--init", init)
    assert done.status == 0, done.err
    found, given = checkpoint.read(out / "student.safetensors"), checkpoint.read(init)
    torch.testing.assert_close(found.state["head.weight"], given.state["head.weight"], rtol=0, atol=1e-6)
    parents = found.record["parents"]
    assert isinstance(parents, dict)
    assert set(parents) == {init.name, "teacher_gan.safetensors", "teacher_discriminator.safetensors"}


def test_a_teacher_starts_from_a_teacher(run: Run, trained: Path, tmp_path: Path):
    init = trained / "teacher.safetensors"
    recipe = tiny.write_recipe(tmp_path)
    recipe.write_text(recipe.read_text().replace("learning_rate = 1e-4", "learning_rate = 1e-12"))
    command = ["train", recipe, "--images", trained / "photos", "--device", "cpu", "--out", tmp_path / "w"]
    command += ["--stage", "teacher", "--max-steps", 1]
    done = run(*command, "--init", init)
    assert done.status == 0, done.err
    found, given = checkpoint.read(tmp_path / "w" / "teacher.safetensors"), checkpoint.read(init)
    torch.testing.assert_close(found.state["head.weight"], given.state["head.weight"], rtol=0, atol=1e-6)
    assert found.record["parents"] == {init.name: checkpoint.sha256(init)}
    assert "was made with other settings (parents." in run(*command).message


@pytest.mark.parametrize(
    ("stages", "init", "message"),
    [
        ([], "supergenerator", "give --stage teacher or --stage distill or --stage supernet alone"),
        (
            ["teacher_gan"],
            "supergenerator",
            "give --stage teacher or --stage distill or --stage supernet alone",
        ),
        (
            ["teacher", "supernet"],
            "supergenerator",
            "give --stage teacher or --stage distill or --stage supernet alone",
        ),
        (["supernet"], "missing", "no such file"),
        (["supernet"], "discriminator", "its network is 'patchgan', 'mfanet' is needed here"),
        (
            ["supernet"],
            "teacher",
            "has widths [64, 64, 64, 64, 64, 64, 64, 64], but stage supernet of recipe tiny trains widths [48,",
        ),
    ],
)
def test_checkpoints_that_a_stage_cannot_start_from(
    run: Run, trained: Path, tmp_path: Path, stages: list[str], init: str, message: str
):
    chosen = [word for name in stages for word in ("--stage", name)]
    command = train_command(trained, tmp_path / "w", *chosen, "--init", trained / f"{init}.safetensors")
    assert message in run(*command).message
    assert not (tmp_path / "w").exists()


def test_a_generator_of_another_scale_is_no_start(run: Run, trained: Path, tmp_path: Path):
    recipe = tiny.write_recipe(tmp_path, scale=2)
    init = trained / "supergenerator.safetensors"
    command = [
        "train",
        recipe,
        "--images",
        trained / "photos",
        "--out",
        tmp_path / "w",
        "--stage",
        "supernet",
    ]
    message = run(*command, "--init", init).message
    assert f"checkpoint {init} has scale 4, but stage supernet of recipe tiny trains scale 2" in message


def test_a_start_is_not_written_over(run: Run, trained: Path, tmp_path: Path):
    init = Path(shutil.copy(trained / "supergenerator.safetensors", tmp_path))
    content = init.read_bytes()
    command = train_command(trained, tmp_path, "--stage", "supernet", "--init", init, "--restart")
    assert "is the input" in run(*command).message
    assert init.read_bytes() == content


# torch.compile


def compiles(run: Run, trained: Path, out: Path, recipe: Path, *more: object) -> tuple[object, str]:
    command = ["train", recipe, "--images", trained / "photos", "--out", out, "--device", "cpu"]
    done = run(*command, "--stage", "teacher", "--max-steps", 1, *more)
    assert done.status == 0, done.err
    return checkpoint.read(out / "teacher.safetensors").record["compile"], done.err


def test_no_compile_overrules_the_recipe(run: Run, trained: Path, tmp_path: Path):
    recipe = tiny.write_recipe(tmp_path)
    recipe.write_text(f"compile = true\n{recipe.read_text()}")
    found, err = compiles(run, trained, tmp_path / "w", recipe, "--no-compile")
    assert found is False
    assert "compile" not in err


@pytest.mark.slow  # PyTorch traces the network before it misses the compiler
def test_compile_overrules_the_recipe_and_without_a_compiler_training_goes_on(
    run: Run, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "cache"))
    recipe = tiny.write_recipe(tmp_path)
    with inductor.patch({"cpp.cxx": (str(tmp_path / "g++"),)}):
        found, err = compiles(run, trained, tmp_path / "w", recipe, "--compile")
    assert found is True
    (line,) = [line for line in err.splitlines() if line.startswith("mfagan: warning: ")]
    assert "training goes on without torch.compile, which fails here" in line


def test_terms_are_recorded_and_inherited(run: Run, trained: Path, tmp_path: Path):
    first = train_command(trained, tmp_path / "w", "--stage", "teacher", "--terms", "research only")
    assert run(*first).status == 0
    assert (
        run(*train_command(trained, tmp_path / "w", "--stage", "teacher_gan", "--terms", "no sale")).status
        == 0
    )
    teacher, tuned = (
        checkpoint.read(tmp_path / "w" / f"{name}.safetensors").record for name in ("teacher", "teacher_gan")
    )
    assert (teacher["terms"], tuned["terms"]) == ("research only", "research only; no sale")
    assert teacher["sets"]["training"]["photos"]["n_images"] == len(teacher["training_images"])  # type: ignore[index]
    assert teacher["machine"]
    done = run(*train_command(trained, tmp_path / "w", "--stage", "teacher", "--terms", "other words"))
    assert "teacher is finished already" in done.err
