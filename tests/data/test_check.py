import re
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from mfagan.data.check import survey
from mfagan.data.splits import read_sets
from mfagan.errors import InputError
from tests.pictures import draw


def make_pairs(folder: Path, n: int = 3) -> Path:
    """HR images of 41x42, 81x42, ... px with their LR images."""
    for number in range(1, n + 1):
        draw(folder / "HR" / f"{number}.png", 40 * number + 1, 42)
        draw(folder / "LR_bicubic" / "X4" / f"{number}x4.png", 10 * number, 10)
    return folder


def test_a_whole_folder_is_described(tmp_path: Path):
    found = survey(make_pairs(tmp_path / "own"), crop_px=8)
    (one,) = found.sets
    assert (one.name, one.layout, one.n_hr, one.n_lr, one.n_pairs) == (
        "own",
        "HR with LR_bicubic/X4",
        3,
        3,
        3,
    )
    assert (one.smallest, one.largest, one.hr_pixels) == ((42, 41), (42, 121), 42 * (41 + 81 + 121))
    assert (found.training, found.validation) == (("1", "2"), ("3",))
    assert (found.problems, found.notes) == ((), ())


def no_lr(folder: Path) -> None:
    (folder / "LR_bicubic" / "X4" / "2x4.png").unlink()


def another_size(folder: Path) -> None:
    draw(folder / "LR_bicubic" / "X4" / "1x4.png", 10, 9)


def broken_header(folder: Path) -> None:
    (folder / "HR" / "3.png").write_text("no picture")


def broken_lr(folder: Path) -> None:
    (folder / "LR_bicubic" / "X4" / "3x4.png").write_text("no picture")


def tiny_image(folder: Path) -> None:
    draw(folder / "HR" / "3.png", 12, 40)
    draw(folder / "LR_bicubic" / "X4" / "3x4.png", 3, 10)


def small_image(folder: Path) -> None:
    draw(folder / "HR" / "1.png", 31, 42)
    draw(folder / "LR_bicubic" / "X4" / "1x4.png", 7, 10)


FAULTS: dict[str, tuple[Callable[[Path], None], str, int]] = {
    "HR without LR": (no_lr, r"HR without LR: \S*HR/2.png \(looked for 2 and 2x4 in \S*X4\)", 2),
    "LR of another size": (
        another_size,
        r"size mismatch: \S* \S* \S*1x4.png is 10x9 px, .* must be 10x10",
        2,
    ),
    "no picture": (broken_header, r"unreadable: cannot read image \S*HR/3.png: it is not a picture", 2),
    "no LR picture": (broken_lr, r"unreadable: cannot read image \S*3x4.png: it is not a picture", 2),
    "under 16 px": (tiny_image, r"too small: \S*HR/3.png is 12x40 px, under 16 px a side", 3),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_wrong_is_found_by_name(tmp_path: Path, fault: str):
    spoil, message, n_pairs = FAULTS[fault]
    spoil(make_pairs(tmp_path))
    found = survey(tmp_path, crop_px=8)
    (problem,) = found.problems
    assert re.match(message, problem)
    assert "\n" not in problem
    assert found.sets[0].n_pairs == n_pairs


def test_pictures_smaller_than_a_crop_are_no_problem_but_are_skipped_by_training(tmp_path: Path):
    small_image(make_pairs(tmp_path))
    found = survey(tmp_path, crop_px=8)
    assert found.problems == ()
    assert found.sets[0].n_pairs == 3
    assert any(
        "smaller than a crop of 32x32 px, so training skips 1 of 3: 1.png" in note for note in found.notes
    )


def test_what_is_called_usable_can_be_scored(tmp_path: Path):
    """One rule for both: inside the shaved borders SSIM's window must fit."""
    for side, n_problems in ((18, 1), (20, 0)):
        folder = tmp_path / str(side)
        draw(folder / "a.png", 64, 64)
        draw(folder / "icon.png", side, 24)
        problems = survey(folder, scale=2, crop_px=1).problems + survey(folder, scale=4, crop_px=1).problems
        assert len(problems) == n_problems
        for scale in (2, 4):
            if survey(folder, scale, crop_px=1).problems:
                with pytest.raises(InputError, match=r"icon.png is 18x24 px, under 19 px"):
                    read_sets(folder, scale)
            else:
                assert [pair.name for pair in read_sets(folder, scale)[str(side)]] == ["a", "icon"]


def test_pixels_are_looked_at_when_asked(tmp_path: Path):
    make_pairs(tmp_path)
    path = tmp_path / "HR" / "2.png"
    path.write_bytes(path.read_bytes()[:2000])
    assert survey(tmp_path, crop_px=8).problems == ()
    (problem,) = survey(tmp_path, crop_px=8, decode=True).problems
    assert re.match(r"unreadable: cannot read image \S*HR/2.png: .*truncated", problem)


def test_a_camera_held_upright_is_no_mismatch(tmp_path: Path):
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "HR").mkdir()
    Image.new("RGB", (40, 80)).save(tmp_path / "HR" / "a.jpg", exif=exif)
    draw(tmp_path / "LR" / "a.png", 20, 10)
    found = survey(tmp_path, crop_px=8)
    assert (found.problems, found.sets[0].largest) == ((), (40, 80))


def test_notes_do_not_make_a_folder_unusable(tmp_path: Path):
    draw(tmp_path / "stray" / "LR" / "b.png", 6, 5)
    draw(tmp_path / "stray" / "LR" / "a.png", 6, 5)
    draw(tmp_path / "stray" / "HR" / "a.png")
    found = survey(tmp_path / "stray")
    assert found.problems == ()
    assert [note.split(": ")[0] for note in found.notes] == ["LR without HR", "cannot be trained on as it is"]
    draw(tmp_path / "plain" / "a.png")
    (made, _) = survey(tmp_path / "plain").notes
    assert made == "plain has no LR images for scale 4: they are made by MATLAB's bicubic"


def test_benchmarks_are_to_evaluate_on_and_may_be_small(tmp_path: Path):
    for name in ("Set5", "Set14"):
        draw(tmp_path / name / "a.png")
    found = survey(tmp_path)
    assert [one.name for one in found.sets] == ["Set5", "Set14"]
    assert (found.training, found.validation, found.problems) == ((), (), ())
    assert any("holds 2 sets of images (Set5, Set14)" in note for note in found.notes)


def test_wrong_questions_are_refused(tmp_path: Path):
    draw(tmp_path / "a.png")
    with pytest.raises(InputError, match="scale is 5: give 2, 3 or 4"):
        survey(tmp_path, scale=5)
    with pytest.raises(InputError, match="crop is 0 px"):
        survey(tmp_path, crop_px=0)
    with pytest.raises(InputError, match="no such image folder"):
        survey(tmp_path / "absent")
