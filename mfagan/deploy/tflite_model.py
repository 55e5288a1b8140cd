"""A TFLite file that enlarges pictures as a `Model` does, whole or tile by tile."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mfagan.deploy.litert import Session
from mfagan.enlarger import Core
from mfagan.errors import InputError

__all__ = ["TFLiteEnlarger", "TFLiteModel"]

_LIVE = 24
"""Activations as large as the largest one that the interpreter holds at once, roughly: twelve in each of the two
signatures for tiles."""
_GLOBAL = ("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN", "FULLY_CONNECTED", "BATCH_MATMUL", "CUSTOM")
"""Operators by which a px may depend on all of the picture."""
_PROBE_PX = 32


class TFLiteModel:
    """A network in a TFLite file.

    Args:
        path: the file; its first input is a picture (1, h, w, 3), RGB in [0, 1], and its first output the enlarged
            one. Files of `mfagan export --tiles` enlarge large pictures in tiles.
        threads: CPU threads of the interpreter.

    Raises:
        InputError: the file cannot be read, is no TFLite file, or its network does not enlarge RGB pictures.
    """

    device = torch.device("cpu")

    def __init__(self, path: Path, threads: int = 1) -> None:
        self.path = path
        try:
            self.session = Session(path.read_bytes(), threads)
        except OSError as error:
            raise InputError(f"model {path}: {error.strerror or error}; check the path") from None
        except (ValueError, RuntimeError):
            raise InputError(
                f"model {path}: it is no TFLite file that LiteRT can run; export it again"
            ) from None
        shapes = self.session.input_shapes
        if len(shapes) != 1 or shapes[0][0] != 3:
            raise InputError(
                f"model {path}: its inputs are {shapes}; give a network of RGB pictures (3, h, w)"
            )
        self.size = shapes[0][1:]
        self.scale = self._find_scale()
        self.in_tiles = {"tile_moments", "tile_enlarged"} <= set(self.session.signatures)
        self.sees_whole = self.in_tiles or any(one in _GLOBAL for one in self.session.operators)

    @property
    def bytes_per_px(self) -> float:
        """Memory that the activations take at their peak for each LR px, in bytes, roughly."""
        return _LIVE * self.session.largest_bytes / (self.size[0] * self.size[1])

    def start_enlarger(self) -> "TFLiteEnlarger":
        """What enlarges the tiles of one picture."""
        return TFLiteEnlarger(self)

    def enlarge(self, image: Tensor) -> Tensor:
        """Enlarge a picture, whole.

        Args:
            image: (3, h, w), RGB in [0, 1].

        Returns:
            (3, scale h, scale w).
        """
        return self.session.enlarge(image)

    def _find_scale(self) -> int:
        enlarged = self.enlarge(torch.zeros(3, _PROBE_PX, _PROBE_PX))
        scale = enlarged.shape[1] // _PROBE_PX
        if enlarged.shape != (3, scale * _PROBE_PX, scale * _PROBE_PX) or not scale:
            raise InputError(
                f"model {self.path}: it makes {tuple(enlarged.shape)} of (3, {_PROBE_PX}, {_PROBE_PX}); give a network "
                "that enlarges RGB pictures"
            )
        return scale


class TFLiteEnlarger:
    """An `Enlarger` of a TFLite file.

    Args:
        model: the file.
    """

    def __init__(self, model: TFLiteModel) -> None:
        self._model = model
        self._statistics: np.ndarray | None = None
        self._sums: np.ndarray | float = 0.0
        self._n_px = 0

    @property
    def scale(self) -> int:
        """As in `Enlarger`."""
        return self._model.scale

    @property
    def sees_whole(self) -> bool:
        """As in `Enlarger`."""
        return self._model.sees_whole

    def collect(self, image: Tensor, core: Core) -> None:
        """As in `Enlarger`.

        Args:
            image: (3, h, w), RGB in [0, 1]: the tile with its overlap.
            core: where the tile is in it.

        Raises:
            InputError: the file has no signatures for tiles.
        """
        model = self._model
        if not model.in_tiles:
            raise InputError(
                f"model {model.path}: its result depends on the whole picture, and it has no signatures for tiles; "
                "allow more memory (--memory-mb), or give a file exported for tiles, or a checkpoint"
            )
        height, width = image.shape[1:]
        mask = np.zeros((1, height, width, 1), np.float32)
        mask[:, *core] = 1
        given = self._statistics
        statistics = (
            np.zeros(model.session.shape("tile_moments", "statistics"), np.float32)
            if given is None
            else given
        )
        own = np.array([given is None], np.float32)
        inputs = {"image": _to_file(image), "mask": mask, "statistics": statistics, "own": own}
        found = model.session.call("tile_moments", **inputs)
        self._sums = self._sums + found.astype(np.float64) * (height * width)
        self._n_px += int(mask.sum())

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
        if self._statistics is None:
            return self._model.enlarge(image)
        inputs = {"image": _to_file(image), "statistics": self._statistics}
        return _from_file(self._model.session.call("tile_enlarged", **inputs))


def _to_file(image: Tensor) -> np.ndarray:
    return image.permute(1, 2, 0)[None].contiguous().numpy()


def _from_file(pixels: np.ndarray) -> Tensor:
    return torch.from_numpy(pixels)[0].permute(2, 0, 1)
