"""Folders of two domains, looked at before training."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from mfagan.data.translation.check import holds_translation, survey_translation
from mfagan.data.translation.folders import find_translation
from mfagan.data.translation.reading import read_training
from mfagan.errors import InputError
from tests.pictures import draw


def draw_separate(root: Path) -> Path:
    """trainA with 1, 2, 3 and trainB with 2, 3, 4; testA and testB with 1."""
    for name, numbers in (("trainA", (1, 2, 3)), ("trainB", (2, 3, 4)), ("testA", (1,)), ("testB", (1,))):
        for i in numbers:
            draw(root / name / f"{i}.png", 20, 20, i)
    return root


def draw_aligned(root: Path) -> Path:
    for part, n in (("train", 3), ("val", 1), ("test", 2)):
        for i in range(n):
            draw(root / part / f"{i}.jpg", 40, 20, i)
    return root


def draw_pairs(root: Path) -> Path:
    for name in ("trainA", "trainB", "testA", "testB"):
        for i in range(2):
            draw(root / name / f"{i}.png", 20 + i, 20 + i, i)
    return root


def test_unpaired_folders_are_described(tmp_path: Path):
    assert holds_translation(draw_separate(tmp_path))
    draw(tmp_path / "trainA" / "5.png", 24, 30)
    found = survey_translation(tmp_path)
    assert (found.source, found.layout, found.problems) == (str(tmp_path), "unpaired", ())
    train, test = found.parts
    assert (train.name, train.n_a, train.n_b, train.n_pairs, train.n_alone) == ("train", 4, 3, 2, 3)
    assert train.folders == (str(tmp_path / "trainA"), str(tmp_path / "trainB"))
    assert (train.smallest, train.largest) == ((20, 20), (30, 24))
    assert (test.name, test.n_a, test.n_b) == ("test", 1, 1)
    assert found.notes == ("1 of 7 pictures of train are not square: they are stretched",)


def test_pictures_side_by_side_are_described(tmp_path: Path):
    assert holds_translation(draw_aligned(tmp_path))
    found = survey_translation(tmp_path)
    assert (found.layout, found.problems, found.notes) == ("aligned", (), ())
    assert [(one.name, one.n_a, one.n_b, one.n_pairs, one.n_odd) for one in found.parts] == [
        ("train", 3, 3, 3, 0),
        ("val", 1, 1, 1, 0),
        ("test", 2, 2, 2, 0),
    ]
    assert found.parts[0].largest == (20, 40)


def test_pairs_of_equal_names_are_described(tmp_path: Path):
    assert (
        "trainA and trainB share all names: give --paired to train on pairs"
        in survey_translation(draw_pairs(tmp_path)).notes
    )
    found = survey_translation(tmp_path, paired=True)
    assert (found.layout, found.problems, found.notes) == ("paired", (), ())
    assert [(one.n_pairs, one.n_alone) for one in found.parts] == [(2, 0), (2, 0)]


def remove_test_b(root: Path) -> None:
    (root / "testB" / "1.png").unlink()
    (root / "testB").rmdir()


def empty_train_b(root: Path) -> None:
    for path in (root / "trainB").iterdir():
        path.unlink()


FAULTS: dict[str, tuple[Callable[[Path], Path], Callable[[Path], object], bool, str]] = {
    "missing testB": (draw_separate, remove_test_b, False, r"missing testB: \S* has testA and no testB$"),
    "no images": (draw_separate, empty_train_b, False, r"no images in \S*trainB"),
    "unreadable": (
        draw_separate,
        lambda root: (root / "trainA" / "2.png").write_text("x"),
        False,
        r"unreadable: cannot read image \S*trainA/2.png",
    ),
    "too small": (
        draw_separate,
        lambda root: draw(root / "trainA" / "2.png", 15, 15),
        False,
        r"too small: \S*2.png is 15x15 px, under 16 px a side",
    ),
    "odd width": (
        draw_aligned,
        lambda root: draw(root / "val" / "7.png", 41, 20),
        False,
        r"odd width: image \S*val/7.png is 41 px wide",
    ),
    "no partner": (
        draw_pairs,
        lambda root: draw(root / "trainB" / "x.png", 20, 20),
        True,
        r"no partner: \S*trainB/x.png \(looked for x in \S*trainA\)",
    ),
    "size mismatch": (
        draw_pairs,
        lambda root: draw(root / "trainB" / "1.png", 30, 30),
        True,
        r"size mismatch: \S*trainA/1.png is 21x21 px and its partner \S*trainB/1.png is 30x30 px",
    ),
}


def read_all(root: Path, paired: bool) -> None:
    for part in find_translation(root, paired).parts.values():
        read_training(part, 16)


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_wrong_is_found_by_name_and_refused_by_training(tmp_path: Path, fault: str):
    make, spoil, paired, message = FAULTS[fault]
    spoil(make(tmp_path))
    assert holds_translation(tmp_path)
    found = survey_translation(tmp_path, paired)
    (problem,) = found.problems
    assert re.match(message, problem)
    assert "\n" not in problem
    with pytest.raises(InputError):
        read_all(tmp_path, paired)


def test_missing_pictures_of_pairs_are_one_problem(tmp_path: Path):
    for name in ("trainA", "trainB", "testA"):
        draw(tmp_path / name / "1.png", 20, 20)
    (problem,) = survey_translation(tmp_path, paired=True).problems
    assert problem.startswith("missing testB")


def test_pixels_are_looked_at_when_asked(tmp_path: Path):
    path = draw_aligned(tmp_path) / "train" / "1.jpg"
    path.write_bytes(path.read_bytes()[:-100])
    assert survey_translation(tmp_path).problems == ()
    (problem,) = survey_translation(tmp_path, decode=True).problems
    assert re.match(r"unreadable: cannot read image \S*train/1.jpg: .*truncated", problem)


def test_parts_that_are_not_there_are_noted(tmp_path: Path):
    draw(tmp_path / "ab" / "val" / "1.png", 40, 20)
    assert survey_translation(tmp_path / "ab").notes == (
        f"no pictures to train on: {tmp_path / 'ab'} has no train",
        f"no pictures to evaluate with: {tmp_path / 'ab'} has no test",
    )
    draw(tmp_path / "two" / "trainA" / "1.png", 20, 20)
    draw(tmp_path / "two" / "trainB" / "2.png", 20, 20)
    assert survey_translation(tmp_path / "two").notes == (
        f"no pictures to evaluate with: {tmp_path / 'two'} has no testA and testB",
    )


def test_folders_to_enlarge_are_not_taken_for_pictures_to_translate(tmp_path: Path):
    draw(tmp_path / "photos" / "train" / "1.png", 48, 32)
    draw(tmp_path / "photos" / "test" / "1.png", 32, 48)
    draw(tmp_path / "hr" / "HR" / "1.png", 40, 20)
    draw(tmp_path / "hr" / "train" / "1.png", 40, 20)
    draw(tmp_path / "direct" / "1.png", 40, 20)
    draw(tmp_path / "direct" / "train" / "1.png", 40, 20)
    (tmp_path / "empty" / "train").mkdir(parents=True)
    for name in ("photos", "hr", "direct", "empty", "absent", "photos/train/1.png"):
        assert not holds_translation(tmp_path / name)
    assert not holds_translation("embedded")
    with pytest.raises(InputError, match="is no folder of pictures to translate: looked for trainA"):
        survey_translation(tmp_path / "photos" / "train")


def test_a_few_panoramas_make_no_pairs(tmp_path: Path):
    for i in range(40):
        draw(tmp_path / "train" / f"{i}.png", 80 if i % 3 == 0 else 30, 20)
    assert not holds_translation(tmp_path)
    for i in range(40):
        draw(tmp_path / "train" / f"{i}.png", 41 if i % 3 == 0 else 40, 20)
    assert holds_translation(tmp_path)
