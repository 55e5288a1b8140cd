"""What an exported file says of itself: written into TFLite and ONNX files, which compute the same, and read back."""

from pathlib import Path

import pytest
import torch

from mfagan import __version__
from mfagan.deploy import litert, onnx, tflite
from mfagan.deploy.file_metadata import describe_export, read_metadata, write_metadata
from mfagan.deploy.target import ExportTarget
from mfagan.errors import InputError
from mfagan.sr.lowering import lower
from mfagan.sr.network.mfanet import MFANet
from mfagan.sr.network.widths import Widths

SESSIONS = {"tflite": litert.Session, "onnx": onnx.Session}


@pytest.fixture(scope="module")
def network() -> MFANet:
    torch.manual_seed(0)
    return MFANet(Widths.uniform(4), 2).eval()


def export(network: MFANet, format: str) -> bytes:
    """A file as the converter gives it, without facts."""
    if format == "onnx":
        return onnx.convert(network, ExportTarget("onnx", size=(6, 9)))
    return tflite.convert_network(*lower(network, 6, 9), "fp32", "float")


@pytest.mark.parametrize("format", SESSIONS)
def test_facts_are_read_back_and_the_file_computes_the_same(network: MFANet, format: str, tmp_path: Path):
    target = ExportTarget(format, size=(6, 9))
    facts = describe_export(network.KIND, network.config(), target, "ab" * 32)
    assert (facts["mfagan"], facts["precision"], facts["checkpoint_sha256"]) == (
        __version__,
        "fp32",
        "ab" * 32,
    )
    plain, path = export(network, format), tmp_path / f"m.{format}"
    path.write_bytes(plain)
    assert read_metadata(path) is None
    content = write_metadata(plain, format, facts)
    path.write_bytes(content)
    assert read_metadata(path) == facts
    x = torch.rand(3, 6, 9)
    before, after = SESSIONS[format](plain), SESSIONS[format](content)
    assert torch.equal(before.enlarge(x), after.enlarge(x))
    if isinstance(before, litert.Session) and isinstance(after, litert.Session):
        assert before.list_operators() == after.list_operators()
        assert before.signatures == after.signatures


def test_what_is_no_exported_file_is_refused_in_one_line(network: MFANet, tmp_path: Path):
    def refusal(name: str, content: bytes | None) -> str:
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(InputError) as raised:
            read_metadata(path)
        assert str(raised.value).startswith(f"model {path}: ")
        return str(raised.value)

    assert "No such file" in refusal("absent.tflite", None)
    assert "no TFLite file" in refusal("a.tflite", b"")
    assert "no TFLite file" in refusal("a.tflite", b"text that is long enough")
    assert "no ONNX file" in refusal("a.onnx", b"text that is long enough")
    assert "its format is 'png'" in refusal("a.png", b"")
    content = write_metadata(export(network, "tflite"), "tflite", {"a": 1})
    assert "damaged" in refusal("cut.tflite", content[:60])
