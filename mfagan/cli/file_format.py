"""The format of an exported file: as --format says, or by the file's ending."""

from pathlib import Path

from mfagan.errors import InputError

__all__ = ["BY_ENDING", "read_format"]

BY_ENDING = "(default: by the ending of --out; tflite of any other)"
"""What the help of --format says of its default."""
_ENDINGS = {".tflite": "tflite", ".onnx": "onnx", ".pth": "pth"}


def read_format(given: str | None, out: Path) -> str:
    """Tell what format a file is written in.

    Args:
        given: the value of --format.
        out: the file.

    Returns:
        `given`; without it the format that the file's ending names, or tflite if it names none.

    Raises:
        InputError: the ending is that of another known format.
    """
    named = _ENDINGS.get(out.suffix.lower())
    if given is None:
        return named or "tflite"
    if named is not None and given != named and given in _ENDINGS.values():
        raise InputError(
            f"--out {out} with format {given}: {out.suffix} is the ending of {named} files; give a file that ends in "
            f".{given}, or --format {named}"
        )
    return given
