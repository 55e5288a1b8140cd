"""Layouts are known by names alone, so most files here are empty."""

from pathlib import Path

import pytest

from mfagan.data.layouts import find_pairs, find_sets, find_training
from mfagan.errors import InputError
from tests.pictures import draw


def touch(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def paired(root: Path, scale: int = 4) -> list[tuple[str, str, str | None]]:
    return [
        (
            pair.name,
            str(pair.hr.relative_to(root)),
            None if pair.lr is None else str(pair.lr.relative_to(root)),
        )
        for pair in find_pairs(root, scale)
    ]


FORMS: dict[str, tuple[int, str, str, str]] = {
    "benchmark": (4, "HR/baby.png", "LR_bicubic/X4/babyx4.png", "baby"),
    "benchmark at x2": (2, "HR/baby.png", "LR_bicubic/X2/babyx2.png", "baby"),
    "benchmark at x3": (3, "HR/baby.png", "LR_bicubic/X3/babyx3.png", "baby"),
    "HR and LR": (4, "HR/baby.png", "LR/baby.png", "baby"),
    "GTmod12": (4, "GTmod12/baby.png", "LRbicx4/baby.png", "baby"),
    "DIV2K training": (4, "DIV2K_train_HR/0001.png", "DIV2K_train_LR_bicubic/X4/0001x4.png", "0001"),
    "DIV2K validation": (3, "DIV2K_valid_HR/0801.png", "DIV2K_valid_LR_bicubic/X3/0801x3.png", "0801"),
    "Flickr2K": (4, "Flickr2K_HR/000001.png", "Flickr2K_LR_bicubic/X4/000001x4.png", "000001"),
    "SRF": (4, "image_SRF_4/img_001_SRF_4_HR.png", "image_SRF_4/img_001_SRF_4_LR.png", "img_001"),
    "SRF at x2": (2, "image_SRF_2/img_001_SRF_2_HR.png", "image_SRF_2/img_001_SRF_2_LR.png", "img_001"),
    "SRF directly": (3, "img_001_SRF_3_HR.png", "img_001_SRF_3_LR.png", "img_001"),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_recognised_with_its_lr_images(tmp_path: Path, form: str):
    scale, hr, lr, name = FORMS[form]
    assert paired(touch(tmp_path, hr, lr), scale) == [(name, hr, lr)]


@pytest.mark.parametrize("form", [form for form in FORMS if form != "SRF directly"])
def test_the_hr_folder_itself_may_be_given(tmp_path: Path, form: str):
    scale, hr, lr, name = FORMS[form]
    touch(tmp_path, hr, lr)
    (pair,) = find_pairs((tmp_path / hr).parent, scale)
    assert (pair.name, pair.hr.resolve(), pair.lr and pair.lr.resolve()) == (
        name,
        tmp_path / hr,
        tmp_path / lr,
    )


@pytest.mark.parametrize("form", [form for form in FORMS if not form.startswith("SRF")])
def test_hr_images_alone_are_enough(tmp_path: Path, form: str):
    scale, hr, _, name = FORMS[form]
    touch(tmp_path, hr)
    assert paired(tmp_path, scale) == [(name, hr, None)]
    assert [(pair.name, pair.lr) for pair in find_pairs((tmp_path / hr).parent, scale)] == [(name, None)]


def test_lr_images_of_another_scale_are_no_partners(tmp_path: Path):
    touch(tmp_path, "HR/a.png", "LR_bicubic/X2/ax2.png")
    assert paired(tmp_path) == [("a", "HR/a.png", None)]


def test_the_suffix_of_the_scale_wins_where_stems_are_numbers_themselves(tmp_path: Path):
    touch(tmp_path, "HR/1.png", "HR/1x4.png", "LR/1x4.png", "LR/1x4x4.png")
    assert paired(tmp_path) == [("1", "HR/1.png", "LR/1x4.png"), ("1x4", "HR/1x4.png", "LR/1x4x4.png")]


def test_other_results_among_srf_files_are_passed_over(tmp_path: Path):
    kinds = ("HR", "LR", "bicubic", "A+", "SelfExSR")
    touch(tmp_path / "Set5", *(f"image_SRF_4/img_00{n}_SRF_4_{kind}.png" for n in (2, 1) for kind in kinds))
    (found,) = find_sets(tmp_path / "Set5")
    assert (found.name, list(found.hr), found.unused_lr) == ("Set5", ["img_001", "img_002"], ())


def test_srf_files_of_another_scale_are_not_taken_for_hr_images(tmp_path: Path):
    touch(tmp_path, "img_001_SRF_2_HR.png", "img_001_SRF_2_LR.png")
    with pytest.raises(InputError, match=r"no HR images of scale 4 in .*: its files are of scale 2"):
        find_pairs(tmp_path)


def make_div2k(root: Path) -> Path:
    for part, number in (("train", "0001"), ("valid", "0801")):
        touch(root, f"DIV2K_{part}_HR/{number}.png", f"DIV2K_{part}_LR_bicubic/X4/{number}x4.png")
    return root


def test_div2k_has_a_part_to_train_on_and_one_to_validate_on(tmp_path: Path):
    make_div2k(tmp_path)
    assert [(one.name, one.part) for one in find_sets(tmp_path)] == [
        ("DIV2K_train_HR", "training"),
        ("DIV2K_valid_HR", "validation"),
    ]
    training, validation = find_training(tmp_path)
    assert [pair.name for pair in training] == ["0001"]
    assert [name for one in validation for name in one.hr] == ["0801"]
    assert [pair.name for pair in find_pairs(tmp_path)] == ["0801"]


def test_a_validation_part_alone_is_trained_on_where_it_is_given_to_train_on(tmp_path: Path):
    training, validation = find_training(make_div2k(tmp_path) / "DIV2K_valid_HR")
    assert ([pair.name for pair in training], validation) == (["0801"], [])


@pytest.mark.parametrize("flickr2k", [".", "Flickr2K"])
def test_div2k_and_flickr2k_in_one_folder_are_trained_on_together(tmp_path: Path, flickr2k: str):
    make_div2k(tmp_path if flickr2k == "." else tmp_path / "DIV2K")
    touch(tmp_path / flickr2k, "Flickr2K_HR/000001.png")
    training, validation = find_training(tmp_path)
    assert [pair.name for pair in training] == ["0001", "000001"]
    assert [one.name for one in validation] == ["DIV2K_valid_HR"]


def test_benchmarks_are_sets_by_name(tmp_path: Path):
    touch(tmp_path / "Set5", "HR/baby.png", "LR_bicubic/X4/babyx4.png")
    touch(tmp_path / "Set14", "GTmod12/baboon.png", "LRbicx4/baboon.png")
    touch(tmp_path / "B100", "8023.png")
    touch(tmp_path / "Urban100", "image_SRF_4/img_001_SRF_4_HR.png", "image_SRF_4/img_001_SRF_4_LR.png")
    assert [one.name for one in find_sets(tmp_path)] == ["B100", "Set5", "Set14", "Urban100"]
    for find in (find_pairs, find_training):
        with pytest.raises(
            InputError, match=r"4 sets of images \(B100, Set5, Set14, Urban100\): give the folder"
        ):
            find(tmp_path)


@pytest.mark.parametrize("folder", ["LR", "LR_bicubic", "DIV2K_train_LR_bicubic", "."])
def test_lr_images_alone_are_no_set(tmp_path: Path, folder: str):
    touch(tmp_path / "images" / folder, "X4/0001x4.png")
    with pytest.raises(InputError, match="no images in"):
        find_sets(tmp_path / "images")


def test_what_is_missing_is_known_and_pairing_refuses_it(tmp_path: Path):
    touch(tmp_path, "HR/a.png", "HR/b.png", "LR/a.png", "LR/c.png", "LR/ax2.png")
    (found,) = find_sets(tmp_path)
    assert found.without_lr == ["b"]
    assert [path.name for path in found.unused_lr] == ["ax2.png", "c.png"]
    with pytest.raises(InputError, match=r"HR/b.png has no LR image: neither b nor bx4 is in .*LR; add it"):
        found.pairs(4)


def test_of_the_bundled_photographs_two_are_held_out():
    training, validation = find_sets("embedded")
    assert (len(training.hr), training.part) == (6, "training")
    assert (list(validation.hr), validation.part) == (["astronaut", "chelsea"], "validation")
    assert not set(training.hr) & set(validation.hr)
    assert all(path.is_file() for one in (training, validation) for path in one.hr.values())


PAIR_FOLDERS = {
    "GT": "LQ",
    "gt": "lq",
    "hr": "lr",
    "Hr": "Lr",
    "HQ": "lq",
    "high": "low",
    "Target": "Input",
    "HR_sub": "LR_bicubic/x4_sub",
    "GT_sub": "LQ_sub",
}


@pytest.mark.parametrize(("hr", "lr"), PAIR_FOLDERS.items())
def test_usual_names_of_pairs_in_any_capitals(tmp_path: Path, hr: str, lr: str):
    touch(tmp_path, f"{hr}/a.png", f"{lr}/a.png")
    assert paired(tmp_path) == [("a", f"{hr}/a.png", f"{lr}/a.png")]


@pytest.mark.parametrize("suffix", ["", "x4"])
def test_folders_of_other_names_that_look_like_pairs_are_refused(tmp_path: Path, suffix: str):
    for i, (height, width) in enumerate([(64, 96), (128, 64)]):
        draw(tmp_path / "sharp" / f"{i}.png", height + 3, width)
        draw(tmp_path / "blurred" / f"{i}{suffix}.png", height // 4, width // 4)
    with pytest.raises(InputError, match="blurred holds the pictures of sharp 4 times smaller: name the two"):
        find_sets(tmp_path)
    assert [one.name for one in find_sets(tmp_path / "sharp")] == ["sharp"]


def test_benchmarks_that_share_names_of_pictures_are_no_pairs(tmp_path: Path):
    for name, sizes in {"Set5": [(64, 64), (48, 32)], "Urban100": [(128, 128), (64, 80)]}.items():
        for i, (height, width) in enumerate(sizes):
            draw(tmp_path / name / f"img_{i}.png", height, width)
    assert [one.name for one in find_sets(tmp_path)] == ["Set5", "Urban100"]


def test_two_folders_that_differ_in_capitals_alone_are_refused(tmp_path: Path):
    touch(tmp_path, "hr/a.png", "Hr/b.png")
    with pytest.raises(InputError, match="has the folders Hr and hr: name the one to be used HR"):
        find_sets(tmp_path)
    touch(tmp_path, "HR/c.png")
    assert [pair.name for pair in find_pairs(tmp_path)] == ["c"]


def test_sets_of_one_name_are_told_apart_by_the_folder_above(tmp_path: Path):
    touch(tmp_path, "a/DIV2K_valid_HR/1.png", "b/DIV2K_valid_HR/2.png", "Set5/x.png")
    found = {one.name: list(one.hr) for one in find_sets(tmp_path)}
    assert found == {"Set5": ["x"], "a/DIV2K_valid_HR": ["1"], "b/DIV2K_valid_HR": ["2"]}
