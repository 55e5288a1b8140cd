"""`mfagan coronetgan translate`."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import mfagan
from tests.command import Run
from tests.coronetgan.saved import small_resnet, write
from tests.pictures import draw

TRANSLATE = ("coronetgan", "translate")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("networks") / "dense.safetensors", small_resnet())


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    draw(tmp_path / "photos" / "10.png", 24, 20)
    draw(tmp_path / "photos" / "9.jpg", 33, 18, seed=1)
    return tmp_path / "photos"


def test_a_folder_becomes_pictures_of_the_same_names_and_sizes(
    run: Run, file: Path, photos: Path, tmp_path: Path
):
    out = tmp_path / "out"
    done = run(*TRANSLATE, file, photos, "--out", out, "--device", "cpu")
    assert done.status == 0, done.err
    assert done.out == f"{out / '9.png'}: 33x18 px\n{out / '10.png'}: 24x20 px\n"
    model = mfagan.load(file, device="cpu")
    for name in ("9.jpg", "10.png"):
        found = np.asarray(Image.open(out / f"{Path(name).stem}.png"))
        assert (found == np.asarray(model(photos / name))).all()


def test_pictures_are_resized_as_the_public_test_does(run: Run, file: Path, photos: Path, tmp_path: Path):
    source = photos / "9.jpg"
    done = run(*TRANSLATE, file, source, "--out", tmp_path / "out", "--size", 64, "--device", "cpu", "--json")
    assert done.status == 0, done.err
    (one,) = json.loads(done.answer)["translated"]
    assert one == {"source": str(source), "file": str(tmp_path / "out" / "9.png"), "size": "64x64 px"}
    resized = Image.open(source).convert("RGB").resize((64, 64), Image.Resampling.BICUBIC)
    expected = np.asarray(mfagan.load(file, device="cpu")(resized))
    assert (np.asarray(Image.open(tmp_path / "out" / "9.png")) == expected).all()


def test_it_goes_on_past_bad_files_and_continues_later(run: Run, file: Path, photos: Path, tmp_path: Path):
    (photos / "broken.png").write_bytes(b"no picture")
    os.mkfifo(photos / "pipe.png")
    command = (*TRANSLATE, file, photos, "--out", tmp_path / "out", "--device", "cpu")
    done = run(*command)
    assert done.status == 1
    assert "broken.png: it is not a picture Pillow knows" in done.err
    assert "pipe.png: it is not a file" in done.err
    assert "2 of 4 files could not be translated" in done.err
    assert "Traceback" not in done.err
    (photos / "broken.png").unlink()
    (photos / "pipe.png").unlink()
    again = run(*command)
    assert (again.status, again.out) == (0, "")
    assert "2 of 2 files exist already and are left" in again.err
    assert len(run(*command, "--overwrite").out.splitlines()) == 2


def test_a_slice_is_chosen(run: Run, photos: Path, tmp_path: Path):
    network = small_resnet()
    path = write(tmp_path / "shared.safetensors", network, "supernet")
    widths = "8,12,16,32,24,8,6"
    done = run(*TRANSLATE, path, photos / "10.png", "--out", tmp_path, "--widths", widths, "--device", "cpu")
    assert done.status == 0, done.err
    expected = mfagan.load(path, widths=widths, device="cpu")(photos / "10.png")
    assert (np.asarray(Image.open(tmp_path / "10.png")) == np.asarray(expected)).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("{photos}/none.png", "--out", "{out}"), "cannot read image {photos}/none.png: no such file"),
        (("{out}", "--out", "{out}"), "folder {out} holds no picture (.bmp, .jpeg"),
        (
            ("{photos}/10.png", "--out", "{photos}/9.jpg"),
            "9.jpg is a file, and pictures are written into a folder",
        ),
        (("{photos}", "--out", "{photos}"), "10.png is the input"),
        (("{photos}", "--out", "{photos}", "--overwrite"), "10.png is the input"),
        (("{photos}/9.jpg", "{other}/9.png", "--out", "{out}"), "would both become {out}/9.png; rename"),
        (
            ("{photos}/10.png", "--out", "{out}", "--max-megapixels", "0.0001"),
            "over 0.0001: resize it with --size",
        ),
        (("{photos}/10.png", "--out", "{out}", "--widths", "8"), "a dense has no trained slices"),
        (("{photos}/10.png", "--out", "{out}", "--device", "abacus"), "device 'abacus' cannot be used here"),
    ],
)
def test_what_cannot_be_translated(
    run: Run, file: Path, photos: Path, tmp_path: Path, arguments: tuple[str, ...], message: str
):
    places = {"photos": photos, "out": tmp_path / "out", "other": tmp_path / "other"}
    (tmp_path / "out").mkdir()
    draw(tmp_path / "other" / "9.png")
    done = run(*TRANSLATE, file, *(one.format(**places) for one in arguments))
    assert message.format(**places) in done.message
    assert list((tmp_path / "out").iterdir()) == []
    assert sorted(os.listdir(photos)) == ["10.png", "9.jpg"]


def test_networks_of_other_systems_are_refused(run: Run, trained: Path, photos: Path, tmp_path: Path):
    done = run(*TRANSLATE, trained / "supergenerator.safetensors", photos, "--out", tmp_path / "out")
    assert "its network is 'mfanet', a translator of pictures is needed here" in done.message
