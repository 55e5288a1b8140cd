"""The photographs that tell the ranges of a network's 8-bit integers."""

import re
from collections.abc import Sequence
from pathlib import Path

from mfagan.data.embedded import EMBEDDED
from mfagan.data.layouts import find_pairs, find_training
from mfagan.data.pairs import Pair
from mfagan.data.splits import read_files
from mfagan.errors import InputError
from mfagan.evaluation.fidelity import fit_pair

__all__ = ["MAX_PHOTOS", "MAX_SIDE_PX", "fit_calibration", "read_calibration"]

MAX_PHOTOS = 16
MAX_SIDE_PX = 128
"""A network's ranges hardly depend on the picture's size, the memory for finding them does."""
_TEST_SETS = re.compile(r"(set5|set14|b100|bsds?100|urban100|manga109)(?![0-9])", re.IGNORECASE)


def read_calibration(folder: Path | None, scale: int) -> list[Pair]:
    """The photographs to calibrate on: never those that networks are compared on.

    Args:
        folder: of which a validation part is taken if it has one; None for the six bundled photographs that files are
            not checked on.
        scale: enlargement.

    Returns:
        At most `MAX_PHOTOS`.

    Raises:
        InputError: the folder is named as a test set; as `find_pairs`; scikit-image, which brings the photographs, is
            not installed.
    """
    if folder is None:
        return read_files(find_training(EMBEDDED, scale)[0], scale)
    files = find_pairs(folder, scale)[:MAX_PHOTOS]
    for part in (*folder.resolve().parts[-1:], files[0].hr.parent.name):
        if _TEST_SETS.match(part):
            raise InputError(
                f"calibration {folder}: {part} is a set that networks are tested on; give validation pictures, such as "
                "DIV2K_valid_HR"
            )
    return read_files(files, scale)


def fit_calibration(pairs: Sequence[Pair], size: tuple[int, int] | None, scale: int) -> list[Pair]:
    """The photographs at one size, not above `MAX_SIDE_PX`.

    Args:
        pairs: the photographs.
        size: (height, width) in px of the LR pictures that the file takes; None for any.
        scale: enlargement.
    """
    height, width = (min(side, MAX_SIDE_PX) for side in size or (MAX_SIDE_PX, MAX_SIDE_PX))
    return [fit_pair(pair, (height, width), scale) for pair in pairs]
