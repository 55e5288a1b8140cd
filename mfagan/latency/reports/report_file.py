"""Read a report of any of the known formats, which its content tells."""

import codecs
from pathlib import Path

from mfagan.errors import InputError
from mfagan.latency.reports import (
    ai_hub,
    benchmark_proto,
    benchmark_text,
    key_csv,
    litert_json,
    op_profile_csv,
)
from mfagan.latency.reports.timing import Timing

__all__ = ["read_report"]

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_report(path: Path) -> Timing | dict[str, Timing]:
    """Read what a tool wrote.

    Args:
        path: a text of `benchmark_model`, its operators' profile as CSV or its binary result, a JSON result of
            `benchmark_litert_model.py`, a profile of Qualcomm AI Hub, or a CSV file `key,milliseconds`. Text is
            UTF-8 or, as PowerShell writes it, UTF-16; a byte order mark may begin it.

    Returns:
        The timing of one file; of a `key,milliseconds` file that of each key.

    Raises:
        InputError: the file cannot be read, is of no known format, was cut off, or holds times that are not positive
            numbers; names the file.
    """
    try:
        return _read(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}; give a readable file") from None
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _read(content: bytes) -> Timing | dict[str, Timing]:
    try:
        text = content.decode("utf-16" if content.startswith(_UTF16) else "utf-8-sig")
    except UnicodeDecodeError:
        return benchmark_proto.read_proto(content)
    if not text.strip():
        raise InputError("the file is empty; measure again")
    if any(ord(character) < 32 and not character.isspace() for character in text):
        return benchmark_proto.read_proto(content)
    if text.lstrip().startswith("{"):
        return ai_hub.read_profile(text) if ai_hub.is_profile(text) else litert_json.read_result(text)
    if key_csv.is_keyed(text):
        return key_csv.read_keyed(text)
    if benchmark_text.is_text(text):
        return benchmark_text.read_text(text)
    if op_profile_csv.is_profile(text):
        return op_profile_csv.read_profile(text)
    raise InputError(
        "it is of no known format: give benchmark_model's text, profile (csv) or --result_file_path, "
        "benchmark_litert_model.py's --result_json, a profile of Qualcomm AI Hub, or a CSV file key,milliseconds"
    )
