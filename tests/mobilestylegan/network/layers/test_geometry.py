import pytest

from mfagan.errors import InputError
from mfagan.mobilestylegan.network import Student, Synthesis
from mfagan.mobilestylegan.network.layers.geometry import (
    count_rows,
    noise_sides,
    require_size,
    standard_channels,
)


def test_the_published_channels():
    assert standard_channels(1024) == (512, 512, 512, 512, 512, 256, 128, 64, 32)
    assert standard_channels(256, "E") == (512, 512, 512, 512, 256, 128, 64)
    assert standard_channels(16) == (512, 512, 512)


@pytest.mark.parametrize(("size", "rows"), [(1024, 18), (512, 16), (256, 14), (32, 8), (16, 6)])
def test_rows(size: int, rows: int):
    assert count_rows(size) == rows


def test_noise_maps_of_teacher_and_student_at_1024_px():
    assert noise_sides(3) == (4, 8, 8, 16, 16)
    assert (len(noise_sides(9)), len(noise_sides(8))) == (17, 15)
    assert noise_sides(9)[:15] == noise_sides(8)


@pytest.mark.parametrize("size", [0, 8, 17, 100, 2048, 16.0, "32", True])
def test_sizes_that_no_generator_has(size: object):
    with pytest.raises(InputError, match=r"give a power of two from 16 to 1024 \(px\)"):
        require_size(size)


def test_an_unknown_config():
    with pytest.raises(InputError, match="config 'G': give E or F"):
        standard_channels(64, "G")  # pyright: ignore[reportArgumentType]


def test_channels_that_cannot_be():
    with pytest.raises(
        InputError, match=r"student: channels 16, 10, 8; give multiples of 4 \(10 is not one\)"
    ):
        Student((16, 10, 8), 8)
    with pytest.raises(InputError, match=r"StyleGAN2: channels 16, 0, 8; give positive whole numbers"):
        Synthesis((16, 0, 8), 8)
    with pytest.raises(InputError, match="size 8: give a power of two"):
        Synthesis((16, 16), 8)
    with pytest.raises(InputError, match="size 8: give a power of two"):
        Student((16,), 8)
