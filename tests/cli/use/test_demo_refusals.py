"""`mfagan demo` before its work: what it refuses, and that it changes nothing then."""

from pathlib import Path

import pytest

from tests.command import Run


@pytest.mark.parametrize(
    "name", ["lut.json", "picked.json", "front.html", "subgenerator.safetensors", "report.json"]
)
def test_a_file_that_it_did_not_write_is_named_and_kept(run: Run, tmp_path: Path, name: str):
    (tmp_path / name).write_text("mine", encoding="utf-8")
    message = run("demo", "--out", tmp_path).message
    assert f"{tmp_path / name} is in the way" in message
    assert "--out" in message
    assert (tmp_path / name).read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == [name]


def test_weights_that_it_did_not_train_are_named_and_kept(run: Run, tmp_path: Path):
    mine = tmp_path / "weights" / "teacher.safetensors"
    mine.parent.mkdir()
    mine.write_text("mine", encoding="utf-8")
    assert f"{mine} is in the way" in run("demo", "--from-scratch", "--out", tmp_path).message
    assert mine.read_text() == "mine"


def test_a_database_that_is_none_is_refused_before_the_work(run: Run, tmp_path: Path):
    (tmp_path / "study.db").write_text("no database at all", encoding="utf-8")
    assert "study.db" in run("demo", "--out", tmp_path).message
    assert (tmp_path / "study.db").read_text() == "no database at all"
    assert "cannot write /dev/null" in run("demo", "--out", "/dev/null/demo").message
