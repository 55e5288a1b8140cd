import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import skimage
import torch
from PIL import Image

from mfagan.data import (
    EMBEDDED_HELD_OUT,
    EMBEDDED_TRAIN,
    EXTENSIONS,
    CropSampler,
    Pair,
    find_pairs,
    read_pairs,
    read_split,
)
from mfagan.errors import InputError
from mfagan.images import from_uint8, make_lr, to_uint8

# Folders of images


def draw(path: Path, width: int = 24, height: int = 20, seed: int = 0) -> np.ndarray:
    """Writes random pixels to `path` and returns them, (height, width, 3) uint8."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return pixels


def tensor(pixels: np.ndarray) -> torch.Tensor:
    return from_uint8(torch.from_numpy(pixels).permute(2, 0, 1))


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_a_folder_of_images_gets_bicubic_lr_after_the_mod_crop(tmp_path: Path, scale: int):
    pixels = draw(tmp_path / "a.png", width=27, height=22)
    (pair,) = read_pairs(tmp_path, scale)
    assert pair.name == "a"
    assert pair.scale == scale
    assert torch.equal(pair.hr, tensor(pixels)[:, : 22 // scale * scale, : 27 // scale * scale])
    assert torch.equal(pair.lr, make_lr(pair.hr, scale))


def test_images_come_in_natural_order_and_other_files_are_passed_over(tmp_path: Path):
    for name in ("img10.png", "img9.PNG", "img1.bmp", "Zoo.tif", "alpha.webp"):
        draw(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / "._img9.png").write_text("what macOS leaves behind")
    draw(tmp_path / "deeper" / "img0.png")
    assert [pair.name for pair in read_pairs(tmp_path)] == ["alpha", "img1", "img9", "img10", "Zoo"]
    assert [pair.name for pair in read_pairs(tmp_path, max_images=2)] == ["alpha", "img1"]


LAYOUTS = {
    4: [
        ("HR/a.png", "LR_bicubic/X4/ax4.png"),
        ("HR/a.png", "LR_bicubic/X4/a.png"),
        ("HR/a.png", "LR/a.png"),
        ("GTmod12/a.png", "LRbicx4/a.png"),
        ("DIV2K_train_HR/0001.png", "DIV2K_train_LR_bicubic/X4/0001x4.png"),
        ("DIV2K_valid_HR/0801.png", "DIV2K_valid_LR_bicubic/X4/0801x4.png"),
    ],
    2: [("HR/a.png", "LR_bicubic/X2/ax2.png"), ("GTmod12/a.jpg", "LRbicx2/a.png")],
}


@pytest.mark.parametrize(
    ("scale", "hr", "lr"), [(s, *names) for s, layouts in LAYOUTS.items() for names in layouts]
)
def test_paired_folders_are_recognised_and_their_lr_is_read(tmp_path: Path, scale: int, hr: str, lr: str):
    draw(tmp_path / hr, 32 + 1, 24 + 1)
    pixels = draw(tmp_path / lr, 32 // scale, 24 // scale, seed=5)
    draw(tmp_path / "LR_bicubic" / "X3" / "a.png")
    draw(tmp_path / "unrelated.png")
    (pair,) = read_pairs(tmp_path, scale)
    assert pair.name == Path(hr).stem
    assert pair.hr.shape == (3, 24, 32)
    assert torch.equal(pair.lr, tensor(pixels))


def test_an_hr_folder_alone_gets_bicubic_lr(tmp_path: Path):
    draw(tmp_path / "HR" / "a.png")
    (pair,) = read_pairs(tmp_path)
    assert torch.equal(pair.lr, make_lr(pair.hr))


def test_the_suffix_of_the_scale_wins_where_stems_are_numbers_themselves(tmp_path: Path):
    for name in ("1", "1x4"):
        draw(tmp_path / "HR" / f"{name}.png")
        draw(tmp_path / "LR" / f"{name}x4.png", 6, 5)
    assert [(files.name, files.lr and files.lr.name) for files in find_pairs(tmp_path)] == [
        ("1", "1x4.png"),
        ("1x4", "1x4x4.png"),
    ]


def test_a_centre_crop_cuts_both_alike(tmp_path: Path):
    draw(tmp_path / "wide.png", 96, 40)
    (whole,) = read_pairs(tmp_path)
    (pair,) = read_pairs(tmp_path, crop_px=32)
    assert torch.equal(pair.hr, whole.hr[:, 4:36, 32:64])
    assert torch.equal(pair.lr, whole.lr[:, 1:9, 8:16])
    (low,) = read_pairs(tmp_path, crop_px=64)
    assert torch.equal(low.hr, whole.hr[:, :, 16:80])


def one_image(folder: Path) -> None:
    draw(folder / "a.png")


def bad_lr_size(folder: Path) -> None:
    draw(folder / "HR" / "a.png", 32, 24)
    draw(folder / "LR" / "a.png", 8, 7)


def missing_lr(folder: Path) -> None:
    draw(folder / "HR" / "a.png")
    draw(folder / "HR" / "b.png")
    draw(folder / "LR" / "a.png", 6, 5)


def two_of_a_stem(folder: Path) -> None:
    draw(folder / "a.png")
    draw(folder / "a.bmp")


BAD_FOLDERS: dict[str, tuple[Callable[[Path], object], dict, list[str]]] = {
    "a file": (lambda folder: folder.write_text(""), {}, ["no such image folder: {folder};"]),
    "empty": (
        lambda folder: folder.mkdir(),
        {},
        ["no images in {folder}", *EXTENSIONS, "HR with LR_bicubic/X4"],
    ),
    "empty pair": (
        lambda folder: [(folder / name).mkdir(parents=True) for name in ("HR", "LR")],
        {},
        ["no images in {folder}"],
    ),
    "LR of another size": (
        bad_lr_size,
        {},
        ["{folder}/LR/a.png is 8x7 px", "{folder}/HR/a.png is 32x24 px", "must be 8x6"],
    ),
    "LR missing": (missing_lr, {}, ["{folder}/HR/b.png has no LR image", "bx4", "{folder}/LR"]),
    "one stem twice": (two_of_a_stem, {}, ["{folder}/a.bmp and a.png"]),
    "broken image": (
        lambda folder: (one_image(folder), (folder / "b.png").write_text("")),
        {},
        ["{folder}/b.png"],
    ),
    "no images wanted": (one_image, {"max_images": 0}, ["max_images is 0"]),
    "odd crop": (one_image, {"crop_px": 18}, ["crop of 18 px", "multiple of 4"]),
    "tiny crop": (one_image, {"crop_px": 8}, ["crop of 8 px", "at least 16"]),
}


@pytest.mark.parametrize("case", BAD_FOLDERS)
def test_a_bad_folder_is_one_line(tmp_path: Path, case: str):
    make, options, parts = BAD_FOLDERS[case]
    folder = tmp_path / "images"
    make(folder)
    with pytest.raises(InputError) as caught:
        read_pairs(folder, **options)
    for part in parts:
        assert part.format(folder=folder) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_such_folder():
    with pytest.raises(InputError, match="no such image folder: /no/such; give a folder"):
        read_pairs("/no/such")


# Training and validation


def names(pairs: list[Pair]) -> list[str]:
    return [pair.name for pair in pairs]


@pytest.mark.parametrize(("count", "held_out"), [(2, 1), (10, 1), (11, 2)])
def test_the_last_tenth_of_a_folder_is_held_out(tmp_path: Path, count: int, held_out: int):
    for number in range(count):
        draw(tmp_path / f"{number + 1}.png", 16, 16)
    training, validation = read_split(tmp_path)
    assert names(training) == [str(n + 1) for n in range(count - held_out)]
    assert names(validation) == [str(n + 1) for n in range(count - held_out, count)]


def test_with_a_validation_folder_all_of_the_first_is_trained_on(tmp_path: Path):
    draw(tmp_path / "train" / "a.png")
    draw(tmp_path / "valid" / "b.png", 36, 36)
    training, validation = read_split(tmp_path / "train", tmp_path / "valid", scale=2)
    assert names(training) == ["a"]
    assert names(validation) == ["b"]
    assert (training[0].scale, validation[0].scale) == (2, 2)


def test_a_split_needs_two_images_and_two_folders(tmp_path: Path):
    draw(tmp_path / "a.png")
    with pytest.raises(InputError, match=f"{tmp_path} has 1 image"):
        read_split(tmp_path)
    with pytest.raises(InputError, match="same folder"):
        read_split(tmp_path, tmp_path / ".." / tmp_path.name)


# The embedded photographs

PHOTOS = Path(skimage.__file__).parent / "data"


def photo(name: str) -> np.ndarray:
    with Image.open(PHOTOS / name) as image:
        return np.array(image.convert("RGB"))


def test_embedded_means_the_held_out_photographs_to_evaluate_with():
    pairs = read_pairs("embedded")
    assert names(pairs) == ["astronaut", "chelsea"]
    assert torch.equal(pairs[0].hr, tensor(photo("astronaut.png")))
    assert torch.equal(pairs[1].hr, tensor(photo("chelsea.png")[:, :448]))


def test_the_split_by_content_no_held_out_picture_is_among_the_training_pictures():
    training, validation = read_split("embedded")
    assert names(training) == [name.split(".")[0] for name in EMBEDDED_TRAIN]
    assert names(validation) == [name.split(".")[0] for name in EMBEDDED_HELD_OUT] == ["astronaut", "chelsea"]

    def blocks(pair: Pair) -> set[bytes]:
        """Every 8x8 block on a grid of 8: a shared part of a picture, so aligned, would show."""
        pixels = to_uint8(pair.hr).numpy()
        tiles = pixels[:, : pixels.shape[1] // 8 * 8, : pixels.shape[2] // 8 * 8]
        tiles = tiles.reshape(3, pixels.shape[1] // 8, 8, pixels.shape[2] // 8, 8).transpose(1, 3, 0, 2, 4)
        return {tile.tobytes() for tile in tiles.reshape(-1, 192) if np.ptp(tile) > 16}

    held_out = set().union(*map(blocks, validation))
    assert len(held_out) > 1000
    for pair in training:
        assert not held_out & blocks(pair), pair.name


OPENED = """
import os, sys
opened = []
sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)
from mfagan.data import CropSampler, read_split
training, validation = read_split("embedded", validation=sys.argv[1])
CropSampler(training, 32, 8).batch(0)
data = os.path.join("skimage", "data", "")
print(*sorted({os.path.basename(path) for path in opened if data in path}))
"""


def test_the_split_by_access_training_never_opens_a_held_out_file(tmp_path: Path):
    draw(tmp_path / "own.png")
    command = [sys.executable, "-c", OPENED, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == sorted(EMBEDDED_TRAIN)


def test_without_scikit_image_the_embedded_photographs_are_asked_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(
        sys.modules, "skimage", None
    )  # what Python itself does for a package that is not there
    for read in (read_pairs, read_split):
        with pytest.raises(InputError, match=r"pip install 'mfagan\[demo\]', or give your own images"):
            read("embedded")


# Crops


def located(height: int, width: int, scale: int = 4) -> Pair:
    """A pair whose LR pixels name their place (row, column) and whose HR pixels that of their LR pixel."""
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    lr = torch.stack([rows, columns, torch.full_like(rows, 7)]).to(torch.uint8)
    hr = lr.repeat_interleave(scale, 1).repeat_interleave(scale, 2)
    return Pair(f"{height}x{width}", from_uint8(lr), from_uint8(hr))


def photo_pair() -> Pair:
    return read_pairs("embedded", max_images=1)[0]


def test_a_batch_has_the_asked_shape_and_range():
    lr, hr = CropSampler([photo_pair()], 12, 5).batch(0)
    assert lr.shape == (5, 3, 12, 12)
    assert hr.shape == (5, 3, 48, 48)
    assert lr.dtype == hr.dtype == torch.float32
    assert torch.equal(hr, from_uint8(to_uint8(hr)))
    assert hr.max() > 0.3


def test_lr_and_hr_are_the_same_place_turned_the_same_way():
    lr, hr = CropSampler([photo_pair()], 24, 32, seed=3).batch(0)
    again = make_lr(hr)
    # Inside, where the kernel (8 HR px = 2 LR px a side) sees nothing beyond the crop, they agree to the bit.
    assert torch.equal(again[..., 2:-2, 2:-2], lr[..., 2:-2, 2:-2])
    assert not torch.equal(again, lr)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_every_scale_is_aligned(scale: int):
    lr, hr = CropSampler([located(20, 30, scale)], 6, 16).batch(1)
    assert torch.equal(hr, lr.repeat_interleave(scale, 2).repeat_interleave(scale, 3))


def test_batches_depend_on_the_seed_and_the_step_alone():
    pairs = [located(30, 40), located(50, 20)]
    sampler = CropSampler(pairs, 8, 6, seed=1)
    first = [sampler.batch(step) for step in range(4)]
    torch.manual_seed(99)
    restarted = CropSampler(pairs, 8, 6, seed=1)
    for step in (3, 0):
        assert all(torch.equal(a, b) for a, b in zip(restarted.batch(step), first[step], strict=True))
    others = [
        first[1],
        first[2],
        CropSampler(pairs, 8, 6, seed=2).batch(0),
        CropSampler(pairs, 8, 6, seed=0).batch(1),
    ]
    assert not any(torch.equal(first[0][0], other[0]) for other in others)


def test_sampling_leaves_the_global_generators_alone():
    def states() -> tuple[bytes, bytes]:
        return torch.get_rng_state().numpy().tobytes(), pickle.dumps(np.random.get_state())  # noqa: NPY002

    before = states()
    CropSampler([located(30, 40)], 8, 6).batch(0)
    assert states() == before


def test_all_eight_orientations_occur_equally_often():
    corner = {}
    lr, _ = CropSampler([located(16, 16)], 16, 800).batch(0)
    for crop in to_uint8(lr):
        # Where the origin went and which way the rows run tells the eight apart.
        key = (tuple(crop[:2, 0, 0].tolist()), tuple(crop[:2, 0, 15].tolist()))
        corner[key] = corner.get(key, 0) + 1
    assert len(corner) == 8
    assert min(corner.values()) > 60


def test_places_reach_every_border_and_images_are_drawn_evenly():
    sampler = CropSampler([located(20, 31), located(8, 8)], 8, 4000)
    lr = to_uint8(sampler.batch(0)[0])
    rows, columns = lr[:, 0].flatten(1), lr[:, 1].flatten(1)
    tops, lefts = rows.amin(1), columns.amin(1)
    # The 8x8 image has one place only, (0, 0): about half of the crops, although it is a tenth of the area.
    share = ((tops == 0) & (lefts == 0)).float().mean().item()
    assert 0.45 < share < 0.55
    assert set(tops.tolist()) == set(range(13))
    assert set(lefts.tolist()) == set(range(24))


BAD_SAMPLERS: dict[str, tuple[tuple, str]] = {
    "small image": (
        ([located(40, 40), located(40, 15)], 16, 4),
        "image 40x15 is 60x160 px, smaller than a crop of 64x64",
    ),
    "no images": (([], 16, 4), "no training images"),
    "no crop": (([located(20, 20)], 0, 4), "crop is 0"),
    "no batch": (([located(20, 20)], 8, 0), "batch is 0"),
    "negative seed": (([located(20, 20)], 8, 4, -1), "seed is -1"),
}


@pytest.mark.parametrize("case", BAD_SAMPLERS)
def test_a_sampler_that_cannot_work_is_refused(case: str):
    arguments, message = BAD_SAMPLERS[case]
    with pytest.raises(InputError, match=message):
        CropSampler(*arguments)
