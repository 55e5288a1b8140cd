"""Two xdist workers share two cores: one thread each, in this process and in those it starts."""

import os

os.environ["OMP_NUM_THREADS"] = "1"

import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from mfagan import cli
from tests import tiny
from tests.command import Result, Run
from tests.published_data import find_published_data

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# The same examples in every run: what passes here passes in CI. `--hypothesis-profile=default` draws others.
settings.register_profile("repeatable", derandomize=True, database=None)
settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every checkpoint of a tiny recipe; read it only."""
    return tiny.train_all(tmp_path_factory.mktemp("trained"))


@pytest.fixture(scope="session")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A latency table with invented figures; read it only."""
    return tiny.write_table(tmp_path_factory.mktemp("luts") / "table.json")


@pytest.fixture(scope="session")
def published_data() -> Path:
    """The folder of Set5 and of other authors' weights, where this machine has them."""
    return find_published_data()


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """A real Chromium; the tests are skipped where none is installed."""
    from tests.browser import launch

    yield from launch()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Iterator[Run]:
    """The command line, where no pretrained weights are found."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "no-weights-here"))
    # Restored after the test, whatever the command sets: other tests read the log at its root.
    logger = logging.getLogger("mfagan")
    monkeypatch.setattr(logger, "propagate", True)
    level = logger.level

    def call(*arguments: object) -> Result:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["mfagan", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        captured = capsys.readouterr()
        return Result(int(ended.value.code or 0), captured.out, captured.err)

    yield call
    logger.setLevel(level)
