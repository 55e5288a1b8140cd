"""`mfagan upscale`, as a user calls it."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import mfagan
from mfagan.sr import shipped
from tests import ROOT
from tests.clips import film, watch
from tests.command import Run
from tests.pictures import draw


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    draw(tmp_path / "photos" / "a.png", 12, 10, seed=1)
    draw(tmp_path / "photos" / "b.png", 14, 9, seed=2)
    return tmp_path / "photos"


def test_a_picture_without_a_model_is_enlarged_by_the_packages(run: Run, photos: Path, tmp_path: Path):
    done = run("upscale", photos / "a.png", tmp_path / "large.png", "--device", "cpu")
    assert done.status == 0, done.err
    assert done.out == f"{tmp_path / 'large.png'}: 48x40 px\n"
    expected = mfagan.load(device="cpu")(np.asarray(Image.open(photos / "a.png")))
    assert (np.asarray(Image.open(tmp_path / "large.png")) == expected).all()


def test_a_model_and_its_slice_are_chosen(run: Run, photos: Path, tmp_path: Path):
    for model, widths in (("free", "24"), ("perceptual", None)):
        options = [] if widths is None else ["--widths", widths]
        done = run("upscale", photos / "a.png", tmp_path / f"{model}.png", "--model", model, *options)
        assert done.status == 0, done.err
        expected = mfagan.load(model, widths=widths, device="cpu")(np.asarray(Image.open(photos / "a.png")))
        assert (np.asarray(Image.open(tmp_path / f"{model}.png")) == expected).all()


def test_a_folder_goes_on_past_bad_files_and_continues_later(run: Run, photos: Path, tmp_path: Path):
    (photos / "broken.png").write_bytes(b"no picture")
    os.mkfifo(photos / "pipe.png")
    command = ("upscale", photos, tmp_path / "out", "--widths", "24")
    done = run(*command)
    assert done.status == 1
    assert sorted(os.listdir(tmp_path / "out")) == ["a.png", "b.png"]
    assert "broken.png: " in done.err
    assert "pipe.png: it is not a file" in done.err
    assert "2 of 4 files could not be enlarged" in done.err
    assert "Traceback" not in done.err

    (photos / "broken.png").unlink()
    (photos / "pipe.png").unlink()
    (tmp_path / "out" / "b.png").unlink()
    before = (tmp_path / "out" / "a.png").stat().st_mtime_ns
    again = run(*command)
    assert again.status == 0
    assert again.out == f"{tmp_path / 'out' / 'b.png'}: 56x36 px\n"
    assert "1 of 2 files exist already and are left; --overwrite replaces them" in again.err
    assert (tmp_path / "out" / "a.png").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("{photos}/none.png", "{out}/x.png"), "none.png: No such file or directory"),
        (("{photos}/*.jpg", "{out}"), "matches no file"),
        (("{photos}/a.png", "{photos}/a.png", "--overwrite"), "is the input"),
        (("{photos}/a.png", "{photos}/b.png"), "b.png exists; give another name, or --overwrite"),
        (("{photos}/a.png", "{out}/x.bmp"), "unknown ending '.bmp'"),
        (("{photos}/a.png", "{out}/x.png", "--fast", "--exact"), "give --fast or --exact, not both"),
        (("{photos}/a.png", "{out}/x.png", "--memory-mb", "50"), "give at least --memory-mb"),
        (("{photos}/a.png", "{out}/x.png", "--max-megapixels", "0"), "allow it with --max-megapixels 1"),
        (("{photos}/a.png", "{out}/x.png", "--model", "{photos}/b.png"), "b.png"),
        (("{photos}/a.png", "{out}/x.png", "--model", "{photos}/b.tflite"), "b.tflite: No such file"),
        (("{photos}/a.png", "{out}/x.png", "--model", "{photos}/b.onnx"), "b.onnx: No such file"),
        (("{photos}/a.png", "{out}/x.png", "--model", "n.onnx", "--widths", "24"), "leave --widths out"),
        (("{photos}/a.png", "{out}/x.png", "--model", "n.onnx", "--device", "cuda"), "runs on the CPU"),
        (("{photos}/a.png", "/proc/x.png"), "cannot write /proc"),
        (("{photos}/a.png", "{out}/x.png", "--model", "n.tflite", "--widths", "24"), "leave --widths out"),
        (
            ("{photos}/a.png", "{out}/x.png", "--model", str(shipped.DISCRIMINATOR)),
            "a generator is needed here",
        ),
        (("{photos}/a.png", "{out}/x.mp4"), "it is a picture"),
    ],
)
def test_bad_input_ends_in_one_line(
    run: Run, photos: Path, tmp_path: Path, arguments: tuple[str, ...], message: str
):
    before = sorted(tmp_path.rglob("*"))
    done = run("upscale", *(one.format(photos=photos, out=tmp_path) for one in arguments))
    assert message in done.message
    assert sorted(tmp_path.rglob("*")) == before


def test_a_folder_that_cannot_be_written_is_refused(run: Run, photos: Path, tmp_path: Path):
    (tmp_path / "file").write_text("here")
    done = run("upscale", photos / "a.png", tmp_path / "file" / "x.png")
    assert "a file stands where a folder is needed" in done.message


def test_a_clip_is_enlarged(run: Run, tmp_path: Path):
    source = film(tmp_path / "in.mov", (0, 100))
    done = run("upscale", source, tmp_path / "out.mkv", "--widths", "24", "--device", "cpu")
    assert done.status == 0, done.err
    assert done.out == f"{tmp_path / 'out.mkv'}: 128x96 px, 2 frames\n"
    assert watch(tmp_path / "out.mkv").sizes == {(128, 96)}


def test_tiny_pictures_and_clips_are_enlarged(run: Run, tmp_path: Path):
    draw(tmp_path / "a.png", 1, 1)
    film(tmp_path / "a.mp4", (0,), (2, 2), sound=None)
    for name, size in (("a.png", "4x4 px"), ("a.mp4", "8x8 px, 1 frames")):
        done = run(
            "upscale", tmp_path / name, tmp_path / f"large_{name}", "--widths", "24", "--device", "cpu"
        )
        assert done.status == 0, done.err
        assert done.out == f"{tmp_path / f'large_{name}'}: {size}\n"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a.png", "clip.mp4"])
def test_a_full_disk_leaves_nothing_half_written(photos: Path, tmp_path: Path, name: str):
    """The largest size of a file stands in for the room on the disk."""
    film(photos / "clip.mp4", range(0, 1_000, 100), (64, 48))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).write_bytes(b"old")
    command = [
        sys.executable,
        "-m",
        "mfagan",
        "upscale",
        photos / name,
        tmp_path / "out" / name,
        "--overwrite",
    ]
    done = subprocess.run(
        [*map(str, command), "--widths", "24"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, 5_000)),
    )
    assert done.returncode == 2, done.stderr
    assert "File too large; choose a place that can be written and has room" in done.stderr
    assert "Traceback" not in done.stderr
    assert [one.name for one in (tmp_path / "out").iterdir()] == [name]
    assert (tmp_path / "out" / name).read_bytes() == b"old"
