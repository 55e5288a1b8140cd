"""Picture files enlarged by a model: what is listed, how it fits into memory, and what is written."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import mfagan
from mfagan.data.splits import read_pairs
from mfagan.deploy.upscaling import pictures
from mfagan.deploy.upscaling.picture_files import read_picture
from mfagan.deploy.upscaling.pictures import (
    Job,
    UpscaleOptions,
    fit_tiling,
    list_jobs,
    upscale_file,
)
from mfagan.enlarging.tiling import Tiling
from mfagan.errors import InputError
from mfagan.sr.kinds import build
from tests import ROOT
from tests.pictures import draw


@pytest.fixture(scope="module")
def model() -> mfagan.Model:
    return mfagan.load(widths=24, device="cpu")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.jpg", "a.png", "c.GIF", ".hidden.png", "below/d.png"):
        draw(tmp_path / "in" / name)
    (tmp_path / "in" / "notes.txt").write_text("no picture")
    return tmp_path / "in"


def names(jobs: list[Job]) -> list[tuple[str, str]]:
    return [(job.source.name, job.target.name) for job in jobs]


def test_a_folder_gives_its_pictures(folder: Path, tmp_path: Path):
    jobs = list_jobs(str(folder), tmp_path / "out")
    assert names(jobs) == [("a.png", "a.png"), ("b.jpg", "b.jpg"), ("c.GIF", "c.png")]
    assert {job.target.parent for job in jobs} == {tmp_path / "out"}


def test_a_pattern_gives_what_matches(folder: Path, tmp_path: Path):
    assert names(list_jobs(str(folder / "[ab].*"), tmp_path / "out")) == [
        ("a.png", "a.png"),
        ("b.jpg", "b.jpg"),
    ]


def test_a_file_goes_to_a_file_or_into_a_folder(folder: Path, tmp_path: Path):
    assert list_jobs(str(folder / "a.png"), tmp_path / "x.tif") == [Job(folder / "a.png", tmp_path / "x.tif")]
    assert list_jobs(str(folder / "c.GIF"), tmp_path) == [Job(folder / "c.GIF", tmp_path / "c.png")]
    assert list_jobs(str(folder / "a.png"), tmp_path / "new") == [
        Job(folder / "a.png", tmp_path / "new" / "a.png")
    ]


def test_a_name_with_the_signs_of_a_pattern_is_a_file(tmp_path: Path):
    draw(tmp_path / "a[1].png")
    assert list_jobs(str(tmp_path / "a[1].png"), tmp_path / "b.png") == [
        Job(tmp_path / "a[1].png", tmp_path / "b.png")
    ]


def test_what_cannot_be_listed_is_refused(folder: Path, tmp_path: Path):
    (tmp_path / "empty").mkdir()
    draw(folder / "a.gif")
    for source, out, message in (
        (tmp_path / "empty", tmp_path / "out", r"holds no picture \(\.png"),
        (folder / "z*", tmp_path / "out", "matches no file"),
        (folder / "*.jpg", folder / "notes.txt", "1 pictures need a folder"),
        (
            folder,
            tmp_path / "out",
            r"a\.png and another picture would both become|a\.gif and another picture",
        ),
    ):
        with pytest.raises(InputError, match=message):
            list_jobs(str(source), out)


def test_tiles_fit_the_memory(model: mfagan.Model):
    held_bytes = 18_000_000
    sides = [
        fit_tiling(model, held_bytes, UpscaleOptions(memory_mb=mb)).tile_px for mb in (800, 1_000, 2_000)
    ]
    assert sides == sorted(sides)
    assert 100 < sides[1] < 500
    with pytest.raises(
        InputError, match=r"memory of 300 MB is too little .* give at least --memory-mb (\d+)"
    ) as caught:
        fit_tiling(model, held_bytes, UpscaleOptions(memory_mb=300))
    least = float(str(caught.value).split()[-1])
    assert fit_tiling(model, held_bytes, UpscaleOptions(memory_mb=least + 1)).tile_px >= 32


def test_a_file_becomes_what_the_model_gives(model: mfagan.Model, tmp_path: Path):
    pixels = draw(tmp_path / "a.png", 31, 17)
    assert upscale_file(model, Job(tmp_path / "a.png", tmp_path / "b.png"), UpscaleOptions()) == (68, 124)
    assert (np.asarray(Image.open(tmp_path / "b.png")) == model(pixels)).all()


def test_tiles_of_a_file_have_no_seams(model: mfagan.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    photo = (read_pairs("embedded")[0].hr[:, 40:150, 100:220].permute(1, 2, 0).numpy() * 255).astype(np.uint8)
    Image.fromarray(photo).save(tmp_path / "a.png")
    monkeypatch.setattr(pictures, "fit_tiling", lambda *_: Tiling(64))
    seen: list[int] = []
    job = Job(tmp_path / "a.png", tmp_path / "b.png")
    upscale_file(model, job, UpscaleOptions(), lambda done, total, note: seen.append(total))
    assert seen == [8] * 8
    found = np.asarray(Image.open(tmp_path / "b.png")).astype(int)
    assert abs(found - model(photo)).max() <= 1


def test_grey_16_bits_and_transparency_are_enlarged(model: mfagan.Model, tmp_path: Path):
    grey = np.linspace(0, 65_535, 20 * 24).reshape(20, 24).astype(np.uint16)
    Image.fromarray(grey).save(tmp_path / "grey.png")
    upscale_file(model, Job(tmp_path / "grey.png", tmp_path / "large.png"), UpscaleOptions())
    found = read_picture(tmp_path / "large.png").colours
    assert (found.shape, found.dtype) == ((80, 96, 1), np.uint16)
    expected = model(grey.astype(np.float64) / 65_535) * 65_535
    assert abs(found[:, :, 0] - expected).max() <= 1

    half = Image.fromarray(draw(tmp_path / "rgb.png"))
    half.putalpha(128)
    half.save(tmp_path / "half.png")
    upscale_file(model, Job(tmp_path / "half.png", tmp_path / "large.tif"), UpscaleOptions())
    written = read_picture(tmp_path / "large.tif")
    assert (written.colours == model(np.asarray(half)[:, :, :3])).all()
    assert written.alpha is not None
    assert (written.alpha == 128).all()


def test_a_picture_smaller_than_the_network_sees_is_enlarged(tmp_path: Path):
    rfdn = build("rfdn", {"features": 8, "n_blocks": 1}).eval()
    model = mfagan.Model(rfdn, 4, device=mfagan.load(widths=24, device="cpu").device, min_side_px=16)
    pixels = draw(tmp_path / "a.png", 3, 1)
    assert upscale_file(model, Job(tmp_path / "a.png", tmp_path / "b.png"), UpscaleOptions()) == (4, 12)
    assert (np.asarray(Image.open(tmp_path / "b.png")) == model(pixels)).all()


def test_nothing_is_overwritten_unasked(model: mfagan.Model, tmp_path: Path):
    draw(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"old")
    job = Job(tmp_path / "a.png", tmp_path / "b.png")
    with pytest.raises(InputError, match=r"b\.png exists; give another name, or --overwrite"):
        upscale_file(model, job, UpscaleOptions())
    assert (tmp_path / "b.png").read_bytes() == b"old"
    upscale_file(model, job, UpscaleOptions(overwrite=True))
    assert Image.open(tmp_path / "b.png").size == (96, 80)
    with pytest.raises(InputError, match="is the input"):
        upscale_file(model, Job(tmp_path / "a.png", tmp_path / "a.png"), UpscaleOptions(overwrite=True))


# ru_maxrss would be the peak of the process that started this one too, so the kernel's figure of this program alone.
MEASURED = """
import sys
import mfagan
from pathlib import Path
from mfagan.deploy.upscaling.pictures import Job, UpscaleOptions, upscale_file
model = mfagan.load(widths=24, device="cpu")
size = upscale_file(model, Job(Path(sys.argv[1]), Path(sys.argv[2])), UpscaleOptions(memory_mb=700))
[peak_kb] = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")]
print(*size, int(peak_kb) * 1024)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from Linux's /proc")
def test_a_large_picture_stays_within_the_memory(tmp_path: Path):
    """The whole picture at once would take some 6 GB."""
    draw(tmp_path / "a.png", 1_500, 800)
    command = [sys.executable, "-c", MEASURED, str(tmp_path / "a.png"), str(tmp_path / "b.png")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    height, width, peak = map(int, done.stdout.split())
    assert (height, width) == (3_200, 6_000)
    assert peak < 700e6
