"""Layouts are known by names alone, so most files here are empty."""

from pathlib import Path

import pytest

from mfagan.data.inventory import describe_sets
from mfagan.data.translation.folders import Direction, find_folders, find_translation
from mfagan.errors import InputError


def touch(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


CYCLEGAN = ("trainA/h10.jpg", "trainA/h2.jpg", "trainB/z.jpg", "testA/h3.jpg", "testB/z1.png", "testB/z2.jpg")


def test_unpaired_folders_are_recognised(tmp_path: Path):
    found = find_translation(touch(tmp_path, *CYCLEGAN))
    assert (found.layout, found.paired, list(found.parts)) == ("unpaired", False, ["train", "test"])
    train = found.part("train")
    assert [one.path.name for one in train.a] == ["h2.jpg", "h10.jpg"]
    assert [(one.name, one.half) for one in train.b] == [("z", None)]
    assert [one.name for one in found.part("test").b] == ["z1", "z2"]
    with pytest.raises(InputError, match="holds unpaired pictures: give --paired if"):
        found.require_paired()


def test_pictures_side_by_side_are_recognised(tmp_path: Path):
    found = find_translation(touch(tmp_path, "train/1.jpg", "train/2.jpg", "val/3.jpg", "test/4.jpg"))
    assert (found.layout, found.paired, list(found.parts)) == ("aligned", True, ["train", "val", "test"])
    train = found.part("train")
    assert [(one.name, one.half) for one in train.a] == [("1", "left"), ("2", "left")]
    assert [(one.name, one.half) for one in train.b] == [("1", "right"), ("2", "right")]
    found.require_paired()


def test_equal_names_are_pairs_if_asked(tmp_path: Path):
    touch(
        tmp_path, "trainA/1.jpg", "trainA/2.jpg", "trainB/2.png", "trainB/1.png", "testA/a.jpg", "testB/a.jpg"
    )
    assert find_translation(tmp_path).layout == "unpaired"
    found = find_translation(tmp_path, paired=True)
    assert (found.layout, found.paired) == ("paired", True)
    train = found.part("train")
    assert [(a.path.name, b.path.name) for a, b in zip(train.a, train.b, strict=True)] == [
        ("1.jpg", "1.png"),
        ("2.jpg", "2.png"),
    ]
    found.require_paired()


@pytest.mark.parametrize("names", [CYCLEGAN, ("train/1.jpg",)], ids=["cyclegan", "aligned"])
def test_the_direction_swaps_the_domains(tmp_path: Path, names: tuple[str, ...]):
    forth = find_translation(touch(tmp_path, *names)).part("train")
    back = find_translation(tmp_path, direction="BtoA").part("train")
    assert (back.a, back.b) == (forth.b, forth.a)


def test_pictures_to_translate_are_those_of_the_last_part(tmp_path: Path):
    whole = touch(tmp_path / "whole", *CYCLEGAN)
    assert find_translation(whole).folder_to_translate() == whole / "testA"
    assert find_translation(whole, direction="BtoA").folder_to_translate() == whole / "testB"
    train = touch(tmp_path / "train alone", "trainA/1.jpg", "trainB/1.jpg")
    assert find_translation(train).folder_to_translate() == train / "trainA"
    assert find_translation(touch(tmp_path / "halves", "train/1.jpg")).folder_to_translate() is None


@pytest.mark.parametrize(
    "names", [("TrainA/1.jpg", "TRAINB/1.jpg", "testa/1.jpg", "testb/1.jpg"), ("Train/1.jpg", "TEST/1.jpg")]
)
def test_names_may_be_written_in_any_letters(tmp_path: Path, names: tuple[str, ...]):
    assert list(find_translation(touch(tmp_path, *names)).parts) == ["train", "test"]


def test_other_folders_are_none_of_these(tmp_path: Path):
    touch(tmp_path, "HR/1.png", "LR/1.png", "trainC/1.png")
    (tmp_path / "trainA.png").touch()
    assert find_folders(tmp_path) is None


REFUSED: dict[str, tuple[tuple[str, ...], bool, str]] = {
    "no testB": (("trainA/1.jpg", "trainB/1.jpg", "testA/1.jpg"), False, "has testA and no testB: add the"),
    "no testA": (("trainA/1.jpg", "trainB/1.jpg", "testB/1.jpg"), False, "has testB and no testA: add the"),
    "no trainB": (("trainA/1.jpg", "testA/1.jpg", "testB/1.jpg"), False, "has trainA and no trainB: add"),
    "no images": (("trainA/1.jpg", "trainB/note.txt"), False, "no images in .*trainB: add some"),
    "no images side by side": (("train/note.txt",), False, "no images in .*train: add some"),
    "neither": (("HR/1.jpg",), False, "looked for trainA trainB testA testB, and for train val test"),
    "both": (("trainA/1.jpg", "train/1.jpg"), False, "has both trainA and train: move one of the two"),
    "two of a name": (("trainA/1.jpg", "trainA/1.png", "trainB/1.jpg"), False, "two images share one name"),
    "no partner in B": (
        ("trainA/1.jpg", "trainA/2.jpg", "trainB/1.jpg"),
        True,
        r"1 of 2 pictures have no partner of the same name in \S*trainB: \S*trainA/2.jpg; add the partners",
    ),
    "no partner in A": (
        ("trainA/1.jpg", "trainB/1.jpg", *(f"trainB/{i}.jpg" for i in range(2, 7))),
        True,
        r"5 of 6 pictures have no partner of the same name in \S*trainA: \S*2.jpg, \S*3.jpg, \S*4.jpg, ...;",
    ),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_what_cannot_be_used_is_refused_in_one_line(tmp_path: Path, fault: str):
    names, paired, message = REFUSED[fault]
    with pytest.raises(InputError, match=message) as refusal:
        find_translation(touch(tmp_path, *names), paired)
    assert "\n" not in str(refusal.value)


def test_wrong_questions_are_refused(tmp_path: Path):
    with pytest.raises(InputError, match=r"no such folder: .*absent"):
        find_translation(tmp_path / "absent")
    wrong: Direction = "AtoC"  # pyright: ignore[reportAssignmentType]
    with pytest.raises(InputError, match="direction 'AtoC': give one of AtoB, BtoA"):
        find_translation(touch(tmp_path, "train/1.jpg"), direction=wrong)
    with pytest.raises(InputError, match=r"has no test \(it has train\)"):
        find_translation(tmp_path).part("test")
    with pytest.raises(InputError, match=r"has no valA and valB \(it has train, test\)"):
        find_translation(touch(tmp_path / "two", *CYCLEGAN)).part("val")


def test_a_record_counts_every_file_once(tmp_path: Path):
    touch(
        tmp_path, "cyclegan/trainA/1.jpg", "cyclegan/trainA/2.jpg", "cyclegan/trainB/1.jpg", "ab/train/1.jpg"
    )
    sets = describe_sets(find_translation(tmp_path / "cyclegan").part("train").files())
    assert {name: one["n_images"] for name, one in sets.items()} == {"trainA": 2, "trainB": 1}
    sets = describe_sets(find_translation(tmp_path / "ab").part("train").files())
    assert {name: one["n_images"] for name, one in sets.items()} == {"train": 1}


def test_pictures_to_validate_on_are_those_of_val_or_some_of_train(tmp_path: Path):
    numbers = range(1, 42)
    touch(
        tmp_path,
        *(f"train{side}/{number}.png" for side in "AB" for number in numbers),
        "testA/1.png",
        "testB/1.png",
    )
    found = find_translation(tmp_path).with_validation()
    assert list(found.parts) == ["train", "test", "val"]
    assert [one.name for one in found.part("val").a] == ["20", "40"]
    assert len(found.part("train").a) == 39
    paired = find_translation(tmp_path, paired=True).with_validation().part("val")
    assert [one.name for one in paired.a] == [one.name for one in paired.b]
    touch(tmp_path, "valA/v.png", "valB/v.png")
    whole = find_translation(tmp_path)
    assert whole.with_validation() is whole


def test_few_pictures_leave_one_to_validate_on(tmp_path: Path):
    touch(tmp_path, "train/1.jpg", "train/2.jpg")
    found = find_translation(tmp_path).with_validation()
    assert [one.name for one in found.part("val").a] == ["2"]
    assert [one.name for one in found.part("train").a] == ["1"]
    only = find_translation(touch(tmp_path / "other", "test/1.jpg"))
    assert only.with_validation() is only
    with pytest.raises(InputError, match="none is left to validate on"):
        find_translation(touch(tmp_path / "single", "train/1.jpg")).with_validation()
