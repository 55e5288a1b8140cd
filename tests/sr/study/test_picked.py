"""The file of a pick: any bytes are a pick or an InputError."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mfagan.errors import InputError
from mfagan.sr.study.picked import Picked, read_picked

PICKED = Picked(
    study="first",
    trial=3,
    widths=(48, 24, 24, 24, 32, 48, 48, 24),
    psnr_db=30.5,
    latency_ms=90.0,
    params=551_456,
    flops=8_430_000_000,
    memory_bytes=515_000_000,
    lut_sha256="a" * 64,
    supernet="supergenerator.safetensors",
    supernet_sha256="b" * 64,
)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "picked.json"


def test_a_pick_is_read_with_and_without_a_byte_order_mark(path: Path):
    PICKED.save(path)
    assert read_picked(path) == PICKED
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read_picked(path) == PICKED


@settings(max_examples=200, deadline=None)
@given(noise=st.binary(max_size=20), at=st.integers(0, 600), cut=st.booleans())
def test_any_bytes_are_a_pick_or_an_input_error(path: Path, noise: bytes, at: int, cut: bool):
    PICKED.save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[:at] + noise + (b"" if cut else whole[at + len(noise) :]))
    with contextlib.suppress(InputError):
        read_picked(path)


@pytest.mark.parametrize(
    "content", ['{"a": ' * 2000, "[" * 100_000, "1e999", '{"trial": 1e400}', "null", '"\\ud800"']
)
def test_odd_json_is_refused_in_one_line(path: Path, content: str):
    path.write_text(content)
    with pytest.raises(InputError, match=r"write one with `mfagan pick`") as refusal:
        read_picked(path)
    assert "\n" not in str(refusal.value)
