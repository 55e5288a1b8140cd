"""Two xdist workers share two cores: one thread each, in this process and in those it starts."""

import os

os.environ["OMP_NUM_THREADS"] = "1"

from pathlib import Path

import pytest

from tests import tiny


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every checkpoint of a tiny recipe; read it only."""
    return tiny.train_all(tmp_path_factory.mktemp("trained"))


@pytest.fixture(scope="session")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A latency table with invented figures; read it only."""
    return tiny.write_table(tmp_path_factory.mktemp("luts") / "table.json")
