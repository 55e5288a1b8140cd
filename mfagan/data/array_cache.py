"""Arrays kept on disk between runs, so that large pictures are decoded once."""

import hashlib
import io
import os
import shutil
from pathlib import Path

import numpy as np
import torch
from platformdirs import user_cache_path

from mfagan.errors import InputError
from mfagan.files import require_writable, sweep_leftovers, write_atomic

__all__ = [
    "ArrayCache",
    "default_folder",
    "fingerprint",
]


def default_folder() -> Path:
    """The system's folder for caches: $XDG_CACHE_HOME/mfagan on Linux, by default ~/.cache/mfagan."""
    return user_cache_path("mfagan", appauthor=False)


def fingerprint(path: Path) -> str:
    """What changes when a file does: its path, size and time of modification.

    Args:
        path: the file.

    Returns:
        One line of text.

    Raises:
        InputError: no such file.
    """
    try:
        facts = path.stat()
    except OSError as error:
        raise InputError(f"cannot read image {path}: {error.strerror}; give a readable image file") from error
    return f"{path.resolve()} {facts.st_size} {facts.st_mtime_ns}"


class ArrayCache:
    """uint8 arrays by text keys, one .npy file each, whole or absent.

    InputError: a folder that cannot be written.
    """

    def __init__(self, folder: str | Path | None = None):
        """`folder` is created if absent; None means `default_folder`."""
        self.folder = require_writable(default_folder() if folder is None else folder)
        sweep_leftovers(self.folder)

    def load(self, key: str) -> np.ndarray | None:
        """Look an array up.

        Args:
            key: what the array was saved under.

        Returns:
            The uint8 array, memory-mapped; None if it is absent or not whole.
        """
        path = self._path(key)
        try:
            with path.open("rb") as file:
                np.lib.format.read_magic(file)
                shape, _, dtype = np.lib.format.read_array_header_1_0(file)
                start, size = file.tell(), os.fstat(file.fileno()).st_size
        except (OSError, ValueError):
            return None
        if dtype != np.uint8 or size != start + int(np.prod(shape)):
            return None
        # numpy's own map keeps a file descriptor an array: a data set would run out of them.
        return torch.from_file(str(path), size=size, dtype=torch.uint8).numpy()[start:].reshape(shape)

    def save(self, key: str, array: np.ndarray) -> np.ndarray:
        """Keep an array.

        Args:
            key: what to save it under.
            array: uint8, of any shape.

        Returns:
            The array as `load` returns it from now on.

        Raises:
            InputError: the disk is full, or the folder is gone.
        """
        buffer = io.BytesIO()
        np.lib.format.write_array(buffer, np.ascontiguousarray(array), version=(1, 0))
        write_atomic(self._path(key), buffer.getvalue())
        saved = self.load(key)
        return array if saved is None else saved

    def require_room(self, size_bytes: int) -> None:
        """Check before long work that the disk has room.

        Args:
            size_bytes: what is going to be saved.

        Raises:
            InputError: less is free.
        """
        free = shutil.disk_usage(self.folder).free
        if free < size_bytes:
            raise InputError(
                f"decoded images need {size_bytes / 2**30:.1f} GiB in {self.folder}, but {free / 2**30:.1f} GiB "
                "are free: make room, or set XDG_CACHE_HOME to a larger disk"
            )

    def _path(self, key: str) -> Path:
        return self.folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.npy"
