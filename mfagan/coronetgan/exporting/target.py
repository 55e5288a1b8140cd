"""What an exported translator is made for: its format, the precision of its numbers and the size of its pictures."""

from collections.abc import Mapping
from dataclasses import dataclass

from mfagan.errors import InputError

__all__ = ["PRECISIONS", "TranslatorTarget"]

PRECISIONS: Mapping[str, tuple[str, ...]] = {"tflite": ("fp32", "fp16", "int8"), "onnx": ("fp32", "fp16")}
"""Format -> precisions that it is written in."""


@dataclass(frozen=True)
class TranslatorTarget:
    """What an exported translator is made for: one picture at a time, of one size.

    Args:
        size: (height, width) of the picture in px; instance norms depend on it.
        format: tflite or onnx.
        precision: fp32; fp16: weights in half precision, and scaled so that a device that computes in half precision
            does not overflow (`mfagan.coronetgan.exporting.half_precision`); int8, in tflite: convolutions in 8-bit
            integers, whose ranges pictures tell, and instance norms in float.

    Raises:
        InputError: values that are not known or do not go together.
    """

    size: tuple[int, int]
    format: str = "tflite"
    precision: str = "fp32"

    def __post_init__(self) -> None:
        if self.format not in PRECISIONS:
            raise InputError(
                f"format {self.format!r:.40} of an exported translator: give {' or '.join(PRECISIONS)}"
            )
        possible = PRECISIONS[self.format]
        if self.precision not in possible:
            raise InputError(
                f"precision {self.precision!r:.40} of an exported translator: {self.format} files are written in "
                f"{', '.join(possible)}; give one of them"
            )

    @property
    def size_text(self) -> str:
        """HEIGHTxWIDTH."""
        return "x".join(map(str, self.size))

    def as_dict(self) -> dict[str, object]:
        """Plain data."""
        return {"format": self.format, "precision": self.precision, "size": self.size_text}
