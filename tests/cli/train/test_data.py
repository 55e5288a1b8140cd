import json
from pathlib import Path

import pytest
import torch

from mfagan.data.images import from_uint8, read_image, resize_bicubic, to_uint8
from tests import tiny
from tests.command import Run
from tests.pictures import draw


@pytest.mark.parametrize("factor", [0.5, 0.75])
def test_shrunken_copies_are_bicubic(run: Run, tmp_path: Path, factor: float):
    photos, out = tiny.write_photos(tmp_path / "photos", n=2, side=64), tmp_path / "small"
    assert run("data", "shrink", photos, "--factor", factor, "--out", out).answer == f"{out}\n"
    for original in sorted(photos.iterdir()):
        expected = from_uint8(to_uint8(resize_bicubic(read_image(original), factor).clamp(0, 1)))
        assert torch.equal(read_image(out / original.name), expected)
        assert expected.shape[-1] == 64 * factor


def test_what_cannot_be_shrunk(run: Run, tmp_path: Path):
    photos = tiny.write_photos(tmp_path / "photos", n=1, side=64)
    assert (
        "shrink factor 1.5: give one between 0 and 1"
        in run("data", "shrink", photos, "--factor", 1.5, "--out", tmp_path / "small").message
    )
    before = {path: path.read_bytes() for path in photos.iterdir()}
    assert str(photos) in run("data", "shrink", photos, "--out", photos).message
    assert {path: path.read_bytes() for path in photos.iterdir()} == before


def test_a_folder_to_enlarge_is_described(run: Run, tmp_path: Path):
    photos = tiny.write_photos(tmp_path / "photos", n=2, side=64)
    facts = json.loads(run("data", "check", photos, "--json").out)
    assert (facts["usable"], facts["scale"], facts["sets"][0]["n_hr"]) == (True, 4, 2)
    lines = run("data", "check", photos, "--crop", 8).answer.splitlines()
    assert lines[:3] == [
        f"photos: HR images, in {photos}",
        "    2 HR, 0 LR, 2 pairs, 0.0 million HR pixels",
        "    smallest 64x64 px, largest 64x64 px",
    ]
    assert lines[-1] == "usable"
    message = run("data", "check", photos, "--paired").message
    assert "--paired is for folders trainA and trainB" in message
    assert "is no folder of pictures to translate" in run("data", "check", photos, "--translation").message
    assert "no such image folder" in run("data", "check", tmp_path / "absent").message


def test_unpaired_folders_are_described(run: Run, tmp_path: Path):
    for name, n in (("trainA", 2), ("trainB", 3), ("testA", 1), ("testB", 1)):
        for i in range(n):
            draw(tmp_path / name / f"{i}.png", 20 + i, 20 + i)
    done = run("data", "check", tmp_path)
    assert done.status == 0
    assert done.answer.splitlines() == [
        f"{tmp_path}: unpaired pictures of A and B",
        f"train: {tmp_path}/trainA and {tmp_path}/trainB",
        "    2 A, 3 B; names in both 2, in one alone 1",
        "    smallest 20x20 px, largest 22x22 px",
        f"test: {tmp_path}/testA and {tmp_path}/testB",
        "    1 A, 1 B; names in both 1, in one alone 0",
        "    smallest 20x20 px, largest 20x20 px",
        "usable",
    ]
    train = f"mfagan coronetgan train cyclegan --data {tmp_path} --ratio 0.5 --out runs/translation"
    assert done.out.splitlines()[-1] == f"next: {train}"
    done = run("data", "check", tmp_path, "--paired", "--json")
    facts = json.loads(done.out)
    assert (done.status, facts["usable"], facts["layout"]) == (2, False, "paired")
    assert facts["problems"] == [f"no partner: {tmp_path}/trainB/2.png (looked for 2 in {tmp_path}/trainA)"]
    assert run("data", "check", tmp_path, "--no-translation").answer.startswith("testA: ")


def test_pictures_side_by_side_are_described(run: Run, tmp_path: Path):
    draw(tmp_path / "train" / "1.png", 40, 20)
    draw(tmp_path / "train" / "2.png", 41, 20)
    draw(tmp_path / "test" / "1.png", 40, 20)
    done = run("data", "check", tmp_path)
    assert done.status == 2
    lines = done.answer.splitlines()
    assert lines[0] == f"{tmp_path}: pairs side by side, A in the left half"
    assert lines[2] == "    2 pictures; pairs 1, odd widths 1"
    assert lines[-1] == "not usable: 1 problem"
    assert "odd width: image " in lines[7]
    assert "next: " not in done.out


def test_what_to_train_on_pairs_is_said(run: Run, tmp_path: Path):
    for name in ("trainA", "trainB"):
        draw(tmp_path / "two" / name / "1.png", 20, 20)
    draw(tmp_path / "ab" / "train" / "1.png", 40, 20)
    draw(tmp_path / "tests" / "test" / "1.png", 40, 20)
    start = "next: mfagan coronetgan train pix2pix --data"
    assert run("data", "check", tmp_path / "two", "--paired").out.splitlines()[-1] == (
        f"{start} {tmp_path / 'two'} --ratio 0.5 --paired --out runs/translation"
    )
    assert run("data", "check", tmp_path / "ab").out.splitlines()[-1].startswith(start)
    assert run("data", "check", tmp_path / "tests").out.splitlines()[-1] == "usable"
