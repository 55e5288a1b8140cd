"""The standard sets and the published weights that some tests measure on; they are no part of the repository."""

import os
from pathlib import Path

import pytest

from tests import ROOT

__all__ = ["find_published_data"]

VARIABLE = "MFAGAN_DATA"


def find_published_data() -> Path:
    """The folder that holds Set5 and `weights`; the test is skipped where there is none."""
    folder = Path(os.environ.get(VARIABLE) or ROOT.parent / "shared" / "data")
    if not (folder / "weights").is_dir():
        pytest.skip(
            f"{folder} has no folder `weights`: set {VARIABLE} to where Set5 and other authors' weights are"
        )
    return folder
