"""Files are written whole or not at all."""

import os
import stat

import pytest

from search.errors import SearchError
from search.files import is_same_file, require_place, write_text


def test_folders_are_made(tmp_path):
    write_text(tmp_path / "a" / "b" / "c.txt", "text")
    assert (tmp_path / "a" / "b" / "c.txt").read_text() == "text"


def test_a_link_stays_a_link_and_permissions_are_kept(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    target, link = tmp_path / "elsewhere" / "target.json", tmp_path / "link.json"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(target)
    write_text(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["elsewhere", "link.json", "target.json"]


def test_a_link_to_nothing_makes_its_target(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "target")
    write_text(tmp_path / "link", "text")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() == "text"


@pytest.mark.parametrize("stage", ["fsync", "replace"])
def test_a_failure_leaves_what_was_there(tmp_path, monkeypatch, stage):
    path = tmp_path / "page.html"
    path.write_text("old")

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, stage, full)
    with pytest.raises(SearchError, match=r"page.html cannot be written \(No space left on device\)"):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_names_that_are_not_unicode_can_be_written(tmp_path):
    write_text(tmp_path / "a.txt", "folder/\udcff.png")
    assert (tmp_path / "a.txt").read_text() == "folder/\\udcff.png"


@pytest.mark.parametrize("write", [lambda path: write_text(path, "x"), require_place])
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("folder", "folder"),
        ("file/x.json", "a file stands where a folder is needed"),
        ("bad\0name", "null byte"),
    ],
)
def test_places_that_cannot_be_written(tmp_path, write, name, words):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("kept")
    with pytest.raises(SearchError, match="cannot be written") as caught:
        write(tmp_path / name)
    assert words in str(caught.value) or name == "folder"
    assert (tmp_path / "file").read_text() == "kept"
    assert not list((tmp_path / "folder").iterdir())


def test_a_device_is_not_replaced():
    for write in (lambda path: write_text(path, "x"), require_place):
        with pytest.raises(SearchError, match="something other than a file has that name"):
            write("/dev/null")


def test_an_output_is_none_of_the_inputs(tmp_path):
    table, link, hard = tmp_path / "table.json", tmp_path / "link.json", tmp_path / "hard.json"
    table.write_text("{}")
    link.symlink_to(table)
    os.link(table, hard)
    for out in (table, link, hard, tmp_path / "x" / ".." / "table.json"):
        with pytest.raises(SearchError, match=r"is the input .*table\.json, which it would replace"):
            require_place(out, None, table)
    assert require_place(tmp_path / "new" / "out.json", table) == tmp_path / "new" / "out.json"
    assert list((tmp_path / "new").iterdir()) == []
    assert is_same_file(tmp_path / "none", tmp_path / "." / "none")
    assert not is_same_file(tmp_path / "none", table)
