"""An ONNX file that enlarges pictures as a `Model` does, whole or tile by tile."""

from pathlib import Path

import numpy as np
from torch import Tensor

from mfagan.deploy.onnx.converter import Session, inspect, largest_bytes
from mfagan.deploy.onnx.tiles import MOMENTS
from mfagan.deploy.target import INPUT, OUTPUT
from mfagan.deploy.upscaling.network_file import NetworkFile
from mfagan.enlarging.enlarger import Core
from mfagan.errors import InputError

__all__ = ["ONNXModel"]

_LIVE = 21
"""Activations as large as the largest one that ONNX Runtime holds at once, in files for tiles; others hold nine."""
_GLOBAL = ("Reduce", "Global", "MatMul", "Gemm", "QLinearMatMul")
"""How operators begin by which a px may depend on all of the picture."""
_PROBE_PX = 32


class ONNXModel(NetworkFile):
    """A network in an ONNX file of `mfagan export`.

    Args:
        path: the file. One of `--size dynamic` takes all pictures, and in tiles if it is of `--tiles` too; one of a
            size takes pictures of that size.
        threads: CPU threads.

    Raises:
        InputError: the file cannot be read, is no ONNX file, or its network does not enlarge RGB pictures as those
            of `mfagan export` do.
    """

    def __init__(self, path: Path, threads: int = 1) -> None:
        super().__init__(path)
        content, self.session = self.open(
            lambda content: (content, Session(content, threads)), "ONNX file that ONNX Runtime can run"
        )
        inputs, outputs = self.session.inputs, self.session.outputs
        shape = inputs.get(INPUT, [])
        if list(inputs) != [INPUT] or len(shape) != 4 or shape[3] != 3 or OUTPUT not in outputs:
            raise InputError(
                f"model {path}: it makes {outputs} of {inputs}; give a file of mfagan export, which makes "
                f"{OUTPUT!r} of {INPUT!r}, (1, height, width, 3)"
            )
        height, width = shape[1:3]
        if isinstance(height, int) and isinstance(width, int):
            self.fixed_size = height, width
        probed = self.fixed_size or (_PROBE_PX, _PROBE_PX)
        self._largest_bytes_per_px = largest_bytes(content, *probed) / (probed[0] * probed[1])
        self.scale = self.find_scale()
        self.in_tiles = MOMENTS in outputs
        self.sees_whole = any(kind.startswith(_GLOBAL) for kind in inspect(content).operators)

    @property
    def bytes_per_px(self) -> float:
        """As in `NetworkFile`."""
        return _LIVE * self._largest_bytes_per_px

    def run(self, image: Tensor, statistics: np.ndarray | None = None) -> Tensor:
        """As in `NetworkFile`.

        Args:
            image: (3, h, w), RGB in [0, 1].
            statistics: (1, 1, 1, n), or None.

        Returns:
            (3, scale h, scale w).
        """
        return self.session.enlarge(image, **_as_inputs(statistics))

    def find_moments(self, image: Tensor, core: Core, statistics: np.ndarray | None) -> np.ndarray:
        """As in `NetworkFile`.

        Args:
            image: (3, h, w), RGB in [0, 1].
            core: where the tile is in it.
            statistics: (1, 1, 1, n), or None.

        Returns:
            (1, 1, 1, n).
        """
        rows, columns = core
        bounds = np.array([rows.start, columns.start, rows.stop, columns.stop])
        (moments,) = self.session.call([MOMENTS], image, core=bounds, **_as_inputs(statistics))
        return moments


def _as_inputs(statistics: np.ndarray | None) -> dict[str, np.ndarray]:
    if statistics is None:
        return {}
    return {"statistics": statistics, "own": np.zeros(1, np.float32)}
