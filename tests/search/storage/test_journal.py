"""A journal that was cut keeps every finished trial."""

import logging
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.storages.journal import JournalFileBackend

from search.errors import SearchError
from search.storage.connection import connect
from search.study import load
from tests import ROOT
from tests.search.toy import Lens, searched


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The journal of a search of 10 trials; read it only."""
    path = tmp_path_factory.mktemp("journal") / "j.log"
    searched(f"journal://{path}", 10, population=5, lease_s=1)
    return path


def choices(storage: str) -> list[dict]:
    return [dict(point.choice) for point in load(storage, "toy").points]


@pytest.mark.parametrize("lost", [1, 2, 40, 300])
def test_a_search_goes_on_after_its_end_was_cut(
    whole: Path, tmp_path: Path, lost: int, caplog: pytest.LogCaptureFixture
):
    path, content = tmp_path / "j.log", whole.read_bytes()
    path.write_bytes(content[:-lost])
    storage = f"journal://{path}"
    kept = choices(storage)
    assert len(kept) in (9, 10)
    with caplog.at_level(logging.WARNING, "search"):
        record = searched(storage, 14, population=5, lease_s=1)
    if path.read_bytes()[: len(content) - lost] != content[:-lost]:
        assert "of records that were not written whole: they are dropped" in caplog.text
    assert record.n_trials == record.n_unique_trials == 14
    assert choices(storage)[: len(kept)] == kept
    assert path.read_bytes().endswith(b"\n")


def test_zeros_that_a_power_cut_left_are_dropped(whole: Path, tmp_path: Path):
    (tmp_path / "j.log").write_bytes(whole.read_bytes() + bytes(4096))
    assert searched(f"journal://{tmp_path / 'j.log'}", 12, population=5, lease_s=1).n_trials == 12
    assert b"\0" not in (tmp_path / "j.log").read_bytes()


def test_a_line_that_an_earlier_version_joined_is_taken_apart(whole: Path, tmp_path: Path):
    """Before the end was closed, the next record was appended to the cut one."""
    lines = whole.read_bytes().splitlines(keepends=True)
    joined = b"".join([*lines[:-3], lines[-3][:20] + lines[-2], lines[-1]])
    (tmp_path / "j.log").write_bytes(joined)
    storage = f"journal://{tmp_path / 'j.log'}"
    assert len(choices(storage)) in (9, 10)
    assert searched(storage, 12, population=5, lease_s=1).n_trials == 12


def test_an_end_that_is_cut_while_it_is_open_is_closed_before_the_next_write(whole: Path, tmp_path: Path):
    path = Path(shutil.copy(whole, tmp_path))
    with connect(f"journal://{path}", create=True) as connection:
        with path.open("ab") as file:
            file.write(b'{"op_code":5,"wor')  # another worker's disk was full
        study = connection.find_study("toy")
        connection.call(connection.storage.set_study_user_attr, study, "note", "whole")
    with connect(f"journal://{path}", create=False) as connection:
        study = connection.find_study("toy")
        assert connection.call(connection.storage.get_study_user_attrs, study)["note"] == "whole"


def test_a_repaired_journal_stays_a_link_and_keeps_its_permissions(whole: Path, tmp_path: Path):
    path, link = tmp_path / "j.log", tmp_path / "link.log"
    path.write_bytes(b"".join([*whole.read_bytes().splitlines(keepends=True)[:-2], b'{"op_code":5,\n']))
    path.chmod(0o640)
    link.symlink_to(path)
    assert searched(f"journal://{link}", 12, population=5, lease_s=1).n_trials == 12
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_lock_that_was_taken_away_is_named(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = Path(shutil.copy(whole, tmp_path))
    append = JournalFileBackend.append_logs

    def slow(self: JournalFileBackend, logs: list) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", lambda descriptor: Path(f"{path}.lock").unlink(missing_ok=True))
            append(self, logs)

    monkeypatch.setattr(JournalFileBackend, "append_logs", slow)
    with pytest.raises(SearchError, match=r"j\.log\.lock was removed by another process"):
        searched(f"journal://{path}", 12, population=5, lease_s=1)


@pytest.mark.parametrize("content", [b'{"format": "latency-table/1"}', b"\0\0\0", b"hello", b"{}\n"])
def test_another_file_is_left_as_it_is(tmp_path: Path, content: bytes):
    path = tmp_path / "other"
    path.write_bytes(content)
    with pytest.raises(SearchError, match="it does not begin like a journal"):
        searched(f"journal://{path}", 4)
    assert path.read_bytes() == content


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "j.log"


@settings(max_examples=60, deadline=None)
@given(noise=st.binary(max_size=30), at=st.integers(0, 20_000), cut=st.booleans())
def test_any_bytes_are_a_study_or_a_search_error(whole: Path, fuzzed: Path, noise: bytes, at: int, cut: bool):
    content = whole.read_bytes()
    at %= len(content)
    fuzzed.write_bytes(content[:at] + noise + (b"" if cut else content[at + len(noise) :]))
    try:
        points = load(f"journal://{fuzzed}", "toy").points
    except SearchError as error:
        points = ()
        message = str(error)
        assert "\n" not in message
    assert len(points) <= 10


FULL = """
import resource, sys
from tests.search.toy import searched
resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000))
from search.errors import SearchError
try:
    searched("journal://" + sys.argv[1], 30, population=5, lease_s=1)
except SearchError as error:
    print(error)
"""


def test_a_full_disk_ends_in_one_line_and_the_search_continues_later(tmp_path: Path):
    path = tmp_path / "j.log"
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "does not work" in done.stdout
    assert len(done.stdout.splitlines()) == 1
    finished = choices(f"journal://{path}")
    assert searched(f"journal://{path}", 30, population=5, lease_s=1).n_trials == 30
    assert choices(f"journal://{path}")[: len(finished)] == finished


def test_workers_on_one_journal_do_not_cut_each_other(tmp_path: Path):
    storage = f"journal://{tmp_path / 'j.log'}"
    workers = [
        threading.Thread(target=searched, args=(storage, 24, Lens()), kwargs={"population": 5, "seed": seed})
        for seed in range(3)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    record = load(storage, "toy")
    assert record.n_trials == record.n_unique_trials == 24
    assert not [name for name in os.listdir(tmp_path) if name != "j.log"]
