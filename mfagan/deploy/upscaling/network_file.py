"""Exported files that enlarge pictures as a `Model` does, whole or tile by tile, whatever runtime runs them."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from mfagan.enlarging.enlarger import Core
from mfagan.errors import InputError

__all__ = ["FileEnlarger", "NetworkFile"]

T = TypeVar("T")

_MIN_SIDE_PX = 2
"""Smaller pictures are extended to this side by repeating their edge: the bicubic residual mirrors two px."""
_PROBE_PX = 32


class NetworkFile(ABC):
    """A network in an exported file.

    Args:
        path: the file.
    """

    device = torch.device("cpu")
    scale: int
    """Enlargement of height and width."""
    fixed_size: tuple[int, int] | None = None
    """(height, width) in px of the only pictures that it takes; None for any."""
    in_tiles = False
    """Whether it can compute tiles with statistics of the whole picture."""
    sees_whole: bool
    """Whether its result depends on the whole picture."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def open(self, load: Callable[[bytes], T], what: str) -> T:
        """Load the file into its runtime.

        Args:
            load: takes the file's content.
            what: what the file should be, such as "TFLite file that LiteRT can run".

        Returns:
            What `load` gave.

        Raises:
            InputError: the file cannot be read, or `load` refuses it.
        """
        try:
            return load(self.path.read_bytes())
        except OSError as error:
            raise InputError(f"model {self.path}: {error.strerror or error}; check the path") from None
        except (ValueError, RuntimeError):
            raise InputError(f"model {self.path}: it is no {what}; export it again") from None

    @property
    @abstractmethod
    def bytes_per_px(self) -> float:
        """Memory that the activations take at their peak for each LR px, in bytes, roughly."""

    @abstractmethod
    def run(self, image: Tensor, statistics: np.ndarray | None = None) -> Tensor:
        """Run the network.

        Args:
            image: (3, h, w), RGB in [0, 1].
            statistics: (1, 1, 1, n) of the whole picture; None for those of `image`.

        Returns:
            (3, scale h, scale w).
        """

    @abstractmethod
    def find_moments(self, image: Tensor, core: Core, statistics: np.ndarray | None) -> np.ndarray:
        """Run the network up to its statistics.

        Args:
            image: (3, h, w), RGB in [0, 1]: a tile with its overlap.
            core: where the tile is in it.
            statistics: as in `run`.

        Returns:
            (1, 1, 1, n): sums over the tile divided by h w.
        """

    def start_enlarger(self) -> "FileEnlarger":
        """What enlarges the tiles of one picture."""
        return FileEnlarger(self)

    def enlarge(self, image: Tensor, statistics: np.ndarray | None = None) -> Tensor:
        """Enlarge a picture or a tile of one, of at least 1x1 px.

        Args:
            image: as in `run`.
            statistics: as in `run`.

        Returns:
            (3, scale h, scale w).

        Raises:
            InputError: the file takes pictures of another size, or fails on this one.
        """
        height, width = image.shape[1:]
        self.require_size(height, width)
        if min(height, width) < _MIN_SIDE_PX:
            missing = (0, max(0, _MIN_SIDE_PX - width), 0, max(0, _MIN_SIDE_PX - height))
            image = F.pad(image[None], missing, mode="replicate")[0]
        try:
            found = self.run(image, statistics)
        except RuntimeError as error:
            reason = " ".join(str(error).split())[:200]
            raise InputError(
                f"model {self.path}: it fails on {width}x{height} px ({reason}); export it again"
            ) from None
        return found[:, : self.scale * height, : self.scale * width]

    def require_size(self, height: int, width: int) -> None:
        """Refuse pictures that a file of one size does not take.

        Args:
            height: of the picture in px.
            width: likewise.

        Raises:
            InputError: the file takes pictures of another size.
        """
        if self.fixed_size not in (None, (height, width)):
            raise InputError(
                f"model {self.path}: it takes {'x'.join(map(str, self.fixed_size))} px (height x width) alone, not "
                f"{height}x{width}; export it with --size dynamic"
            )

    def find_scale(self) -> int:
        """Run the network once to see by how much it enlarges.

        Raises:
            InputError: it does not enlarge pictures.
        """
        height, width = self.fixed_size or (_PROBE_PX, _PROBE_PX)
        enlarged = self.run(torch.zeros(3, height, width))
        scale = enlarged.shape[1] // height
        if enlarged.shape != (3, scale * height, scale * width) or not scale:
            raise InputError(
                f"model {self.path}: it makes {tuple(enlarged.shape)} of {(3, height, width)}; give a network that "
                "enlarges RGB pictures"
            )
        return scale


class FileEnlarger:
    """An `Enlarger` of an exported file.

    Args:
        file: the file.
    """

    def __init__(self, file: NetworkFile) -> None:
        self._file = file
        self._statistics: np.ndarray | None = None
        self._sums: np.ndarray | float = 0.0
        self._n_px = 0

    @property
    def scale(self) -> int:
        """As in `Enlarger`."""
        return self._file.scale

    @property
    def sees_whole(self) -> bool:
        """As in `Enlarger`."""
        return self._file.sees_whole

    def collect(self, image: Tensor, core: Core) -> None:
        """As in `Enlarger`.

        Args:
            image: (3, h, w), RGB in [0, 1]: the tile with its overlap.
            core: where the tile is in it.

        Raises:
            InputError: the file was not exported for tiles.
        """
        height, width = image.shape[1:]
        self._file.require_size(height, width)
        if not self._file.in_tiles:
            raise InputError(
                f"model {self._file.path}: its result depends on the whole picture, and it was not exported with "
                "--tiles; allow more memory (--memory-mb), or give a file exported for tiles, or a checkpoint"
            )
        found = self._file.find_moments(image, core, self._statistics)
        rows, columns = core
        self._sums = self._sums + found.astype(np.float64) * (height * width)
        self._n_px += (rows.stop - rows.start) * (columns.stop - columns.start)

    def settle(self) -> float:
        """As in `Enlarger`; the difference is that of the statistics, in parts of the largest."""
        found = np.asarray(self._sums / self._n_px, np.float32)
        before, self._statistics = self._statistics, found
        self._sums, self._n_px = 0.0, 0
        return 1.0 if before is None else float(abs(found - before).max() / abs(found).max())

    def enlarge(self, image: Tensor) -> Tensor:
        """As in `Enlarger`.

        Args:
            image: (3, h, w), RGB in [0, 1].

        Returns:
            (3, scale h, scale w).
        """
        return self._file.enlarge(image, self._statistics)
