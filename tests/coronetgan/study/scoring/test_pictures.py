"""The pictures that slices are scored on."""

from pathlib import Path

import pytest
import torch

from mfagan.coronetgan.study.scoring.pictures import PictureSource, read_pictures
from mfagan.errors import InputError
from tests.coronetgan.study.small import (
    SIDE,
)


@pytest.mark.parametrize("subject", ["shapes", "discs"])
def test_drawings_are_scored_on_as_pairs_and_found_again(subject):
    forth = PictureSource(Path("drawings"), max_images=2, subject=subject)
    again = PictureSource.from_texts(forth.to_texts())
    assert again == forth
    found = read_pictures(forth, SIDE, calibrated=True)
    assert found.names == ("drawing 0", "drawing 1")
    assert found.targets is not None
    assert found.calibration is not None
    assert found.calibration.shape == (16, 3, SIDE, SIDE)
    back = read_pictures(PictureSource(Path("drawings"), None, False, "BtoA", 2, subject), SIDE, True)
    assert torch.equal(back.inputs, found.targets)
    assert back.calibration is not None
    assert not torch.equal(back.calibration, found.calibration)
    with pytest.raises(InputError, match="part val: drawings have no parts; leave it out"):
        read_pictures(PictureSource(Path("drawings"), "val"), SIDE)


def test_a_folder_is_remembered_by_its_whole_path(slice_files, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(slice_files["data"].parent)
    source = PictureSource(Path("pairs"), "test", True, "BtoA", 2)
    again = PictureSource.from_texts(source.to_texts())
    assert again is not None
    assert again.folder == slice_files["data"].resolve()
    assert read_pictures(again, SIDE).sha256() == read_pictures(source, SIDE).sha256()
    assert PictureSource.from_texts({}) is None
