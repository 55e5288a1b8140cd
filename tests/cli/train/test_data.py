from pathlib import Path

import pytest
import torch

from mfagan.data.images import from_uint8, read_image, resize_bicubic, to_uint8
from tests import tiny
from tests.command import Run


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
