"""The format of an exported file, by --format or by its ending."""

from pathlib import Path

import pytest

from mfagan.cli.file_format import read_format
from mfagan.errors import InputError


@pytest.mark.parametrize(
    ("given", "name", "format"),
    [
        (None, "m.tflite", "tflite"),
        (None, "m.ONNX", "onnx"),
        (None, "latest_net_G.pth", "pth"),
        (None, "m.bin", "tflite"),
        ("onnx", "m.onnx", "onnx"),
        ("onnx", "m", "onnx"),
        ("coreml", "m.tflite", "coreml"),  # unknown: refused by who knows the formats
    ],
)
def test_the_ending_tells_where_nothing_is_given(given: str | None, name: str, format: str):
    assert read_format(given, Path(name)) == format


def test_an_ending_of_another_format_is_refused():
    with pytest.raises(
        InputError, match=r"--out m\.onnx with format tflite: \.onnx is the ending of onnx files"
    ):
        read_format("tflite", Path("m.onnx"))
