"""An installed wheel works outside of a checkout: recipes, tables and weights travel with it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import ROOT

pytestmark = pytest.mark.slow

CHECK = """
import json, sys
from pathlib import Path
import mfagan, search
from mfagan import checkpoint
from mfagan.deploy.web.page import build_page
from mfagan.deploy.web.runtime import WebRuntime
from mfagan.latency.tables import find_table
from mfagan.sr import shipped
from mfagan.sr.training.stages import read_recipe
from search.latency import LatencyTable
from search.report.page.document import build_document

installed = Path(sys.argv[1])
for module in (mfagan, search):
    assert installed in Path(module.__file__).parents, module.__file__
table = find_table(shipped.LATENCY_TABLE)
assert installed in table.parents, table
assert LatencyTable.read(table).entries
assert checkpoint.read(shipped.SUPERGENERATOR, "mfanet", "supergenerator")
assert checkpoint.read(shipped.DISCRIMINATOR, "patchgan", "discriminator")
assert read_recipe("demo").name == "demo"
for name in shipped.MODELS:
    assert mfagan.load(name, device="cpu").scale == 4
assert (installed / "mfagan" / "py.typed").is_file()
assert b"</html>" in build_page(b"", "x", WebRuntime("", b"", b"", b""))
assert "</html>" in build_document("{}", "x")
"""


def test_an_installed_wheel_finds_what_it_ships(tmp_path: Path):
    wheels, installed = tmp_path / "wheels", tmp_path / "installed"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    build = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", wheels, ROOT]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = wheels.glob("mfagan-*.whl")
    subprocess.run(
        [*pip, "install", "--no-deps", "--target", installed, wheel], check=True, capture_output=True
    )
    environment = os.environ | {"PYTHONPATH": str(installed)}
    for arguments in (["-c", CHECK, installed], ["-m", "search", "--help"]):
        done = subprocess.run(
            [sys.executable, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
    command = installed / "bin" / "mfagan"
    costs = [sys.executable, command, "costs", "--widths", "48", "--json"]
    done = subprocess.run(costs, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert '"params": 884037' in done.stdout, done.stderr
