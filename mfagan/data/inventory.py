"""What a training records of its images: the sets, how many images each has, and a hash of their files."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from mfagan.data.image_sets import PairFiles
from mfagan.data.layouts import LAYOUTS

__all__ = ["describe_sets"]

_PARTS = {layout.hr.lower() for layout in LAYOUTS if layout.part == "any"}


def describe_sets(files: Sequence[PairFiles]) -> dict[str, dict[str, object]]:
    """Count and hash the images of each set.

    Args:
        files: pairs of one or several sets.

    Returns:
        Name of a set, its folder's -> `n_images`, and `sha256` over the names and contents of its files in order.
    """
    hashes: dict[Path, hashlib._Hash] = {}
    counts: dict[Path, int] = {}
    for pair in files:
        folder = pair.hr.resolve().parent
        found = hashes.setdefault(folder, hashlib.sha256())
        counts[folder] = counts.get(folder, 0) + 1
        found.update(pair.name.encode() + b"\0")
        for path in (pair.hr, pair.lr):
            if path is not None:
                with path.open("rb") as file:
                    found.update(hashlib.file_digest(file, "sha256").digest())
    names = {
        folder: folder.parent.name if folder.name.lower() in _PARTS else folder.name for folder in hashes
    }
    taken = list(names.values())
    return {
        name if taken.count(name) == 1 else str(folder): {
            "n_images": counts[folder],
            "sha256": hashes[folder].hexdigest(),
        }
        for folder, name in names.items()
    }
