"""Pictures of two domains as arrays."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mfagan.data.translation.folders import find_translation
from mfagan.data.translation.reading import read_tests, read_training, to_signed
from mfagan.errors import InputError
from tests.pictures import draw


def draw_unpaired(root: Path, n_a: int = 3, n_b: int = 2, side: int = 20) -> Path:
    for part in ("train", "test"):
        for side_name, n in (("A", n_a), ("B", n_b)):
            for i in range(n):
                draw(root / f"{part}{side_name}" / f"{i}.png", side, side, seed=i + 10 * (side_name == "B"))
    return root


def test_pictures_of_the_asked_size_are_read_as_they_are(tmp_path: Path):
    found = read_training(find_translation(draw_unpaired(tmp_path)).part("train"), 20)
    assert (len(found.a), len(found.b), found.paired) == (3, 2, False)
    for i, levels in enumerate(found.a):
        assert np.array_equal(
            levels, np.asarray(Image.open(tmp_path / "trainA" / f"{i}.png")).transpose(2, 0, 1)
        )


def test_the_left_half_is_a(tmp_path: Path):
    pixels = draw(tmp_path / "train" / "1.png", 40, 20).transpose(2, 0, 1)
    forth = read_training(find_translation(tmp_path).part("train"), 20)
    assert forth.paired
    assert np.array_equal(forth.a[0], pixels[..., :20])
    assert np.array_equal(forth.b[0], pixels[..., 20:])
    back = read_training(find_translation(tmp_path, direction="BtoA").part("train"), 20)
    assert np.array_equal(back.a[0], forth.b[0])
    assert np.array_equal(back.b[0], forth.a[0])


def test_other_sizes_are_stretched_by_pillows_bicubic(tmp_path: Path):
    draw(tmp_path / "train" / "1.png", 60, 40)
    (a,) = read_training(find_translation(tmp_path).part("train"), 24).a
    left = Image.open(tmp_path / "train" / "1.png").crop((0, 0, 30, 40))
    assert np.array_equal(a, np.asarray(left.resize((24, 24), Image.Resampling.BICUBIC)).transpose(2, 0, 1))


def test_grey_pictures_and_cameras_held_upright_are_understood(tmp_path: Path):
    exif = Image.Exif()
    exif[0x0112] = 6
    for name in ("trainA", "trainB"):
        (tmp_path / name).mkdir()
    Image.new("L", (20, 20), 77).save(tmp_path / "trainA" / "1.png")
    turned = Image.fromarray(np.repeat(np.arange(32, dtype=np.uint8)[None, :, None] * 8, 3, 2).repeat(32, 0))
    turned.save(tmp_path / "trainB" / "1.jpg", exif=exif, quality=100)
    found = read_training(find_translation(tmp_path).part("train"), 32)
    assert (found.a[0] == 77).all()
    rows = found.b[0].mean((0, 2))
    assert rows[-1] - rows[0] > 200


def test_a_large_set_lies_on_disk(tmp_path: Path):
    for i in range(2):
        draw(tmp_path / "in" / "train" / f"{i}.png", 40, 20, i)
    part = find_translation(tmp_path / "in").part("train")
    in_memory = read_training(part, 18)
    for _ in range(2):
        on_disk = read_training(part, 18, cache=tmp_path / "cache", ram_limit_bytes=1)
        for one, other in ((in_memory.a, on_disk.a), (in_memory.b, on_disk.b)):
            assert all(np.array_equal(x, y) for x, y in zip(one, other, strict=True))
    assert len(list((tmp_path / "cache").glob("*.npy"))) == 4


def test_pictures_to_evaluate_with_are_whole(tmp_path: Path):
    part = find_translation(draw_unpaired(tmp_path)).part("test")
    found = read_tests(part, 20)
    assert (found.a.shape, found.b.shape, found.a.dtype) == ((3, 3, 20, 20), (2, 3, 20, 20), torch.float32)
    assert (found.names_a, found.names_b, found.paired) == (("0", "1", "2"), ("0", "1"), False)
    levels = torch.from_numpy(np.asarray(Image.open(tmp_path / "testA" / "1.png")).transpose(2, 0, 1).copy())
    assert torch.equal(found.a[1], levels.float() / 255 * 2 - 1)
    few = read_tests(part, 16, max_images=1)
    assert (few.a.shape, few.b.shape, few.names_a) == ((1, 3, 16, 16), (1, 3, 16, 16), ("0",))
    with pytest.raises(InputError, match="max_images is 0"):
        read_tests(part, 16, max_images=0)
    assert to_signed(torch.tensor([0, 255], dtype=torch.uint8)).tolist() == [-1, 1]


def test_what_is_wrong_with_pairs_is_said_before_all_are_decoded(tmp_path: Path):
    draw(tmp_path / "ab" / "train" / "1.png", 40, 20)
    draw(tmp_path / "ab" / "train" / "2.png", 41, 20)
    with pytest.raises(InputError, match=r"image \S*train/2.png is 41 px wide: A and B side by side have"):
        read_training(find_translation(tmp_path / "ab").part("train"), 16)
    draw(tmp_path / "two" / "trainA" / "1.png", 20, 20)
    draw(tmp_path / "two" / "trainB" / "1.png", 24, 20)
    with pytest.raises(InputError, match=r"trainA/1.png is 20x20 px and its partner \S*1.png is 24x20 px"):
        read_training(find_translation(tmp_path / "two", paired=True).part("train"), 16)
    assert not read_training(find_translation(tmp_path / "two").part("train"), 16).paired


def test_what_is_no_picture_is_refused(tmp_path: Path):
    draw_unpaired(tmp_path)
    (tmp_path / "trainB" / "1.png").write_text("no picture")
    part = find_translation(tmp_path).part("train")
    with pytest.raises(InputError, match=r"cannot read image \S*trainB/1.png"):
        read_training(part, 16)
    with pytest.raises(InputError, match="pictures are read at 0 px: give at least 1"):
        read_training(part, 0)
