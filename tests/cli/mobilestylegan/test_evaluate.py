"""`mfagan mobilestylegan evaluate`."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import mfagan
from mfagan.mobilestylegan.kinds import load_generator
from mfagan.mobilestylegan.training.validation import HeldOut
from tests import tiny
from tests.command import Run
from tests.inception_file import write_inception
from tests.mobilestylegan.saved import write_pair
from tests.mobilestylegan.training.small import build_teacher

EVALUATE = ("mobilestylegan", "evaluate")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("generators")
    write_pair(folder, build_teacher(), "small-")
    write_pair(folder, build_teacher((16, 16, 8, 8), style_dim=12), "other-")
    return write_pair(folder, build_teacher((16, 16, 8, 8)))


@pytest.fixture(scope="module")
def inception(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_inception(tmp_path_factory.mktemp("inception") / "random.pth")


def test_distances_and_costs_of_both(run: Run, files: tuple[Path, Path], tmp_path: Path):
    teacher, student = files
    out = tmp_path / "figures.json"
    command = [*EVALUATE, student, "--teacher", teacher, "--latents", 5, "--psi", 0.8, "--device", "cpu"]
    done = run(*command, "--out", out)
    assert done.status == 0, done.err
    found = json.loads(out.read_text())
    large, small = load_generator(teacher), load_generator(student)
    pictures = [mfagan.load(one, device="cpu")(range(5), psi=0.8, output="tensor") for one in files]
    difference = pictures[0].clamp(-1, 1) - pictures[1].clamp(-1, 1)
    assert found["distance"] == pytest.approx(difference.abs().mean().item() / 2, rel=1e-4)
    assert found["psnr_db"] == pytest.approx(10 * np.log10(4 / difference.square().mean().item()), abs=1e-3)
    assert found["psnr_db"] == pytest.approx(HeldOut.by_teacher(large, 5, 0.8)(small).score, abs=1e-3)  # pyright: ignore[reportArgumentType]
    assert (found["latents"], found["psi"], found["lpips"], found["distributions"]) == (5, 0.8, None, [])
    assert found["teacher"]["params_deployed"] == 11_515
    assert (found["student"]["params_training"], found["student"]["params_deployed"]) == (4_929, 4_929 - 696)
    assert "student against teacher, 5 shared latents, psi 0.8, constant noise:" in done.answer
    shown = " ".join(done.answer.split())
    assert "parameters, training form 11,515 4,929 2.34" in shown
    assert (
        "MACs with transposed convolutions at their output's resolution, as several papers print them"
        in shown
    )
    assert "LPIPS is left out: alexnet's weights are missing" in done.err
    assert (
        "FID and KID are left out: Inception's weights are missing: put pt_inception-2015-12-05-6726825d"
        in done.err
    )
    assert done.out.splitlines()[-1].startswith(
        f"next: mfagan mobilestylegan sample {student} --beside-teacher"
    )


def test_lpips_is_measured_where_its_weights_are(
    run: Run, files: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    weights = tiny.write_alexnet(tmp_path / "alexnet.pth", monkeypatch)
    command = ["--latents", 3, "--weights", weights]
    done = run(*EVALUATE, files[1], "--teacher", files[0], *command, "--json")
    assert done.status == 0, done.err
    assert json.loads(done.out)["lpips"] > 0.01
    folder = files[0].parent
    small = [folder / f"small-{name}.safetensors" for name in ("student", "teacher")]
    done = run(*EVALUATE, small[0], "--teacher", small[1], *command)
    assert "LPIPS alex v0.1 is left out: it needs pictures of 31 px" in done.answer


def test_random_features_are_said_not_to_be_fid(
    run: Run, files: tuple[Path, Path], inception: Path, tmp_path: Path
):
    folder = tmp_path / "real"
    folder.mkdir()
    for i in range(3):
        side = 48 if i else 32
        noise = np.random.default_rng(i).integers(0, 256, (side, side, 3), dtype=np.uint8)
        Image.fromarray(noise).save(folder / f"{i}.png")
    command = [
        *EVALUATE,
        files[1],
        "--teacher",
        files[0],
        "--latents",
        2,
        "--inception",
        inception,
        "--samples",
        2,
    ]
    done = run(*command, "--images", folder, "--json")
    assert done.status == 0, done.err
    found = json.loads(done.out)
    assert [one["network"] for one in found["distributions"]] == ["student", "teacher"]
    assert all(one["frechet_distance_not_fid"] > 1e-3 for one in found["distributions"])
    assert "fid" not in found["distributions"][0]
    assert found["protocol"].startswith(
        f"2 samples (psi 1, constant noise) against 3 pictures of {folder} (resized by Lanczos (Pillow) to 32 px); "
        "Inception-v3 with other weights, so not FID and not KID (random.pth"
    )
    assert "warning" in done.err
    assert "are not FID and not KID" in done.err
    Image.new("RGB", (40, 32)).save(folder / "wide.png")
    assert "wide.png is 40x32 px: give square ones" in run(*command, "--images", folder).message


def test_without_pictures_the_teachers_samples_are_compared_with(
    run: Run, files: tuple[Path, Path], inception: Path, monkeypatch: pytest.MonkeyPatch
):
    from mfagan.checkpoint import sha256
    from mfagan.evaluation import inception as published

    monkeypatch.setattr(published, "_SHA256", sha256(inception)[:8])
    command = ["--latents", 2, "--inception", inception, "--samples", 2]
    done = run(*EVALUATE, files[1], "--teacher", files[0], *command)
    assert done.status == 0, done.err
    assert (
        "FID and KID: 2 samples (psi 1, constant noise) against 2 of the teacher's, of other seeds; "
        in done.answer
    )
    assert "50,000 samples are usual" in done.answer
    assert "not FID" not in done.answer + done.err


REFUSED = {
    "another size": (["--teacher", "{small}"], "teacher: its size is 16, the student's is 32; give the teacher"),
    "other styles": (["--teacher", "{other}"], "teacher: its style_dim is 12, the student's is 8"),
    "no teacher": (["--teacher", "{student}"], "it is a mobilestylegan, and the student a mobilestylegan"),
    "psi": (["--teacher", "{teacher}", "--psi", "nan"], "psi nan: give a finite number"),
    "pictures without Inception": (
        ["--teacher", "{teacher}", "--images", "{tmp}"],
        "FID and KID need Inception. Inception's weights are missing: put pt_inception",
    ),
    "no pictures": (["--teacher", "{teacher}", "--images", "{tmp}/none"], "none: no such folder"),
    "absent weights": (["--teacher", "{teacher}", "--inception", "{tmp}/i.pth"], "i.pth: no such file; give the path"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_wrong_input_is_refused_in_one_line(run: Run, files: tuple[Path, Path], tmp_path: Path, case: str):
    for name in ("a.png", "b.png"):
        Image.new("RGB", (16, 16)).save(tmp_path / name)
    options, message = REFUSED[case]
    names = {"tmp": tmp_path, "teacher": files[0], "student": files[1]}
    names |= {name: files[0].with_name(f"{name}-teacher.safetensors") for name in ("small", "other")}
    assert message in run(*EVALUATE, files[1], *(one.format(**names) for one in options)).message


def test_images_of_a_teacher_that_are_not_finite(run: Run, files: tuple[Path, Path], tmp_path: Path):
    teacher = build_teacher((16, 16, 8, 8))
    with torch.no_grad():
        teacher.synthesis.constant.fill_(3e38)
    broken, _ = write_pair(tmp_path, teacher)
    message = run(*EVALUATE, files[1], "--teacher", broken, "--latents", 2).message
    assert "finite" in message
