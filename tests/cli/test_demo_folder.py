from pathlib import Path

import pytest

from mfagan.cli.demo_folder import MANIFEST, DemoFolder
from mfagan.errors import InputError

NAMES = ["a.json", "b.html", "weights/"]


def write_all(folder: Path, text: str) -> None:
    for name in ("a.json", "b.html", "weights/teacher.bin", "weights/log/events"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def test_its_own_files_are_replaced(tmp_path: Path):
    for text in ("first", "second"):
        with DemoFolder(tmp_path / "new").claim(NAMES):
            write_all(tmp_path / "new", text)
    assert (tmp_path / "new" / "a.json").read_text() == "second"


@pytest.mark.parametrize("name", ["a.json", "b.html", "weights/teacher.bin", "weights/log/events"])
@pytest.mark.parametrize("when", ["before", "changed after", "added after"])
def test_a_file_of_the_user_s_is_refused_and_kept(tmp_path: Path, name: str, when: str):
    mine = tmp_path / name
    if when != "before":
        with DemoFolder(tmp_path).claim(NAMES):
            write_all(tmp_path, "demo")
            if when == "added after":
                mine.unlink()
    mine.parent.mkdir(parents=True, exist_ok=True)
    mine.write_text("mine", encoding="utf-8")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(InputError, match=f"{name} is in the way"), DemoFolder(tmp_path).claim(NAMES):
        raise AssertionError("claimed")
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_files_that_are_not_claimed_do_not_matter(tmp_path: Path):
    write_all(tmp_path, "mine")
    with DemoFolder(tmp_path).claim(["c.json"]):
        (tmp_path / "c.json").write_text("demo", encoding="utf-8")
    assert (tmp_path / "a.json").read_text() == "mine"


@pytest.mark.parametrize("ends", ["with an error", "killed"])
def test_what_an_interrupted_demo_left_is_its_own(tmp_path: Path, ends: str):
    left: list[bytes] = []

    def interrupt() -> None:
        with DemoFolder(tmp_path).claim(NAMES):
            write_all(tmp_path, "half")
            left.append((tmp_path / MANIFEST).read_bytes())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupt()
    if ends == "killed":
        (tmp_path / MANIFEST).write_bytes(left[0])
    with DemoFolder(tmp_path).claim(NAMES):
        write_all(tmp_path, "whole")
    assert (tmp_path / "a.json").read_text() == "whole"


def test_claims_of_a_part_keep_what_is_known_of_the_rest(tmp_path: Path):
    for names in (NAMES, ["a.json"], NAMES):
        with DemoFolder(tmp_path).claim(names):
            write_all(tmp_path, "same")


def test_places_that_cannot_be_written(tmp_path: Path):
    (tmp_path / "a.json").mkdir()
    with pytest.raises(InputError, match=r"a\.json is in the way"), DemoFolder(tmp_path).claim(["a.json"]):
        raise AssertionError("claimed")
    for content in ("not JSON", "[1]", '{"a": 1}'):
        (tmp_path / MANIFEST).write_text(content, encoding="utf-8")
        with pytest.raises(InputError, match=r"demo\.json: it is not the list of files"):
            DemoFolder(tmp_path)
