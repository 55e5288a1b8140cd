"""The notebooks as they are saved: run from top to bottom, with outputs that read well anywhere."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MAX_BYTES = 1_000_000
ABSOLUTE = re.compile(r"(?<![\w.:/])/(?:[\w.-]+/)+[\w.-]+|[A-Z]:\\\\")
FIGURE, PICTURE = "application/vnd.plotly.v1+json", "image/png"


def read_cells(notebook: Path) -> list[dict[str, Any]]:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def read_outputs(notebook: Path) -> Iterator[dict[str, Any]]:
    for cell in read_cells(notebook):
        yield from cell["outputs"]


def test_there_are_six():
    assert [notebook.stem for notebook in NOTEBOOKS] == [
        "browse_front",
        "launch_study",
        "pick_finetune_export",
        "pruned_translator",
        "small_stylegan",
        "two_devices",
    ]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_cell_ran_in_order(notebook: Path):
    """`make notebooks` runs and saves them."""
    counts = [cell["execution_count"] for cell in read_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1))


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_outputs_hold_no_error_and_no_path_of_a_machine(notebook: Path):
    outputs = list(read_outputs(notebook))
    assert outputs
    assert [one for one in outputs if one["output_type"] == "error" or one.get("name") == "stderr"] == []
    for output in outputs:
        data = output.get("data", {})
        texts = [content for kind, content in data.items() if not kind.startswith("image/")]
        assert ABSOLUTE.findall(json.dumps([texts, output.get("text", "")])) == []
    assert notebook.stat().st_size < MAX_BYTES


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_figure_has_a_picture_for_where_plotly_is_not(notebook: Path):
    kinds = [set(one.get("data", {})) for one in read_outputs(notebook)]
    figures = [one for one in kinds if FIGURE in one]
    assert figures
    assert all(PICTURE in one for one in figures)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("/root/work/x.db", True),
        ("at /tmp/a", True),
        ("https://example.org/a/b", False),
        ("notebooks/a/b", False),
        ("lp/mm, 1/2", False),
    ],
)
def test_paths_are_recognised(text: str, found: bool):
    assert bool(ABSOLUTE.search(text)) == found
