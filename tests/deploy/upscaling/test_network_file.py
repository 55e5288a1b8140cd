from pathlib import Path

import pytest

from mfagan.deploy.onnx.model import ONNXModel
from mfagan.deploy.tflite.model import TFLiteModel
from mfagan.deploy.upscaling.network_file import NetworkFile
from mfagan.errors import InputError

KINDS = [
    (TFLiteModel, "m.tflite", "it is no TFLite file that LiteRT can run; export it again"),
    (ONNXModel, "m.onnx", "it is no ONNX file that ONNX Runtime can run; export it again"),
]


@pytest.mark.parametrize("content", [b"", b"no network"])
@pytest.mark.parametrize(("kind", "name", "message"), KINDS)
def test_what_is_no_network_is_refused(
    kind: type[NetworkFile], name: str, message: str, content: bytes, tmp_path: Path
):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=f"{name}: {message}"):
        kind(tmp_path / name)


@pytest.mark.parametrize(("kind", "name", "message"), KINDS)
def test_a_file_that_cannot_be_read_is_refused(
    kind: type[NetworkFile], name: str, message: str, tmp_path: Path
):
    with pytest.raises(InputError, match=f"{name}: No such file or directory; check the path"):
        kind(tmp_path / name)
