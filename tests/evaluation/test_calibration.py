from pathlib import Path

import pytest

from mfagan.errors import InputError
from mfagan.evaluation.calibration import MAX_PHOTOS, MAX_SIDE_PX, fit_calibration, read_calibration
from mfagan.evaluation.fidelity import read_photos
from tests import tiny


@pytest.mark.parametrize("name", ["Set5", "set14", "B100", "BSDS100", "Urban100-third"])
def test_sets_that_networks_are_tested_on_are_refused(tmp_path: Path, name: str):
    photos = tiny.write_photos(tmp_path / name)
    with pytest.raises(InputError, match=f"{name} is a set that networks are tested on"):
        read_calibration(photos, scale=4)


@pytest.mark.parametrize("name", ["DIV2K-valid-256", "Kodak24", "BSDS500-train", "photos"])
def test_other_folders_are_read(tmp_path: Path, name: str):
    assert 0 < len(read_calibration(tiny.write_photos(tmp_path / name), scale=4)) <= MAX_PHOTOS


def test_the_bundled_photographs_are_not_those_of_the_check():
    calibration, check = read_calibration(None, scale=4), read_photos(None, scale=4)
    assert len(calibration) == 6
    assert not {pair.name for pair in calibration} & {pair.name for pair in check}


@pytest.mark.parametrize(("size", "expected"), [((24, 32), (24, 32)), ((300, 40), (MAX_SIDE_PX, 40))])
def test_photographs_get_the_files_size_up_to_a_limit(size: tuple[int, int], expected: tuple[int, int]):
    photos = fit_calibration(read_calibration(None, scale=4), size, scale=4)
    assert {tuple(pair.lr.shape[1:]) for pair in photos} == {expected}


def test_a_file_of_any_size_is_calibrated_on_squares():
    photos = fit_calibration(read_calibration(None, scale=4)[:1], None, scale=4)
    assert photos[0].lr.shape == (3, MAX_SIDE_PX, MAX_SIDE_PX)
