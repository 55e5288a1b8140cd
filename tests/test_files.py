import os
import subprocess
import sys
from pathlib import Path

import pytest

from mfagan.errors import InputError
from mfagan.files import (
    read_text,
    require_other_file,
    require_place,
    require_writable,
    sweep_leftovers,
    write_atomic,
)


def test_bytes_and_text_are_written_whole_in_new_folders(tmp_path: Path):
    write_atomic(tmp_path / "a" / "b" / "data.bin", b"\x00\xff")
    assert (tmp_path / "a" / "b" / "data.bin").read_bytes() == b"\x00\xff"
    write_atomic(str(tmp_path / "text.json"), "größer\n")
    assert (tmp_path / "text.json").read_bytes() == "größer\n".encode()
    assert sorted(os.listdir(tmp_path)) == ["a", "text.json"]


def test_an_old_file_is_replaced_not_rewritten(tmp_path: Path):
    path = tmp_path / "result"
    path.write_text("old")
    os.link(path, tmp_path / "kept")
    write_atomic(path, "new")
    assert path.read_text() == "new"
    assert (tmp_path / "kept").read_text() == "old"


def test_the_mode_is_that_of_an_ordinary_file(tmp_path: Path):
    (tmp_path / "ordinary").write_text("")
    write_atomic(tmp_path / "atomic", "")
    assert (tmp_path / "atomic").stat().st_mode == (tmp_path / "ordinary").stat().st_mode


LINUX = pytest.mark.skipif(sys.platform != "linux", reason="/proc and /sys are Linux's")


def below_a_file(folder: Path) -> Path:
    (folder / "file").write_text("kept")
    return folder / "file" / "below"


@pytest.mark.parametrize("refuses", [require_writable, lambda path: write_atomic(path, b"data")])
@pytest.mark.parametrize(
    ("place", "reason"),
    [
        (below_a_file, "a file stands where a folder is needed"),
        pytest.param(lambda folder: Path("/proc/mfagan/below"), "No such file", marks=LINUX),
        pytest.param(lambda folder: Path("/sys/mfagan/below"), "not permitted|denied|Read-only", marks=LINUX),
        (lambda folder: folder / ("n" * 300) / "below", "too long"),
    ],
    ids=["below a file", "below /proc", "below /sys", "name too long"],
)
def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path, place, reason: str, refuses):
    path = place(tmp_path)
    with pytest.raises(InputError, match=reason) as caught:
        refuses(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert [p.name for p in tmp_path.iterdir()] == (["file"] if place is below_a_file else [])


def test_a_folder_or_device_of_that_name_stays(tmp_path: Path):
    (tmp_path / "taken").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("taken", "pipe"):
        with pytest.raises(InputError, match="something other than a file"):
            write_atomic(tmp_path / name, b"data")
    assert (tmp_path / "taken").is_dir()
    assert (tmp_path / "pipe").is_fifo()
    assert sorted(os.listdir(tmp_path)) == ["pipe", "taken"]


def test_a_file_where_a_folder_is_needed_is_refused(tmp_path: Path):
    (tmp_path / "file").write_text("kept")
    with pytest.raises(InputError, match="file: a file stands where a folder is needed"):
        require_writable(tmp_path / "file")
    assert (tmp_path / "file").read_text() == "kept"


def test_proving_a_folder_writable_creates_it_and_leaves_nothing_in_it(tmp_path: Path):
    assert require_writable(tmp_path / "new" / "folder") == tmp_path / "new" / "folder"
    assert require_writable(str(tmp_path / "new" / "folder")) == tmp_path / "new" / "folder"
    assert list((tmp_path / "new" / "folder").iterdir()) == []


FULL_DISK = """
import resource, sys
from mfagan.errors import InputError
from mfagan.files import write_atomic
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))  # writes fail from here on with EFBIG
try:
    write_atomic(sys.argv[1], b"x" * 5000)
except InputError as error:
    sys.exit(f"refused: {error}")
"""


def test_running_out_of_room_leaves_the_old_file_and_no_part_of_the_new(tmp_path: Path):
    path = tmp_path / "result.bin"
    path.write_bytes(b"old")
    command = [sys.executable, "-c", FULL_DISK, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(f"refused: cannot write {path}: File too large")
    assert os.listdir(tmp_path) == ["result.bin"]
    assert path.read_bytes() == b"old"


def test_an_interrupted_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def interrupted(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_atomic(tmp_path / "result", b"data")
    assert list(tmp_path.iterdir()) == []


def test_leftovers_of_killed_writers_are_removed_when_old(tmp_path: Path):
    for name in (".mfagan-old.tmp", ".mfagan-new.tmp", "kept.tmp"):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (0, 0))
    os.utime(tmp_path / ".mfagan-new.tmp")
    sweep_leftovers(tmp_path)
    assert sorted(os.listdir(tmp_path)) == [".mfagan-new.tmp", "kept.tmp"]


def test_a_symbolic_link_stays_one_and_permissions_stay(tmp_path: Path):
    target, link = tmp_path / "far" / "real.json", tmp_path / "link.json"
    target.parent.mkdir()
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(target)
    write_atomic(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert target.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in target.parent.iterdir()) == ["real.json"]


def test_a_link_to_nothing_yet_makes_its_target(tmp_path: Path):
    (tmp_path / "link").symlink_to(tmp_path / "sub" / "new")
    write_atomic(tmp_path / "link", b"x")
    assert (tmp_path / "sub" / "new").read_bytes() == b"x"


def test_text_with_undecodable_names_is_written(tmp_path: Path):
    write_atomic(tmp_path / "a.md", "name \udcff")
    assert (tmp_path / "a.md").read_text(encoding="utf-8") == "name \\udcff"


@pytest.mark.parametrize("way", ["itself", "./", "symbolic link", "hard link", "folder link"])
def test_an_output_that_is_an_input_is_refused(tmp_path: Path, way: str, monkeypatch: pytest.MonkeyPatch):
    source = tmp_path / "a.bin"
    source.write_bytes(b"x")
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "b.bin"
    if way == "symbolic link":
        out.symlink_to(source)
    elif way == "hard link":
        out.hardlink_to(source)
    elif way == "folder link":
        (tmp_path / "again").symlink_to(tmp_path)
        out = tmp_path / "again" / "a.bin"
    else:
        out = Path("a.bin") if way == "itself" else Path("./x/../a.bin")
        (tmp_path / "x").mkdir()
    for check in (require_other_file, require_place):
        with pytest.raises(
            InputError, match=r"a\.bin, which would be replaced: choose another file to write"
        ):
            check(out, None, source)
    assert require_other_file(tmp_path / "c.bin", source) == tmp_path / "c.bin"


def test_text_is_read_with_and_without_a_byte_order_mark(tmp_path: Path):
    for mark in (b"", b"\xef\xbb\xbf"):
        (tmp_path / "a.txt").write_bytes(mark + "é".encode())
        assert read_text(tmp_path / "a.txt") == "é"
    for content in ("é".encode("utf-16"), b"\xff"):
        (tmp_path / "a.txt").write_bytes(content)
        with pytest.raises(InputError, match=r"a\.txt: it is not text in UTF-8"):
            read_text(tmp_path / "a.txt")
    with pytest.raises(InputError, match="no: No such file"):
        read_text(tmp_path / "no")
