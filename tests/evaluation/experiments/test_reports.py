"""Tables of experiments, as files and for a terminal."""

import json
from pathlib import Path

from mfagan.evaluation.experiments.reports import ExperimentReport, write_report
from mfagan.evaluation.text_table import Column

TABLE = ExperimentReport(
    "fruit",
    "Fruit",
    [Column("kind"), Column("weight", "g", ".1f", "each")],
    [["apple", 150.0], ["pear", None]],
    ["Weighed once."],
)


def test_a_table_is_written_as_markdown_and_json_with_its_notes(tmp_path: Path):
    text = write_report(TABLE, tmp_path, "weigh fruit")
    assert text.startswith("Fruit\n\n")
    assert text.endswith("Weighed once.\n`weigh fruit`\n")
    markdown = (tmp_path / "fruit.md").read_text()
    assert "## Fruit" in markdown
    assert "| kind | each weight (g) |" in markdown
    assert "| pear | - |" in markdown
    found = json.loads((tmp_path / "fruit.json").read_text())
    assert found["rows"] == [
        {"kind": "apple", "each weight": 150.0},
        {"kind": "pear", "each weight": None},
    ]
    assert found["notes"] == ["Weighed once.", "`weigh fruit`"]
