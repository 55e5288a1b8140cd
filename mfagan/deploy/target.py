"""What an exported file is made for: its format, the precision of its numbers and the size of its pictures."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from mfagan.errors import InputError
from mfagan.graph.passes import DEFAULT_PASSES

__all__ = ["INPUT", "OUTPUT", "PARITY_LIMIT", "PRECISIONS", "SIGNATURE", "ExportTarget"]

SIGNATURE = "serving_default"
"""The name of the only signature of a TFLite file."""
INPUT = "image"
"""The name of a file's input: the LR picture, (1, h, w, 3), RGB."""
OUTPUT = "enlarged"
"""The name of a file's output: the HR picture, (1, scale h, scale w, 3), RGB, not clamped if it is float."""

PRECISIONS: Mapping[str, tuple[str, ...]] = {
    "tflite": ("fp32", "fp16", "dynamic", "int8"),
    "onnx": ("fp32", "fp16", "int8"),
}
"""Format -> precisions that it is written in."""
PARITY_LIMIT = 1e-4
"""The largest absolute difference of an fp32 file's output from PyTorch's."""
PIXELS = ("float", "uint8")
MIN_SIDE_PX = 4


@dataclass(frozen=True)
class ExportTarget:
    """What an exported file is made for.

    Args:
        format: tflite or onnx.
        precision: fp32; fp16: weights in half precision, which take half the space and are computed with in float32;
            dynamic: weights in 8 bits, activations rounded to 8 bits as they come; int8: computed in 8-bit integers,
            whose ranges photographs tell (`mfagan.graph.rounding`).
        size: (height, width) in px of the LR pictures; None for any, in ONNX alone.
        pixels: what pictures are made of, in and out: float in [0, 1], or uint8.
        passes: what rewrites a tflite file's operators for speed (`mfagan.graph.passes`).
        tiles: whether `mfagan upscale` can compute the file in tiles; in fp32 and float, and in onnx of any size.

    Raises:
        InputError: values that are not known or do not go together.
    """

    format: str = "tflite"
    precision: str = "fp32"
    size: tuple[int, int] | None = (128, 128)
    pixels: str = "float"
    passes: tuple[str, ...] = DEFAULT_PASSES
    tiles: bool = False

    def __post_init__(self) -> None:
        if self.format not in PRECISIONS:
            raise InputError(f"format {self.format!r:.40}: give {' or '.join(PRECISIONS)}")
        possible = PRECISIONS[self.format]
        if self.precision not in possible:
            if (self.format, self.precision) == ("onnx", "dynamic"):
                raise InputError(
                    "precision dynamic: it makes onnx files slower (docs/deploy.md), so they are written in "
                    f"{', '.join(possible)}; give one of them, or format tflite"
                )
            raise InputError(
                f"precision {self.precision!r:.40}: {self.format} files are written in {', '.join(possible)}; "
                "give one of them"
            )
        if self.pixels not in PIXELS:
            raise InputError(f"pictures of {self.pixels!r:.40}: give {' or '.join(PIXELS)}")
        if self.tiles and (self.precision, self.pixels) != ("fp32", "float"):
            raise InputError(
                f"tiles in {self.precision}, {self.pixels}: give fp32 and float, or leave tiles out"
            )
        if self.tiles and self.format == "onnx" and self.size is not None:
            raise InputError(
                f"tiles in onnx of size {self.size_text}: give --size dynamic, or leave tiles out"
            )
        if self.size is None and self.format == "tflite":
            raise InputError(
                "size dynamic: a tflite file names one size and runs at others when the program resizes its input; "
                "give HEIGHTxWIDTH, or --format onnx"
            )
        if self.size is not None and min(self.size) < MIN_SIDE_PX:
            height, width = self.size
            raise InputError(f"size {height}x{width}: give (height, width) in px, at least 4x4")

    @property
    def parity_limit(self) -> float:
        """The largest absolute difference from PyTorch that a file may have: infinity if it is not fp32.

        Pictures that are rounded to 8 bits may differ by half a level more.
        """
        if self.precision != "fp32":
            return math.inf
        return PARITY_LIMIT + (0.5 / 255 if self.pixels == "uint8" else 0)

    def as_dict(self) -> dict[str, object]:
        """Plain data; only a tflite file has passes."""
        return {
            "format": self.format,
            "precision": self.precision,
            "size": self.size_text,
            "pixels": self.pixels,
            "passes": list(self.passes) if self.format == "tflite" else [],
            "tiles": self.tiles,
        }

    @property
    def size_text(self) -> str:
        """HEIGHTxWIDTH, or dynamic."""
        return "dynamic" if self.size is None else "x".join(map(str, self.size))
