"""Picture files of every kind: long text, unusual pixels, names, damage."""

import contextlib
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from mfagan.data.images import read_levels, read_size
from mfagan.data.splits import read_sets
from mfagan.errors import InputError
from tests.command import Run
from tests.pictures import draw


def png_with(kind: str = "") -> bytes:
    """A PNG with megabytes of text or of a colour profile in front of its pixels."""
    info = PngImagePlugin.PngInfo()
    if kind == "zTXt":
        info.add_text("note", "x" * 3_000_000, zip=True)
    elif kind == "iTXt":
        info.add_itxt("workflow", "y" * 3_000_000, zip=True)
    buffer = io.BytesIO()
    profile = {"icc_profile": bytes(3_000_000)} if kind == "iCCP" else {}
    picture = Image.fromarray(np.arange(32 * 24 * 3, dtype=np.uint32).astype(np.uint8).reshape(24, 32, 3))
    picture.save(buffer, format="PNG", pnginfo=info, **profile)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["zTXt", "iTXt", "iCCP"])
def test_text_and_profiles_of_any_length_are_passed_over(tmp_path: Path, kind: str):
    (tmp_path / "a.png").write_bytes(png_with(kind))
    (tmp_path / "plain.png").write_bytes(png_with())
    assert read_size(tmp_path / "a.png") == (24, 32)
    assert np.array_equal(read_levels(tmp_path / "a.png"), read_levels(tmp_path / "plain.png"))


def test_the_orientation_in_a_png_s_xmp_counts(tmp_path: Path):
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", '<rdf:Description tiff:Orientation="6"/>')
    Image.new("RGB", (32, 24)).save(tmp_path / "a.png", pnginfo=info)
    assert read_levels(tmp_path / "a.png").shape == (3, 32, 24)


@pytest.mark.parametrize("dtype", [np.int32, np.float32])
def test_pixels_of_no_agreed_range_are_refused(tmp_path: Path, dtype: type):
    Image.fromarray(np.full((24, 24), 200, dtype)).save(tmp_path / "a.tif")
    with pytest.raises(InputError, match=r"a\.tif: .* have no agreed range \(save it with 8 or 16 bits\)"):
        read_levels(tmp_path / "a.tif")


def test_a_16_bit_pgm_keeps_its_high_byte(tmp_path: Path):
    levels = np.full((24, 24), 200 * 256, ">u2")
    (tmp_path / "a.pgm").write_bytes(b"P5 24 24 65535\n" + levels.tobytes())
    assert np.all(read_levels(tmp_path / "a.pgm") == 200)


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "a.png"


@settings(max_examples=150, deadline=None)
@given(noise=st.binary(max_size=60), at=st.integers(0, 400))
def test_any_bytes_are_a_picture_or_an_input_error(fuzzed: Path, noise: bytes, at: int):
    whole = png_with()
    for content in (noise, whole[:at], whole[:at] + noise + whole[at + len(noise) :]):
        fuzzed.write_bytes(content)
        for read in (read_levels, read_size):
            with contextlib.suppress(InputError):
                read(fuzzed)


NAMES = ["²", "10²5", "x⁴", "1①2", "٣", "[bold]", "[", "a\nb", "-x", "é", "😀", "\udcff"]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_pictures_and_folders_may_have_any_name(run: Run, tmp_path: Path, name: str):
    folder = tmp_path / name
    draw(folder / f"{name}.png", 32, 32)
    draw(folder / "2.png", 32, 32)
    assert {pair.name for pair in read_sets(folder)[name]} == {name, "2"}
    for command in (
        ["data", "check", folder, "--crop", 4],
        ["evaluate", "--scale", 4, "--images", folder, "--no-latency", "--out", tmp_path / "out"],
        [
            "evaluate",
            "--scale",
            4,
            "--images",
            folder,
            "--no-latency",
            "--save-images",
            tmp_path / "pictures",
        ],
    ):
        done = run(*command)
        assert done.status == 0, done.err
    assert (tmp_path / "out" / "evaluation.md").is_file()
