"""Square pictures for generators."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mfagan.data.crops import Prefetcher
from mfagan.data.squares import SquareSampler, find_squares, read_squares
from mfagan.errors import InputError


def write_picture(path: Path, width: int, height: int, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    levels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    Image.fromarray(levels).save(path)
    return path


def test_the_middle_of_each_picture_is_read(tmp_path: Path):
    wide = write_picture(tmp_path / "a.png", 32, 16)
    write_picture(tmp_path / "b.png", 16, 20, 1)
    write_picture(tmp_path / "c.png", 16, 16, 2)
    squares = read_squares(find_squares([tmp_path], 16), 16)
    assert [one.shape for one in squares] == [(3, 16, 16)] * 3
    expected = np.asarray(Image.open(wide)).transpose(2, 0, 1)[:, :, 8:24]
    assert np.array_equal(squares[0], expected)


def test_larger_pictures_are_resized(tmp_path: Path):
    for i in range(2):
        Image.new("RGB", (48 + i, 40), (10, 200, 90)).save(tmp_path / f"{i}.png")
    for square in read_squares(find_squares([tmp_path], 16), 16):
        assert square.shape == (3, 16, 16)
        assert (square == np.array([10, 200, 90])[:, None, None]).all()


def test_a_large_set_lies_on_disk(tmp_path: Path):
    for i in range(3):
        write_picture(tmp_path / "in" / f"{i}.png", 16, 16, i)
    files = find_squares([tmp_path / "in"], 16)
    in_memory = read_squares(files, 16)
    for _ in range(2):
        on_disk = read_squares(files, 16, cache=tmp_path / "cache", ram_limit_bytes=1)
        assert all(np.array_equal(a, b) for a, b in zip(in_memory, on_disk, strict=True))
    assert len(list((tmp_path / "cache").glob("*.npy"))) == 3


def test_small_pictures_are_skipped_and_named(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    for i, side in enumerate((64, 32, 64)):
        write_picture(tmp_path / f"{i}.png", side, 64)
    assert [one.name for one in find_squares([tmp_path], 64)] == ["0", "2"]
    assert "1 of 3 training images are smaller than 64x64 px and are skipped" in caplog.messages[-1]


@pytest.mark.parametrize(
    ("sides", "message"),
    [
        ((), "no images in"),
        ((64,), r"has 1 image of at least 32x32 px: give a folder of many"),
        ((16, 20), "all 2 training images are smaller than 32x32 px, among them"),
    ],
)
def test_folders_without_enough_pictures_are_refused(tmp_path: Path, sides: tuple[int, ...], message: str):
    for i, side in enumerate(sides):
        write_picture(tmp_path / f"{i}.png", side, side)
    with pytest.raises(InputError, match=message) as refusal:
        find_squares([tmp_path], 32)
    assert "\n" not in str(refusal.value)


def test_a_folder_given_twice_is_refused(tmp_path: Path):
    for i in range(2):
        write_picture(tmp_path / f"{i}.png", 32, 32)
    with pytest.raises(InputError, match="is given to train on twice"):
        find_squares([tmp_path, tmp_path], 32)


def squares(n: int = 5) -> list[np.ndarray]:
    return [np.random.default_rng(i).integers(0, 256, (3, 4, 4), dtype=np.uint8) for i in range(n)]


def test_a_batch_follows_from_seed_and_step_and_is_shared():
    sampler = SquareSampler(squares(), 6, seed=3)
    (whole,) = sampler.batch(7)
    assert whole.shape == (6, 3, 4, 4)
    assert torch.equal(whole, SquareSampler(squares(), 6, seed=3).batch(7)[0])
    assert not torch.equal(whole, sampler.batch(8)[0])
    parts = [sampler.batch(7, rank, 3)[0] for rank in range(3)]
    assert torch.equal(torch.cat(parts), whole)
    with pytest.raises(InputError, match="a batch of 6 cannot be shared by 4 processes"):
        Prefetcher(sampler, 0, 1, world=4)
    with Prefetcher(sampler, 7, 8) as batches:
        assert torch.equal(next(iter(batches))[0], whole)


def test_half_of_the_pictures_are_mirrored_if_asked():
    (one,) = squares(1)
    plain = torch.from_numpy(one).float() / 255
    (batch,) = SquareSampler([one], 200, mirror=False).batch(0)
    assert all(torch.equal(each, plain) for each in batch)
    (batch,) = SquareSampler([one], 200).batch(0)
    mirrored = sum(torch.equal(each, plain.flip(-1)) for each in batch)
    assert sum(torch.equal(each, plain) for each in batch) == 200 - mirrored
    assert 70 < mirrored < 130
