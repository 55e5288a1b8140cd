from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mfagan.data.images import (
    crop_to_multiple,
    from_uint8,
    luma,
    make_lr,
    read_image,
    read_size,
    resize_bicubic,
    to_uint8,
    write_image,
)
from mfagan.errors import InputError

# What MATLAB R2019b's imresize(x, size, 'bicubic') itself returned, x counting by rows from 0 (or `SPOTS`):
# github.com/sanghyun-son/bicubic_pytorch, commit da432d1, test_answer/*.mat (made by gen_test.m there).
SPOTS = torch.zeros(4, 4, dtype=torch.float64)
SPOTS[0, 0], SPOTS[1, 0], SPOTS[0, 1], SPOTS[0, 3] = 100, 10, 1, 100


def counting(side: int) -> torch.Tensor:
    return torch.arange(side * side, dtype=torch.float64).view(side, side)


MATLAB = {
    "down_down_small_aa": (
        counting(4),
        [
            [0.7505518763796901, 2.1004415011037523, 3.4503311258278133],
            [6.150110375275939, 7.500000000000001, 8.849889624724064],
            [11.549668874172186, 12.89955849889625, 14.24944812362031],
        ],
    ),
    "down_down_x4_aa": (counting(8), [[12.3837890625, 16.6318359375], [46.3681640625, 50.6162109375]]),
    "down_down_aa": (
        counting(8),
        [
            [6.472528773310022, 8.511591273310021, 10.535028773310023, 12.57409127331002],
            [28.44921875, 30.48828125, 32.51171875, 34.55078125],
            [50.42590872668998, 52.46497122668998, 54.48840872668998, 56.52747122668998],
        ],
    ),
    "down_down_x3_aa, first row": (
        counting(15),
        [[14.41975308641976, 17.506172839506178, 20.518518518518526, 23.530864197530867, 26.61728395061729]],
    ),
    "up_up_topleft_noaa": (
        SPOTS,
        [
            [
                108.68522499999966,
                27.697097499999902,
                -12.446562499999981,
                26.884192500000054,
                109.20249999999992,
            ],
            [35.4713649999999, 8.970788999999971, -3.589562499999994, 6.637437000000011, 26.96099999999997],
            [-0.6503124999999991, -0.2122187499999997, 0.39453125, -1.6079062500000063, -6.531250000000005],
            [-0.7680749999999994, -0.18962999999999977, 0.04593750000000004, 0.0, 0.0],
            [0.0, 0.0, 0.0, 0.0, 0.0],
        ],
    ),
}


@pytest.mark.parametrize("case", MATLAB)
def test_bicubic_returns_what_matlab_returned(case: str):
    image, rows = MATLAB[case]
    expected = torch.tensor(rows, dtype=torch.float64)
    size = (5, 5) if "first row" in case else (expected.shape[0], expected.shape[1])
    resized = resize_bicubic(image, size=size)[: len(rows)]
    # The published files carry MATLAB's own rounding, 5e-13 where the scale is 5/4.
    torch.testing.assert_close(resized, expected, rtol=0, atol=1e-12)


def keys(x: Fraction) -> Fraction:
    x = abs(x)
    if x <= 1:
        return Fraction(3, 2) * x**3 - Fraction(5, 2) * x**2 + 1
    if x <= 2:
        return -Fraction(1, 2) * x**3 + Fraction(5, 2) * x**2 - 4 * x + 2
    return Fraction(0)


def resize_exactly(rows: list[list[int]], scale: Fraction) -> list[list[Fraction]]:
    """The definition in rational numbers: every pixel of the thrice mirrored line has its say."""

    def line(values: list[Fraction]) -> list[Fraction]:
        length = len(values)
        mirrored = values[::-1] + values + values[::-1]
        stretch = min(scale, Fraction(1))
        out = []
        for i in range(int(length * scale)):
            centre = (i + Fraction(1, 2)) / scale - Fraction(1, 2)
            weights = [keys(stretch * (centre - (j - length))) for j in range(3 * length)]
            total = sum(w * v for w, v in zip(weights, mirrored, strict=True))
            out.append(total / sum(weights))
        return out

    across = [line([Fraction(v) for v in row]) for row in rows]
    down = [line(list(column)) for column in zip(*across, strict=True)]
    return [list(row) for row in zip(*down, strict=True)]


def test_a_quarter_gives_the_weights_computed_by_hand():
    weights = (
        4096 * resize_bicubic(torch.eye(32, dtype=torch.float64), size=(32, 8)).T
    )  # row i: output pixel i
    # 4096 k(d) / 4 at d = 1/8, 3/8, ..., 15/8: for instance k(1/8) = 1.5/512 - 2.5/64 + 1 = 987/1024.
    half = [987, 745, 399, 93, -49, -75, -45, -7]
    interior = [0] * 10 + half[::-1] + half + [0] * 6  # centred between pixels 17 and 18
    assert weights[4].tolist() == interior
    # Pixels 0 to 5 also stand for their mirror images -1 to -6: 745 + 399, 987 + 93, 987 - 49, ...
    edge = [1144, 1080, 938, 670, 354, 86, -49, -75, -45, -7] + [0] * 22
    assert weights[0].tolist() == edge
    assert weights[7].tolist() == edge[::-1]


def test_four_times_gives_the_weights_computed_by_hand():
    weights = 1024 * resize_bicubic(torch.eye(8, dtype=torch.float64), size=(8, 32)).T
    assert weights[8].tolist() == [
        -45,
        399,
        745,
        -75,
        0,
        0,
        0,
        0,
    ]  # centre 1.625: 13/8, 5/8, 3/8 and 11/8 away
    assert weights[0].tolist() == [745 + 399, -75 - 45, 0, 0, 0, 0, 0, 0]  # centre -0.375, mirrored


@pytest.mark.parametrize("scale", [Fraction(1, 4), Fraction(1, 3), Fraction(1, 2), Fraction(2), Fraction(4)])
def test_bicubic_agrees_with_exact_rational_arithmetic(scale: Fraction):
    pixels = np.random.default_rng(7).integers(0, 256, (12, 24))
    expected = [[float(v) for v in row] for row in resize_exactly(pixels.tolist(), scale)]
    resized = resize_bicubic(torch.from_numpy(pixels).double(), scale)
    torch.testing.assert_close(resized, torch.tensor(expected, dtype=torch.float64), rtol=0, atol=1e-11)


@pytest.mark.parametrize("scale", [0.25, 1 / 3, 0.5, 2, 3, 4])
def test_bicubic_keeps_constants_up_to_the_border(scale: float):
    resized = resize_bicubic(torch.full((3, 12, 24), 0.3, dtype=torch.float64), scale)
    assert resized.shape == (3, round(12 * scale), round(24 * scale))
    torch.testing.assert_close(resized, torch.full_like(resized, 0.3), rtol=0, atol=1e-14)


@pytest.mark.parametrize("scale", [Fraction(1, 4), Fraction(4)])
def test_bicubic_keeps_a_ramp_inside(scale: Fraction):
    ramp = torch.arange(48, dtype=torch.float64).expand(16, 48)
    resized = resize_bicubic(ramp, scale)
    centres = (torch.arange(resized.shape[1]) + 0.5) / float(scale) - 0.5
    inside = slice(3, -3) if scale < 1 else slice(8, -8)
    torch.testing.assert_close(resized[0, inside], centres[inside].double(), rtol=0, atol=1e-12)


@pytest.mark.parametrize("scale", [Fraction(1, 4), Fraction(1, 3), Fraction(4)])
def test_bicubic_commutes_with_flips_and_transposition(scale: Fraction):
    image = torch.rand(2, 3, 12, 24, dtype=torch.float64)
    resized = resize_bicubic(image, scale)
    for turn in (lambda x: x.flip(-1), lambda x: x.flip(-2), lambda x: x.mT):
        torch.testing.assert_close(resize_bicubic(turn(image), scale), turn(resized), rtol=0, atol=1e-14)


def test_bicubic_takes_any_leading_dimensions_and_keeps_the_dtype():
    image = torch.rand(2, 5, 3, 16, 20)
    resized = resize_bicubic(image, Fraction(1, 4))
    assert resized.shape == (2, 5, 3, 4, 5)
    assert resized.dtype == torch.float32
    torch.testing.assert_close(resized[1, 2], resize_bicubic(image[1, 2], 0.25))
    torch.testing.assert_close(resize_bicubic(image, 0.25), resize_bicubic(image, size=(4, 5)))


def test_bicubic_overshoots_like_matlab_and_is_not_clamped():
    step = torch.cat([torch.zeros(8, 8), torch.ones(8, 8)], dim=1)
    assert resize_bicubic(step, 4).max() > 1.05


@pytest.mark.parametrize("wrong", [{}, {"scale": 2, "size": (4, 4)}, {"scale": 0}, {"size": (0, 4)}])
def test_bicubic_wants_one_positive_scale_or_size(wrong: dict):
    with pytest.raises(ValueError, match="scale"):
        resize_bicubic(torch.zeros(8, 8), **wrong)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_lr_is_the_exact_bicubic_rounded_once(scale: int):
    pixels = np.random.default_rng(scale).integers(0, 256, (3, 12, 24))
    pixels[0] = np.where(pixels[0] > 127, 255, 0)  # overshoots, so that clamping matters
    exact = [resize_exactly(plane.tolist(), Fraction(1, scale)) for plane in pixels]
    expected = [
        [[min(max((v + Fraction(1, 2)) // 1, 0), 255) for v in row] for row in plane] for plane in exact
    ]
    lr = make_lr(from_uint8(torch.from_numpy(pixels.astype(np.uint8))), scale)
    assert lr.dtype == torch.float32
    assert to_uint8(lr).tolist() == expected
    assert torch.equal(lr, from_uint8(to_uint8(lr)))


def test_lr_rounds_exact_halves_up():
    # An LR pixel centred on a step from 10 to 11 is 10.5 exactly: MATLAB rounds half up, torch to even.
    hr = torch.full((3, 16, 36), 10, dtype=torch.uint8)
    hr[:, :, 18:] = 11
    assert to_uint8(make_lr(from_uint8(hr)))[0, 0].tolist() == [10, 10, 10, 10, 11, 11, 11, 11, 11]


def test_lr_refuses_what_was_not_cropped():
    hr = torch.zeros(3, 18, 23)
    with pytest.raises(ValueError, match="23x18 px, not a multiple of 4"):
        make_lr(hr)
    assert crop_to_multiple(hr, 4).shape == (3, 16, 20)
    assert crop_to_multiple(torch.zeros(1, 3, 18, 23), 3).shape == (1, 3, 18, 21)


def test_cropping_keeps_the_top_left():
    image = torch.rand(3, 17, 19)
    assert torch.equal(crop_to_multiple(image, 4), image[:, :16, :16])


def test_luma_of_the_primaries():
    corners = torch.tensor([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]], dtype=torch.float64)
    image = corners.T[:, None, :]  # (3, 1, 5)
    expected = torch.tensor([[16, 81.481, 144.553, 40.966, 235]], dtype=torch.float64)
    torch.testing.assert_close(luma(image), expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(
        luma(image.expand(2, 4, 3, 1, 5)), expected.expand(2, 4, 1, 5), rtol=0, atol=1e-12
    )


def test_uint8_clamps_and_rounds():
    values = torch.tensor([-0.2, 0.0, 0.5 / 255 + 1e-6, 0.5 / 255 - 1e-6, 1.0, 3.0])
    assert to_uint8(values).tolist() == [0, 0, 1, 0, 255, 255]
    every = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(to_uint8(from_uint8(every)), every)


def test_a_written_image_reads_back_the_same(tmp_path: Path):
    image = from_uint8(torch.randint(0, 256, (3, 17, 23), dtype=torch.uint8))
    write_image(tmp_path / "new" / "a.png", image)
    assert torch.equal(read_image(tmp_path / "new" / "a.png"), image)


def test_writing_clamps_and_always_writes_png(tmp_path: Path):
    image = torch.full((3, 16, 16), 1.7)
    image[0] = -0.4
    write_image(tmp_path / "a.jpg", image)
    with Image.open(tmp_path / "a.jpg") as written:
        assert written.format == "PNG"
        assert written.getpixel((3, 3)) == (0, 255, 255)


def grey_ramp(dtype: type = np.uint8) -> np.ndarray:
    return np.arange(16 * 20, dtype=np.int64).reshape(16, 20).astype(dtype)


def test_grey_becomes_three_equal_planes(tmp_path: Path):
    Image.fromarray(grey_ramp()).save(tmp_path / "grey.png")
    image = read_image(tmp_path / "grey.png")
    assert image.shape == (3, 16, 20)
    assert image.dtype == torch.float32
    assert torch.equal(image[1], from_uint8(torch.from_numpy(grey_ramp())))
    assert torch.equal(image[0], image[2])


@pytest.mark.parametrize("name", ["deep.png", "deep.tif"])
def test_grey_of_16_bits_keeps_its_range(tmp_path: Path, name: str):
    deep = (grey_ramp(np.int64) * 205).astype(np.uint16)
    Image.fromarray(deep).save(tmp_path / name)
    image = read_image(tmp_path / name)
    assert torch.equal(image[0], from_uint8(torch.from_numpy((deep >> 8).astype(np.uint8))))
    assert image.max() > 0.9


def test_alpha_is_dropped_and_colour_kept(tmp_path: Path):
    Image.new("RGBA", (16, 16), (10, 20, 30, 0)).save(tmp_path / "clear.png")
    assert to_uint8(read_image(tmp_path / "clear.png"))[:, 5, 5].tolist() == [10, 20, 30]


@pytest.mark.filterwarnings("error")
def test_a_palette_becomes_its_colours(tmp_path: Path):
    palette = Image.new("P", (16, 16), 1)
    palette.putpalette([0, 0, 0, 200, 100, 50])
    palette.save(tmp_path / "palette.png", transparency=b"\x00\x80")
    palette.save(tmp_path / "palette.gif")
    for name in ("palette.png", "palette.gif"):
        assert to_uint8(read_image(tmp_path / name))[:, 9, 9].tolist() == [200, 100, 50]


def test_exif_orientation_is_applied(tmp_path: Path):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: show it a quarter turn clockwise
    Image.fromarray(grey_ramp()).save(tmp_path / "turned.png", exif=exif)
    expected = torch.from_numpy(grey_ramp()).rot90(-1).contiguous()
    assert torch.equal(to_uint8(read_image(tmp_path / "turned.png"))[0], expected)


def png_cut_short(path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:6000])


BAD_IMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "absent": (lambda path: None, "No such file"),
    "folder": (lambda path: path.mkdir(), "Is a directory"),
    "empty": (lambda path: path.write_bytes(b""), "not a picture"),
    "text": (lambda path: path.write_text("no picture"), "not a picture"),
    "truncated": (png_cut_short, "truncated"),
    "one pixel": (lambda path: Image.new("RGB", (1, 1)).save(path), "is 1x1 px; at least 16 px"),
    "low": (lambda path: Image.new("RGB", (40, 15)).save(path), "is 40x15 px; at least 16 px"),
    "floating point": (lambda path: Image.new("F", (20, 20)).save(path, "TIFF"), "floating-point"),
}


@pytest.mark.parametrize("case", BAD_IMAGES)
def test_a_bad_image_is_one_line_naming_the_file(tmp_path: Path, case: str):
    make, reason = BAD_IMAGES[case]
    path = tmp_path / "bad.png"
    make(path)
    with pytest.raises(InputError, match=reason) as caught:
        read_image(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_least_side_can_be_lowered_for_lr_images(tmp_path: Path):
    Image.new("RGB", (5, 4)).save(tmp_path / "small.png")
    assert read_image(tmp_path / "small.png", min_side_px=4).shape == (3, 4, 5)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.bmp", "a.tif", "a.webp"])
def test_the_size_is_what_reading_gives(tmp_path: Path, name: str):
    exif = Image.Exif()
    exif[0x0112] = 6
    for turned in (Image.Exif(), exif):
        Image.new("RGB", (40, 30)).save(tmp_path / name, exif=turned)
        assert read_size(tmp_path / name) == read_image(tmp_path / name).shape[1:]


def test_the_size_needs_the_header_alone(tmp_path: Path):
    png_cut_short(tmp_path / "a.png")
    assert read_size(tmp_path / "a.png") == (64, 64)
    (tmp_path / "b.png").write_text("no picture")
    with pytest.raises(InputError, match=r"cannot read image .*b\.png: it is not a picture"):
        read_size(tmp_path / "b.png")
