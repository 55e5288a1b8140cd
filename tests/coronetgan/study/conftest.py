"""The files of a study, written once."""

from pathlib import Path

import pytest

from tests.coronetgan.study.small import write_study


@pytest.fixture(scope="session")
def slice_files(tmp_path_factory) -> dict[str, Path]:
    return write_study(tmp_path_factory.mktemp("slices"))
