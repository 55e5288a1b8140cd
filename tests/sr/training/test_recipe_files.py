"""The file of a recipe: any bytes are a recipe or an InputError."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mfagan.errors import InputError
from mfagan.sr.training.stages import read_recipe
from tests import ROOT

DEMO = (ROOT / "mfagan" / "recipes" / "demo.toml").read_bytes()


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "recipe.toml"


def test_a_recipe_is_read_with_and_without_a_byte_order_mark(path: Path):
    path.write_bytes(b"\xef\xbb\xbf" + DEMO)
    assert read_recipe(path) == read_recipe("demo")


@settings(max_examples=200, deadline=None)
@given(noise=st.binary(max_size=20), at=st.integers(0, len(DEMO)), cut=st.booleans())
def test_any_bytes_are_a_recipe_or_an_input_error(path: Path, noise: bytes, at: int, cut: bool):
    path.write_bytes(DEMO[:at] + noise + (b"" if cut else DEMO[at + len(noise) :]))
    with contextlib.suppress(InputError):
        read_recipe(path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"name = 1",
        b"a = " + b"[" * 5000,
        "name = 'x'".encode("utf-16"),
        b"steps = 1e999",
        b"[stages]\n[stages]",
    ],
)
def test_odd_toml_is_refused_in_one_line(path: Path, content: bytes):
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"recipe .*recipe\.toml: ") as refusal:
        read_recipe(path)
    assert "\n" not in str(refusal.value)
