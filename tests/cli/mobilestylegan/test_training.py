"""`mfagan mobilestylegan teacher`, `train` and `finetune`."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from mfagan import checkpoint
from mfagan.mobilestylegan.kinds import load_generator
from mfagan.mobilestylegan.network import MobileStyleGAN
from mfagan.mobilestylegan.study.picked import PickedStudent
from tests.command import Run
from tests.mobilestylegan.training.small import (
    build_teacher,
    write_student_recipe,
    write_teacher,
    write_teacher_recipe,
)
from tests.tiny import write_photos

GROUP = "mobilestylegan"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_teacher(tmp_path / "given" / "teacher.safetensors")


def write_student(path: Path, **options: object) -> Path:
    student = MobileStyleGAN.for_teacher(build_teacher(), **options)
    checkpoint.save(path, student.to_checkpoint("supernet"))
    return path


def test_a_teacher_a_student_and_a_weight_shared_one(run: Run, tmp_path: Path):
    out = tmp_path / "out"
    command = [GROUP, "teacher", write_teacher_recipe(tmp_path), "--out", out, "--device", "cpu"]
    done = run(*command, "--json")
    assert done.status == 0, done.err
    answer = json.loads(done.answer)
    teacher = out / "teacher.safetensors"
    assert answer["file"] == str(teacher)
    assert answer["psnr_db"] == checkpoint.read(teacher).record["psnr_db"]
    assert str(checkpoint.read(teacher).record["command"]).startswith("mfagan mobilestylegan teacher ")
    again = run(*command)
    assert "teacher is finished already" in again.err
    assert "dB against the drawings" in again.out
    assert f"next: mfagan mobilestylegan train demo --teacher {teacher}" in again.out

    command = [GROUP, "train", write_student_recipe(tmp_path), "--teacher", teacher, "--out", out]
    done = run(*command, "--device", "cpu", "--json")
    assert done.status == 0, done.err
    paths = [out / "student.safetensors", out / "supernet.safetensors"]
    assert json.loads(done.answer)["checkpoints"] == [str(path) for path in paths]
    assert [checkpoint.read(path).role for path in paths] == ["student", "supernet"]
    assert "validation " in done.err
    assert (out / "logs" / "supernet").is_dir()
    assert "next: mfagan mobilestylegan " in run(*command, "--device", "cpu").out


def test_one_stage_alone_starts_from_a_student(run: Run, tmp_path: Path, source: Path):
    start = write_student(tmp_path / "start.safetensors", demodulation="fixed")
    command = [GROUP, "train", write_student_recipe(tmp_path), "--teacher", source, "--out", tmp_path / "out"]
    done = run(*command, "--stage", "supernet", "--init", start, "--device", "cpu", "--max-steps", 1)
    assert done.status == 0, done.err
    assert sorted(path.name for path in (tmp_path / "out").glob("*.safetensors")) == ["supernet.safetensors"]
    student = load_generator(tmp_path / "out" / "supernet.safetensors")
    assert isinstance(student, MobileStyleGAN)
    assert student.synthesis.demodulation == "fixed"
    assert "stage 'teacher': choose from distill, supernet" in run(*command, "--stage", "teacher").message


def test_a_time_limit_says_how_to_go_on(run: Run, tmp_path: Path, source: Path):
    command = [GROUP, "train", write_student_recipe(tmp_path), "--teacher", source, "--out", tmp_path / "out"]
    done = run(*command, "--device", "cpu", "--for", 1e-9)
    assert done.status == 0, done.err
    assert "stage distill stopped at step 1 of 4" in done.out
    assert "next: mfagan mobilestylegan train " in done.out
    assert run(*command, "--device", "cpu").status == 0


def test_both_losses_and_psnr_are_shown(run: Run, tmp_path: Path, source: Path):
    recipe = write_student_recipe(tmp_path, adv=0.5)
    done = run(GROUP, "train", recipe, "--teacher", source, "--out", tmp_path / "out", "--device", "cpu")
    assert done.status == 0, done.err
    for name in ("loss ", "psnr_db ", "adv ", "discriminator_loss "):
        assert name in " ".join(done.err.split()), done.err


def test_a_slice_is_fine_tuned(run: Run, tmp_path: Path, source: Path):
    student, out = write_student(tmp_path / "student.safetensors"), tmp_path / "net.safetensors"
    command = [GROUP, "finetune", student, "--channels", "12,8", "--teacher", source, "--out", out]
    command += ["--recipe", write_student_recipe(tmp_path), "--device", "cpu"]
    done = run(*command, "--json")
    assert done.status == 0, done.err
    answer = json.loads(done.answer)
    assert answer["psnr_after_db"] >= answer["psnr_before_db"]
    found = checkpoint.read(out, role="finetuned")
    assert found.record["channels"] == [12, 8]
    network = load_generator(out)
    assert isinstance(network, MobileStyleGAN)
    assert network.synthesis.channels == (12, 8)
    assert f"next: mfagan mobilestylegan export {out}" in run(*command).out


def test_a_students_own_recipe_fine_tunes_its_slices(run: Run, tmp_path: Path, source: Path):
    out = tmp_path / "out"
    command = [GROUP, "train", write_student_recipe(tmp_path), "--teacher", source, "--out", out]
    assert run(*command, "--stage", "supernet", "--device", "cpu").status == 0
    supernet = out / "supernet.safetensors"
    command = [GROUP, "finetune", supernet, "--teacher", source, "--out", out / "net.safetensors"]
    done = run(*command, "--channels", "8,8", "--device", "cpu")
    assert done.status == 0, done.err
    assert checkpoint.read(out / "net.safetensors").record["recipe"]["name"] == "tiny"  # type: ignore[index]


def write_pick(path: Path, student: Path, teacher: Path) -> Path:
    figures = {"params": 1, "flops": 2, "memory_bytes": 3, "lut_sha256": "ab", "latency_ms": 0.5}
    files: dict[str, str] = {}
    for name, file in (("student", student), ("teacher", teacher)):
        files |= {name: str(file), f"{name}_sha256": checkpoint.sha256(file)}
    picked = {"study": "s", "trial": 4, "choice": {"c4": 8, "c8": 16}, "distance": 0.1, **figures, **files}
    PickedStudent(**picked).save(path)  # type: ignore[arg-type]
    return path


def test_a_pick_is_fine_tuned(run: Run, tmp_path: Path, source: Path):
    student = write_student(tmp_path / "student.safetensors")
    picked, out = write_pick(tmp_path / "picked.json", student, source), tmp_path / "net.safetensors"
    command = [GROUP, "finetune", picked, "--out", out]
    command += ["--recipe", write_student_recipe(tmp_path), "--device", "cpu"]
    done = run(*command)
    assert done.status == 0, done.err
    assert "is not recorded in its history (the pick does not say where its study is kept)" in done.err
    found = checkpoint.read(out)
    assert found.config["synthesis"]["channels"] == [8, 16]  # type: ignore[index]
    assert found.record["picked"]["trial"] == 4  # type: ignore[index]

    refused = run(*command, "--channels", "8,8").message
    assert f"--channels 8,8: the pick {picked} names its channels" in refused
    write_student(student, demodulation="fixed")
    assert "trial 4 was scored with" in run(*command).message
    moved = write_student(tmp_path / "moved" / "student.safetensors")
    assert run(*command, "--student", moved).status == 0
    other = write_teacher(tmp_path / "other" / "teacher.safetensors", build_teacher(seed=1))
    assert "give the original with --teacher" in run(*command, "--student", moved, "--teacher", other).message


@pytest.mark.parametrize(
    ("channels", "message"),
    [
        ("8;8", "channels '8;8': give one number for each resolution, joined by commas"),
        ("8", "channels 8 are no slice of 16, 16"),
        ("20,8", "channels 20, 8 are no slice of 16, 16"),
        ("6,8", "channels 6, 8; give multiples of 4"),
    ],
)
def test_channels_that_are_no_slice_are_refused(
    run: Run, tmp_path: Path, source: Path, channels: str, message: str
):
    student, out = write_student(tmp_path / "student.safetensors"), tmp_path / "net.safetensors"
    recipe = write_student_recipe(tmp_path)
    command = [GROUP, "finetune", student, "--teacher", source, "--out", out, "--recipe", recipe]
    assert message in run(*command, "--channels", channels, "--device", "cpu").message
    assert not out.exists()


def test_what_is_no_student_is_refused(run: Run, tmp_path: Path, source: Path):
    out = tmp_path / "net.safetensors"
    recipe = write_student_recipe(tmp_path)
    command = [GROUP, "finetune", source, "--teacher", source, "--out", out, "--recipe", recipe]
    assert "its network is 'stylegan2'" in run(*command).message.replace("stylegan2, not", "'stylegan2'")
    assert "belong to a pick" in run(*command, "--student", source).message
    assert "no such" in run(*command[:2], tmp_path / "none.json", *command[3:]).message.lower()
    student = write_student(tmp_path / "student.safetensors")
    assert "give its teacher with --teacher" in run(GROUP, "finetune", student, "--out", out).message


@pytest.mark.parametrize(
    ("channels", "style_dim", "message"),
    [
        ((16, 16, 8, 8), 8, "teacher: its size is 16, the student's is 32"),
        ((16, 16, 8), 12, "teacher: its style_dim is 8, the student's is 12"),
    ],
)
def test_a_teacher_of_another_student_is_refused(
    run: Run, tmp_path: Path, source: Path, channels: tuple[int, ...], style_dim: int, message: str
):
    other = MobileStyleGAN.for_teacher(build_teacher(channels, style_dim))
    start = tmp_path / "start.safetensors"
    checkpoint.save(start, other.to_checkpoint("student"))
    out, recipe = tmp_path / "out", write_student_recipe(tmp_path)
    command = [GROUP, "train", recipe, "--teacher", source, "--out", out, "--init", start, "--device", "cpu"]
    assert message in run(*command).message
    command = [GROUP, "finetune", start, "--teacher", source, "--out", out / "net.safetensors"]
    assert message in run(*command, "--recipe", recipe, "--device", "cpu").message


def test_teachers_that_cannot_teach_are_refused(run: Run, tmp_path: Path):
    recipe, out = write_student_recipe(tmp_path), tmp_path / "out"
    odd = write_teacher(tmp_path / "odd.safetensors", build_teacher((16, 6, 8)))
    broken = build_teacher()
    with torch.no_grad():
        broken.synthesis.constant.mul_(1e25)
        for one in broken.synthesis.to_rgb:
            one.get_parameter("weight").mul_(1e20)
    nan = write_teacher(tmp_path / "nan.safetensors", broken)
    student = write_student(tmp_path / "student.safetensors")
    for teacher, message in (
        (odd, "channels 16, 6; give multiples of 4"),
        (nan, "teacher: 3 of 3 images hold values that are not finite"),
        (student, "'mobilestylegan', 'stylegan2' is needed here"),
        (tmp_path / "none.safetensors", "none.safetensors"),
    ):
        found = run(GROUP, "train", recipe, "--teacher", teacher, "--out", out, "--device", "cpu")
        assert message in found.message
    assert not list(out.glob("*.safetensors"))


def test_results_never_replace_what_is_read(run: Run, tmp_path: Path, source: Path):
    student = write_student(source.with_name("student.safetensors"))
    recipe = write_student_recipe(tmp_path)
    command = [GROUP, "train", recipe, "--teacher", source, "--out", source.parent, "--init", student]
    assert "student.safetensors" in run(*command, "--device", "cpu").message
    command = [GROUP, "finetune", student, "--teacher", source, "--out", source, "--recipe", recipe]
    assert "teacher.safetensors" in run(*command, "--device", "cpu").message


def test_a_teacher_learns_pictures(run: Run, tmp_path: Path):
    photos, out = write_photos(tmp_path / "photos", n=3, side=32), tmp_path / "out"
    recipe = write_teacher_recipe(tmp_path, "pictures")
    command = [GROUP, "teacher", recipe, "--out", out, "--device", "cpu"]
    assert "recipe tiny learns pictures: give --images FOLDER" in run(*command).message
    done = run(*command, "--images", photos, "--terms", "mine")
    assert done.status == 0, done.err
    assert "from the pictures (not FID)" in done.out
    shown = " ".join(done.err.split())
    assert "losses " in shown
    assert "generator_loss " in shown
    record = checkpoint.read(out / "teacher.safetensors").record
    assert (record["terms"], record["images"]) == ("mine", [str(photos)])


def test_folders_that_no_teacher_can_learn_are_refused(run: Run, tmp_path: Path):
    recipe = write_teacher_recipe(tmp_path, "pictures")
    command = [GROUP, "teacher", recipe, "--out", tmp_path / "out", "--device", "cpu", "--images"]
    (tmp_path / "empty").mkdir()
    broken = write_photos(tmp_path / "broken", n=2, side=32)
    (broken / "photo_1.png").write_bytes((broken / "photo_1.png").read_bytes()[:200])
    one = write_photos(tmp_path / "one", n=1, side=32)
    for folder, message in (
        (tmp_path / "none", "no such image folder"),
        (tmp_path / "empty", "no images in"),
        (broken, "cannot read image"),
        (one, "has 1 image of at least 16x16 px"),
    ):
        assert message in run(*command, folder).message
    drawn = [GROUP, "teacher", write_teacher_recipe(tmp_path), "--out", tmp_path / "out", "--images", one]
    assert "learns drawings and needs none; leave them out" in run(*drawn).message
    shutil.rmtree(tmp_path / "out")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[16, 16, 8]", "[16, 16]", "size 8"),
        ("style_dim = 16", "style_dim = 8", "drawings depend on 15 numbers of a latent"),
        ('"drawings"', '"photos"', "learns: "),
    ],
)
def test_recipes_of_no_teacher_are_refused(run: Run, tmp_path: Path, old: str, new: str, message: str):
    recipe = write_teacher_recipe(tmp_path)
    recipe.write_text(recipe.read_text().replace(old, new))
    found = run(GROUP, "teacher", recipe, "--out", tmp_path / "out", "--device", "cpu").message
    assert message in found
