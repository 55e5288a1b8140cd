import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import skimage
import torch
from PIL import Image

from mfagan.data import splits
from mfagan.data.embedded import EMBEDDED_HELD_OUT, EMBEDDED_TRAIN
from mfagan.data.image_sets import EXTENSIONS
from mfagan.data.images import make_lr, to_uint8
from mfagan.data.layouts import find_pairs
from mfagan.data.pairs import Pair, shrink_pair
from mfagan.data.splits import find_split, read_files, read_pairs, read_sets, read_split
from mfagan.errors import InputError
from mfagan.progress import ProgressCallback
from tests.pictures import draw, tensor

# Folders of images


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


def test_a_centre_crop_cuts_both_alike(tmp_path: Path):
    draw(tmp_path / "wide.png", 96, 40)
    (whole,) = read_pairs(tmp_path)
    (pair,) = read_pairs(tmp_path, crop_px=32)
    assert torch.equal(pair.hr, whole.hr[:, 4:36, 32:64])
    assert torch.equal(pair.lr, whole.lr[:, 1:9, 8:16])
    (low,) = read_pairs(tmp_path, crop_px=64)
    assert torch.equal(low.hr, whole.hr[:, :, 16:80])


def test_crops_of_one_image_lie_apart_and_name_it(tmp_path: Path):
    draw(tmp_path / "wide.png", 96, 40)
    (whole,) = read_pairs(tmp_path)
    crops = read_pairs(tmp_path, crop_px=32, crops_per_image=3)
    assert [pair.name for pair in crops] == [f"{whole.name} {i}" for i in (1, 2, 3)]
    assert {pair.image for pair in crops} == {whole.name}
    assert not whole.image
    for pair in crops:
        assert torch.equal(pair.lr, make_lr(whole.hr)[..., *_place(pair.lr, whole.lr)])
    assert torch.equal(crops[1].hr, read_pairs(tmp_path, crop_px=32)[0].hr)


def test_crops_that_would_be_the_same_are_kept_once(tmp_path: Path):
    draw(tmp_path / "small.png", 32, 32)
    (crop,) = read_pairs(tmp_path, crop_px=32, crops_per_image=4)
    assert crop.image


def _place(part: torch.Tensor, whole: torch.Tensor) -> tuple[slice, slice]:
    """Where the part stands in the whole."""
    height, width = part.shape[-2:]
    for top in range(whole.shape[-2] - height + 1):
        for left in range(whole.shape[-1] - width + 1):
            rows, columns = slice(top, top + height), slice(left, left + width)
            if torch.equal(whole[..., rows, columns], part):
                return rows, columns
    raise AssertionError("it is no part of the image")


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
    "no size of crops": (one_image, {"crops_per_image": 2}, ["2 crops of each image", "give their side"]),
    "no crop": (one_image, {"crops_per_image": 0}, ["crops_per_image is 0", "at least 1"]),
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


def make_div2k(root: Path, training: int = 3) -> Path:
    """DIV2K in small, the two parts in one folder."""
    for part, first, count in (("train", 1, training), ("valid", 801, 2)):
        for number in range(first, first + count):
            draw(root / f"DIV2K_{part}_HR" / f"{number:04}.png", 24, 20, number)
            draw(root / f"DIV2K_{part}_LR_bicubic" / "X4" / f"{number:04}x4.png", 6, 5, number)
    return root


def test_div2k_trains_on_its_training_part_and_validates_on_the_other(tmp_path: Path):
    training, validation = read_split(make_div2k(tmp_path))
    assert names(training) == ["0001", "0002", "0003"]
    assert names(validation) == ["0801", "0802"] == names(read_pairs(tmp_path))
    assert names(read_split(tmp_path / "DIV2K_valid_HR")[0]) == ["0801"]


def test_several_sources_are_trained_on_together(tmp_path: Path):
    div2k = make_div2k(tmp_path / "DIV2K", training=1)
    for number in (1, 2):
        draw(tmp_path / "Flickr2K" / "Flickr2K_HR" / f"{number:06}.png", 24, 20)
        draw(tmp_path / "plain" / f"{number}.png", 24, 20)
    flickr2k, plain = tmp_path / "Flickr2K", tmp_path / "plain"
    training, validation = read_split([div2k, flickr2k])
    assert names(training) == ["0001", "000001", "000002"]
    assert names(validation) == ["0801", "0802"]
    training, validation = read_split([flickr2k, plain])
    assert (names(training), names(validation)) == (["000001", "1"], ["000002", "2"])
    training, validation = read_split([flickr2k, plain], div2k)
    assert (names(training), names(validation)) == (["000001", "000002", "1", "2"], ["0801", "0802"])


def test_no_image_is_given_twice(tmp_path: Path):
    div2k = make_div2k(tmp_path)
    with pytest.raises(InputError, match=r"0001.png is given to train on twice"):
        find_split([div2k, div2k / "DIV2K_train_HR"])
    with pytest.raises(InputError, match=r"0801.png is both trained and validated on"):
        find_split(div2k / "DIV2K_valid_HR", div2k)
    with pytest.raises(InputError, match="at least one folder"):
        find_split([])


def test_each_benchmark_is_read_by_name(tmp_path: Path):
    for name, stem in (("Set5", "baby"), ("Set14", "baboon")):
        draw(tmp_path / name / "HR" / f"{stem}.png")
        draw(tmp_path / name / "LR_bicubic" / "X4" / f"{stem}x4.png", 6, 5)
    assert {name: names(pairs) for name, pairs in read_sets(tmp_path).items()} == {
        "Set5": ["baby"],
        "Set14": ["baboon"],
    }
    assert list(read_sets(tmp_path / "Set5")) == ["Set5"]
    assert list(read_sets(make_div2k(tmp_path / "DIV2K"))) == ["DIV2K_valid_HR"]


def test_shrunk_pairs_are_trained_on_and_never_validated_on(tmp_path: Path):
    for number in range(1, 4):
        draw(tmp_path / f"{number}.png", 64, 16 * number, number)
    training, validation = read_split(tmp_path, shrink=(0.75, 0.5), min_side_px=24)
    assert names(training) == ["1", "2", "2@0.75"]
    assert names(validation) == ["3"]


def test_pictures_that_would_be_too_small_are_left_out(tmp_path: Path):
    draw(tmp_path / "large.png", 128, 96)
    draw(tmp_path / "narrow.png", 60, 120)
    files = find_pairs(tmp_path)

    def shrunk(*factors: float, min_side_px: int) -> list[Pair]:
        return read_files(files, shrink=factors, min_side_px=min_side_px)[len(files) :]

    found = shrunk(0.75, 0.5, min_side_px=44)
    assert names(found) == ["large@0.75", "narrow@0.75", "large@0.5"]
    large, narrow = read_files(files)
    expected = [shrink_pair(large, 0.75), shrink_pair(narrow, 0.75), shrink_pair(large, 0.5)]
    assert all(same(one, other) for one, other in zip(found, expected, strict=True))
    # Three quarters of 60 px are 45, cropped to 44.
    assert names(shrunk(0.75, 0.5, min_side_px=45)) == ["large@0.75", "large@0.5"]
    assert shrunk(min_side_px=45) == []


@pytest.mark.parametrize("factor", [0, 1, 2, -0.5, float("nan")])
def test_a_factor_that_does_not_shrink_is_refused(tmp_path: Path, factor: float):
    for name in ("a", "b"):
        draw(tmp_path / f"{name}.png")
    with pytest.raises(InputError, match=f"shrink factor {factor:g}: give one between 0 and 1"):
        read_split(tmp_path, shrink=(0.5, factor))


# Sets too large for memory


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(splits, "RAM_LIMIT_BYTES", 1000)


def same(first: Pair, second: Pair) -> bool:
    return first.name == second.name and all(
        np.array_equal(one, other)
        for one, other in ((first.lr_levels, second.lr_levels), (first.hr_levels, second.hr_levels))
    )


def test_a_large_set_is_decoded_into_the_cache_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    source, cache = make_div2k(tmp_path / "DIV2K"), tmp_path / "cache"
    in_ram, _ = read_split(source, shrink=(0.9,), cache=cache)
    assert not cache.exists()
    monkeypatch.setattr(splits, "RAM_LIMIT_BYTES", 1000)
    training, _ = read_split(source, shrink=(0.9,), cache=cache)
    # Three pictures and three shrunk, two pictures to validate on: LR and HR each.
    files = {path: path.stat().st_mtime_ns for path in cache.iterdir()}
    assert len(files) == 2 * (6 + 2)
    again, _ = read_split(source, shrink=(0.9,), cache=cache)
    assert {path: path.stat().st_mtime_ns for path in cache.iterdir()} == files
    assert names(again) == ["0001", "0002", "0003", "0001@0.9", "0002@0.9", "0003@0.9"]
    for three in zip(in_ram, training, again, strict=True):
        assert same(three[0], three[1])
        assert same(three[0], three[2])


@pytest.mark.usefixtures("large")
def test_a_changed_file_or_scale_is_decoded_anew(tmp_path: Path):
    source, cache = tmp_path / "images", tmp_path / "cache"
    for name in ("a", "b"):
        draw(source / f"{name}.png")
    read_pairs(source, cache=cache)
    changed = draw(source / "a.png", seed=9)
    assert torch.equal(read_pairs(source, cache=cache)[0].hr, tensor(changed))
    assert len(list(cache.iterdir())) == 2 * 3
    assert read_pairs(source, scale=2, cache=cache)[0].scale == 2


@pytest.mark.usefixtures("large")
def test_a_decoding_that_failed_leaves_whole_files_and_goes_on_when_mended(tmp_path: Path):
    source, cache = tmp_path / "images", tmp_path / "cache"
    for number in range(4):
        draw(source / f"{number}.png", seed=number)
    whole = (source / "3.png").read_bytes()
    (source / "3.png").write_bytes(whole[:600])
    with pytest.raises(InputError, match=r"3\.png: .*truncated"):
        read_pairs(source, cache=cache)
    assert all(np.load(path).dtype == np.uint8 for path in cache.iterdir())
    (source / "3.png").write_bytes(whole)
    assert [pair.hr_levels.shape for pair in read_pairs(source, cache=cache)] == [(3, 20, 24)] * 4


DECODE = """
import sys
from mfagan.data import splits
splits.RAM_LIMIT_BYTES = 1000
splits.read_pairs(sys.argv[1], cache=sys.argv[2])
"""


@pytest.mark.slow
@pytest.mark.usefixtures("large")
def test_a_decoding_that_was_killed_leaves_whole_files_and_goes_on(tmp_path: Path):
    source, cache = tmp_path / "images", tmp_path / "cache"
    for number in range(12):
        draw(source / f"{number}.png", 1200, 800, number)
    decoding = subprocess.Popen([sys.executable, "-c", DECODE, str(source), str(cache)])
    while not list(cache.glob("*.npy")):
        assert decoding.poll() is None
    decoding.kill()
    decoding.wait()
    files = list(cache.glob("*.npy"))
    assert 0 < len(files) < 2 * 12
    assert all(np.load(path).dtype == np.uint8 for path in files)
    pairs = read_pairs(source, cache=cache)
    assert len(list(cache.glob("*.npy"))) == 2 * 12
    assert torch.equal(pairs[-1].hr, tensor(draw(tmp_path / "same.png", 1200, 800, 11)))


@pytest.mark.usefixtures("large")
def test_the_cache_is_where_the_user_keeps_caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    draw(tmp_path / "images" / "a.png")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    read_pairs(tmp_path / "images")
    assert len(list((tmp_path / "home" / "mfagan").iterdir())) == 2


def test_reading_shows_its_progress(tmp_path: Path):
    said = []

    @contextmanager
    def bars(label: str) -> Iterator[ProgressCallback]:
        yield lambda done, total, note: said.append((label, done, total, note))

    for name in ("a", "b"):
        draw(tmp_path / f"{name}.png", 64, 64)
    read_split(tmp_path, shrink=(0.5,), bars=bars)
    assert said == [
        ("reading images", 1, 1, "a"),
        ("shrinking images", 1, 1, "a@0.5"),
        ("reading images", 1, 1, "b"),
    ]


# The embedded photographs

PHOTOS = Path(skimage.__file__).parent / "data"


def photo(name: str) -> np.ndarray:
    with Image.open(PHOTOS / name) as image:
        return np.array(image.convert("RGB"))


def test_embedded_means_five_photographs_to_evaluate_with():
    pairs = read_pairs("embedded")
    assert names(pairs) == ["astronaut", "chelsea", "coffee", "rocket", "motorcycle_left"]
    assert torch.equal(pairs[0].hr, tensor(photo("astronaut.png")))
    assert torch.equal(pairs[1].hr, tensor(photo("chelsea.png")[:, :448]))


def test_a_network_is_not_evaluated_on_embedded_photographs_that_it_learned_from():
    learned = {"images": "embedded", "training_images": ["coffee", "rocket", "ihc"]}
    left = ["astronaut", "chelsea", "motorcycle_left"]
    assert names(read_pairs("embedded", record=learned)) == left
    assert names(read_pairs("embedded", record=learned | {"images": ["photos", "embedded"]})) == left
    assert names(read_pairs("embedded", max_images=3, record=learned)) == left
    other = learned | {"images": ["photos"]}  # a picture of that name in another folder is another picture
    assert len(read_pairs("embedded", record=other)) == 5


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
from mfagan.data.crops import CropSampler
from mfagan.data.splits import read_split
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
