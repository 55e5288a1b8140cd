import sqlite3
import subprocess
import sys

import optuna
import pytest

from search.errors import SearchError
from search.storage.ledger import LedgerEntry, read, record, trace
from search.study import load, run
from tests import ROOT
from tests.search.toy import Lens, searched

MANY = """
import sys
from search.storage.ledger import LedgerEntry, record
storage, writer = sys.argv[1:]
for i in range(8):
    record(storage, "toy", LedgerEntry("ground", 1, f"/lens/{writer}", f"{writer}-{i}"))
"""


@pytest.fixture
def storage(tmp_path) -> str:
    searched(tmp_path / "study.db", 3)
    return str(tmp_path / "study.db")


def test_entries_are_read_as_they_were_written(storage, tmp_path):
    blank = LedgerEntry(
        "cast", 1, "/lens/blank", "aa", facts={"weight_g": 14.5, "sides": [1, 2], "clear": True}
    )
    ground = LedgerEntry("ground", 2, "/lens/é", "bb", parent="aa")
    record(storage, "toy", blank)
    record(storage, "toy", ground)
    assert read(storage, "toy") == [blank, ground]
    assert [entry.at for entry in read(storage, "toy")] == [blank.at, ground.at]
    assert blank.at < ground.at
    assert blank.at.endswith("+00:00")
    assert load(storage, "toy").n_trials == 3


def test_what_is_recorded_already_is_not_written_again(storage):
    record(storage, "toy", LedgerEntry("cast", 1, "/lens/blank", "aa", facts={"sides": (1, 2)}))
    record(storage, "toy", LedgerEntry("cast", 1, "/lens/blank", "aa", facts={"sides": (1, 2)}))
    record(storage, "toy", LedgerEntry("cast", 1, "/lens/blank", "aa", facts={"sides": (1, 3)}))
    assert [entry.facts for entry in read(storage, "toy")] == [{"sides": [1, 2]}, {"sides": [1, 3]}]


def test_writers_at_once_lose_no_entry(storage, tmp_path):
    journal = f"journal://{tmp_path / 'study.log'}"
    run(Lens(), journal, "toy", 3, population=20)
    for place in (storage, journal):
        writers = [
            subprocess.Popen([sys.executable, "-c", MANY, place, name], cwd=ROOT) for name in ("a", "b", "c")
        ]
        assert [writer.wait(120) for writer in writers] == [0, 0, 0]
        found = [entry.sha256 for entry in read(place, "toy")]
        assert sorted(found) == [f"{name}-{i}" for name in "abc" for i in range(8)]


def test_a_search_goes_on_beside_its_ledger(storage):
    record(storage, "toy", LedgerEntry("cast", 1, "/lens/blank", "aa"))
    run(Lens(), storage, "toy", 6, population=20)
    assert load(storage, "toy").n_trials == 6
    assert len(read(storage, "toy")) == 1


def test_entries_that_cannot_be(storage, tmp_path):
    entry = LedgerEntry("cast", 1, "/lens/blank", "aa")
    with pytest.raises(SearchError, match=r"has no study 'other': it holds 'toy'"):
        record(storage, "other", entry)
    with pytest.raises(SearchError, match="has no trial 99"):
        record(storage, "toy", LedgerEntry("cast", 99, "/lens/blank", "aa"))
    with pytest.raises(SearchError, match=r"cast of trial 1: .*record plain data"):
        record(storage, "toy", LedgerEntry("cast", 1, "/lens/blank", "aa", facts={"weight_g": float("nan")}))
    with pytest.raises(SearchError, match="there is no storage"):
        record(str(tmp_path / "absent.db"), "toy", entry)
    with pytest.raises(SearchError, match="there is no storage"):
        read(str(tmp_path / "absent.db"), "toy")
    assert not (tmp_path / "absent.db").exists()
    assert read(storage, "toy") == []
    with sqlite3.connect(storage) as database:
        names = [name for (name,) in database.execute("SELECT key FROM study_user_attributes")]
    assert not any(name.startswith("ledger:") for name in names)


def test_an_entry_of_another_version(storage):
    study = optuna.load_study(study_name="toy", storage=f"sqlite:///{storage}")
    study.set_user_attr("ledger:x", {"kind": "cast", "colour": "red"})
    with pytest.raises(SearchError, match=r"entry 'ledger:x' in .*study.db cannot be read .*colour"):
        read(storage, "toy")


def test_lineage():
    def made(kind: str, sha256: str, parent: str | None, trial: int = 1, minute: int = 0) -> LedgerEntry:
        return LedgerEntry(
            kind, trial, f"/{sha256}", sha256, parent, at=f"2026-01-01T00:{minute:02}:00+00:00"
        )

    cast = made("cast", "aa", None, minute=1)
    ground = made("ground", "bb", "aa", minute=2)
    weighed = made("weighed", "bb", "bb", minute=3)
    coated = made("coated", "cc", "bb", minute=4)
    cast_again = made("cast", "aa", None, minute=5)
    ground_again = made("ground", "dd", "aa", minute=6)
    orphan = made("coated", "ee", "unknown", minute=7)
    elsewhere = made("ground", "ff", "aa", trial=2, minute=8)
    entries = [cast, ground, weighed, coated, cast_again, ground_again, orphan, elsewhere]

    def outline(nodes):
        return [(node.entry, outline(node.then)) for node in nodes]

    expected = [
        (cast, [(ground, [(weighed, []), (coated, [])])]),
        (cast_again, [(ground_again, [])]),
        (orphan, []),
        (elsewhere, []),
    ]
    assert outline(trace(entries)) == expected
    assert outline(trace(entries[::-1])) == expected
