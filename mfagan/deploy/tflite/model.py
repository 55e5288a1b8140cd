"""A TFLite file that enlarges pictures as a `Model` does, whole or tile by tile."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mfagan.deploy.tflite.litert import Session
from mfagan.deploy.upscaling.network_file import NetworkFile
from mfagan.enlarging.enlarger import Core
from mfagan.errors import InputError

__all__ = ["TFLiteModel"]

_LIVE = 24
"""Activations as large as the largest one that the interpreter holds at once, roughly: twelve in each of the two
signatures for tiles."""
_GLOBAL = ("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN", "FULLY_CONNECTED", "BATCH_MATMUL", "CUSTOM")
"""Operators by which a px may depend on all of the picture."""


class TFLiteModel(NetworkFile):
    """A network in a TFLite file.

    Args:
        path: the file; its first input is a picture (1, h, w, 3), RGB in [0, 1], and its first output the enlarged
            one. Files of `mfagan export --tiles` enlarge large pictures in tiles.
        threads: CPU threads of the interpreter.

    Raises:
        InputError: the file cannot be read, is no TFLite file, or its network does not enlarge RGB pictures.
    """

    def __init__(self, path: Path, threads: int = 1) -> None:
        super().__init__(path)
        self.session = self.open(lambda content: Session(content, threads), "TFLite file that LiteRT can run")
        shapes = self.session.input_shapes
        if len(shapes) != 1 or shapes[0][0] != 3:
            raise InputError(
                f"model {path}: its inputs are {shapes}; give a network of RGB pictures (3, h, w)"
            )
        self.size = shapes[0][1:]
        self.scale = self.find_scale()
        self.in_tiles = {"tile_moments", "tile_enlarged"} <= set(self.session.signatures)
        self.sees_whole = self.in_tiles or any(name in _GLOBAL for name, _ in self.session.list_operators())

    @property
    def bytes_per_px(self) -> float:
        """As in `NetworkFile`."""
        return _LIVE * self.session.largest_bytes / (self.size[0] * self.size[1])

    def run(self, image: Tensor, statistics: np.ndarray | None = None) -> Tensor:
        """As in `NetworkFile`.

        Args:
            image: (3, h, w), RGB in [0, 1].
            statistics: (1, 1, 1, n), or None.

        Returns:
            (3, scale h, scale w).
        """
        if statistics is None:
            return self.session.enlarge(image)
        found = self.session.call("tile_enlarged", image=_to_file(image), statistics=statistics)
        return torch.from_numpy(found)[0].permute(2, 0, 1)

    def find_moments(self, image: Tensor, core: Core, statistics: np.ndarray | None) -> np.ndarray:
        """As in `NetworkFile`.

        Args:
            image: (3, h, w), RGB in [0, 1].
            core: where the tile is in it.
            statistics: (1, 1, 1, n), or None.

        Returns:
            (1, 1, 1, n).
        """
        mask = np.zeros((1, *image.shape[1:], 1), np.float32)
        mask[:, *core] = 1
        own = np.array([statistics is None], np.float32)
        given = (
            np.zeros(self.session.shape("tile_moments", "statistics"), np.float32)
            if statistics is None
            else statistics
        )
        return self.session.call("tile_moments", image=_to_file(image), mask=mask, statistics=given, own=own)


def _to_file(image: Tensor) -> np.ndarray:
    return image.permute(1, 2, 0)[None].contiguous().numpy()
