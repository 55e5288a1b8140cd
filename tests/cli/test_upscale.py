"""`mfagan upscale`, as a user calls it."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import mfagan
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
