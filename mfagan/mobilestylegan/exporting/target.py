"""What an exported generator is made for: its format, the precision of its numbers, its noise and its input."""

from dataclasses import dataclass
from typing import Literal, get_args

from mfagan.errors import InputError

__all__ = ["FORMATS", "PRECISIONS", "FrozenNoise", "GeneratorTarget", "StyleInput"]

FORMATS = ("tflite", "onnx")
PRECISIONS = ("fp32", "fp16")
FrozenNoise = Literal["const", "zero"]
"""const: the constant maps of `mfagan.mobilestylegan.network.layers.noise`; zero: none."""
StyleInput = Literal["w", "w_plus"]
"""w: one style, (1, style_dim); w_plus: a row for each layer as the teacher has them, (1, rows, style_dim)."""


@dataclass(frozen=True)
class GeneratorTarget:
    """What an exported generator is made for.

    Args:
        format: tflite or onnx.
        precision: fp32; fp16: weights in half precision, and styles and weights scaled so that a device that computes
            in half precision does not overflow (`mfagan.mobilestylegan.exporting.half_precision`).
        noise: as in `FrozenNoise`.
        styles: as in `StyleInput`.

    Raises:
        InputError: values that are not known.
    """

    format: str = "tflite"
    precision: str = "fp32"
    noise: FrozenNoise = "const"
    styles: StyleInput = "w"

    def __post_init__(self) -> None:
        for name, value, known in (
            ("format", self.format, FORMATS),
            ("precision", self.precision, PRECISIONS),
            ("noise", self.noise, get_args(FrozenNoise)),
            ("input", self.styles, get_args(StyleInput)),
        ):
            if value not in known:
                raise InputError(f"{name} {value!r:.40} of an exported generator: give {' or '.join(known)}")

    def as_dict(self) -> dict[str, object]:
        """Plain data."""
        return {"format": self.format, "precision": self.precision, "noise": self.noise, "input": self.styles}
