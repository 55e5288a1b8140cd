"""A kit of three blocks, written once; each test has a copy."""

import shutil
from pathlib import Path

import pytest

from mfagan.latency.phones.kit import Kit, write_kit
from mfagan.sr.study.calibrating.table_blocks import table_blocks

SIZE = (16, 12)
KEYS = ("head/t48", "tail/t24", "fusion/t24/f24/x4")


def write_some(folder: Path, rounds: int = 2) -> Kit:
    blocks = {key: block for key, block in table_blocks(SIZE, 4, ()).items() if key in KEYS}
    return write_kit(folder, blocks, input_size=SIZE, scale=4, passes=(), most={"tail/t24": 3}, rounds=rounds)


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kits") / "kit"
    write_some(folder)
    return folder


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    return shutil.copytree(written, tmp_path / "kit")
