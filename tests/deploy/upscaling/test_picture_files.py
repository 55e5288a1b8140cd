"""Picture files with all that belongs to them, read and written."""

import os
from pathlib import Path

import numpy as np
import pytest
import pyvips
from PIL import Image, ImageCms

from mfagan.deploy.upscaling.picture_files import Picture, read_picture, require_format, write_picture
from mfagan.errors import InputError

RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (5, 7, 3), dtype=np.uint8)
ALPHA = RNG.integers(0, 256, (5, 7), dtype=np.uint8)
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
LOSSLESS = (".png", ".tif")


def enlarge(picture: Picture, path: Path) -> Picture:
    """Write a picture twice as large, every pixel four times, and read it again."""
    with write_picture(path, picture, 2) as put:
        put(slice(None), slice(None), picture.colours.repeat(2, axis=0).repeat(2, axis=1))
    return read_picture(path)


@pytest.mark.parametrize("suffix", LOSSLESS)
@pytest.mark.parametrize(
    ("mode", "shape"), [("RGB", (5, 7, 3)), ("L", (5, 7, 1)), ("RGBA", (5, 7, 3)), ("LA", (5, 7, 1))]
)
def test_colours_grey_and_transparency_stay(mode: str, shape: tuple[int, ...], suffix: str, tmp_path: Path):
    picture = Image.fromarray(RGB).convert(mode.removesuffix("A"))
    if mode.endswith("A"):
        picture.putalpha(Image.fromarray(ALPHA))
    picture.save(tmp_path / "small.png")
    found = read_picture(tmp_path / "small.png")
    assert found.colours.shape == shape
    assert found.colours.dtype == np.uint8
    assert (found.alpha is not None) == mode.endswith("A")
    large = enlarge(found, tmp_path / f"large{suffix}")
    assert (large.colours[::2, ::2] == found.colours).all()
    with Image.open(tmp_path / f"large{suffix}") as written:
        assert (written.mode, written.size) == (mode, (14, 10))
    if found.alpha is not None:
        assert large.alpha is not None
        assert abs(large.alpha.mean() - ALPHA.mean()) < 3


@pytest.mark.parametrize("suffix", LOSSLESS)
@pytest.mark.parametrize("n_colours", [1, 3])
def test_16_bits_stay(n_colours: int, suffix: str, tmp_path: Path):
    levels = RNG.integers(0, 65_536, (5, 7, n_colours), dtype=np.uint16)
    kind = "grey16" if n_colours == 1 else "rgb16"
    pyvips.Image.new_from_array(levels, interpretation=kind).write_to_file(str(tmp_path / f"small{suffix}"))
    found = read_picture(tmp_path / f"small{suffix}")
    assert (found.colours == levels).all()
    large = enlarge(found, tmp_path / f"large{suffix}")
    assert large.colours.dtype == np.uint16
    assert (large.colours[1::2, 1::2] == levels).all()


@pytest.mark.parametrize("suffix", [".jpg", ".webp"])
def test_16_bits_become_8_where_the_format_has_no_more(suffix: str, tmp_path: Path):
    levels = np.full((16, 16, 3), 200 * 257, np.uint16)
    pyvips.Image.new_from_array(levels, interpretation="rgb16").write_to_file(str(tmp_path / "small.png"))
    large = enlarge(read_picture(tmp_path / "small.png"), tmp_path / f"large{suffix}")
    assert large.colours.dtype == np.uint8
    assert abs(large.colours.astype(int) - 200).max() <= 2


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif"])
def test_profile_and_exif_stay_and_the_picture_is_upright(suffix: str, tmp_path: Path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    exif[0x010F] = "Camera"
    wide = np.zeros((16, 48, 3), np.uint8)
    wide[:, 24:] = 255
    Image.fromarray(wide).save(tmp_path / "small.jpg", exif=exif, icc_profile=PROFILE, quality=100)
    found = read_picture(tmp_path / "small.jpg")
    assert found.size == (48, 16)
    assert found.colours[:20].max() < 20 < 230 < found.colours[28:].min()
    enlarge(found, tmp_path / f"large{suffix}")
    with Image.open(tmp_path / f"large{suffix}") as written:
        assert written.size == (32, 96)
        assert written.info["icc_profile"] == PROFILE
        assert written.getexif().get(0x0112, 1) == 1
        if suffix != ".tif":  # libvips writes no EXIF data there
            assert written.getexif()[0x010F].startswith("Camera")


def test_a_palette_becomes_colours(tmp_path: Path):
    Image.fromarray(RGB).quantize(4).save(tmp_path / "small.gif")
    found = read_picture(tmp_path / "small.gif")
    assert found.colours.shape == (5, 7, 3)
    with Image.open(tmp_path / "small.gif") as expected:
        assert (found.colours == np.asarray(expected.convert("RGB"))).all()


def test_cmyk_becomes_colours(tmp_path: Path):
    Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(tmp_path / "small.jpg", quality=100)
    red, green, blue = read_picture(tmp_path / "small.jpg").colours.reshape(-1, 3).mean(0)
    assert red > 180
    assert max(green, blue) < 80


def truncated(folder: Path) -> Path:
    noise = RNG.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(folder / "whole.png")
    path = folder / "small.png"
    path.write_bytes((folder / "whole.png").read_bytes()[:6000])
    return path


def pipe(folder: Path) -> Path:
    os.mkfifo(folder / "small.png")
    return folder / "small.png"


def text(folder: Path) -> Path:
    (folder / "small.png").write_text("no picture")
    return folder / "small.png"


def floats(folder: Path) -> Path:
    path = folder / "small.tif"
    pyvips.Image.new_from_array(np.zeros((4, 4, 3), np.float32)).write_to_file(str(path))
    return path


def large(folder: Path) -> Path:
    Image.new("1", (20_000, 11_000)).save(folder / "small.png")
    return folder / "small.png"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (truncated, r"cannot read image .*small\.png: .*; give a whole, readable picture"),
        (text, r"cannot read image .*small\.png: .*not a known file format; give a whole"),
        (pipe, r"small\.png: it is not a file"),
        (lambda folder: folder, "it is not a file"),
        (lambda folder: folder / "none.png", r"none\.png: No such file or directory"),
        (floats, r"small\.tif: pixels of the type float have no agreed range; save it with 8 or 16 bits"),
        (large, r"has 220 megapixels, over 200: if that is right, allow it with --max-megapixels 220"),
    ],
)
def test_what_is_no_picture_is_refused_in_a_line(make, message: str, tmp_path: Path):
    with pytest.raises(InputError, match=message) as caught:
        read_picture(make(tmp_path))
    assert "\n" not in str(caught.value)


def test_a_wrong_suffix_does_not_matter(tmp_path: Path):
    Image.fromarray(RGB).save(tmp_path / "small.png")
    os.rename(tmp_path / "small.png", tmp_path / "small.jpg")
    assert (read_picture(tmp_path / "small.jpg").colours == RGB).all()


def opaque(height: int, width: int) -> Picture:
    return Picture(np.broadcast_to(np.uint8(0), (height, width, 3)), None, {}, (1, 1))


@pytest.mark.parametrize(
    ("name", "picture", "message"),
    [
        ("a.bmp", opaque(4, 4), r"unknown ending '\.bmp'; give one of \.png, \.jpg"),
        ("a", opaque(4, 4), "unknown ending ''"),
        (
            "a.jpg",
            Picture(RGB, ALPHA, {}, (1, 1)),
            r"JPEG holds no transparency; give \.png, \.webp or \.tif",
        ),
        ("a.webp", opaque(4, 4_100), r"a side of 16400 px, WebP holds 16383; give \.png or \.tif"),
        ("a.JPEG", opaque(16_400, 4), r"a side of 65600 px, JPEG holds 65535"),
    ],
)
def test_what_a_format_cannot_hold_is_refused(name: str, picture: Picture, message: str, tmp_path: Path):
    with pytest.raises(InputError, match=message):
        require_format(tmp_path / name, picture, 4)


def test_an_interrupted_write_leaves_what_was_there(tmp_path: Path):
    path = tmp_path / "large.png"
    path.write_bytes(b"old")

    def interrupt() -> None:
        with write_picture(path, Picture(RGB, None, {}, (1, 1)), 2):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupt()
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["large.png"]
