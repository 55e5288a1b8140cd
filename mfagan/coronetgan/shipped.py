"""Files that are installed with the package: none of this system."""

from collections.abc import Mapping
from pathlib import Path

__all__ = ["MODELS"]

MODELS: Mapping[str, Path] = {}
"""Name -> translator, for `mfagan.load`."""
