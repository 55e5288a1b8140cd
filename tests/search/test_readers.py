"""Whatever a file holds, its reader gives a value or one line that says what is wrong."""

import contextlib
import copy
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from optuna.storages import InMemoryStorage

from search.benchmarks.tabular import TabularProblem
from search.errors import SearchError
from search.latency import LatencyTable
from search.storage import ledger
from search.study import load, run
from tests.search.toy import Lens, searched

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
LATENCIES = {
    "format": "latency-table/1",
    "unit": "ms",
    "runtime": "litert",
    "runtime_version": "2",
    "device": "a phone",
    "threads": 2,
    "input_size": [128, 128],
    "measured_at": "2026-01-01T00:00:00Z",
    "command": "measure",
    "entries": {"a": {"latency_ms": 1.5, "spread_ms": 0.1, "repeats": 3}},
}
TABLE = {
    "format": "tabular-benchmark/1",
    "command": "build",
    "identity": {"flour_sha256": "ab"},
    "choices": {"hours": [1, 2], "flour": ["rye", "wheat"]},
    "objectives": [{"name": "taste", "direction": "maximize", "unit": ""}],
    "foreseen": ["taste"],
    "known_choices": [{"hours": 1, "flour": "rye"}],
    "values": {"taste": [1, 2, 3, 4]},
}
READERS: dict[str, tuple[dict, Callable[[Path], object]]] = {
    "latency table": (LATENCIES, LatencyTable.read),
    "tabular benchmark": (TABLE, TabularProblem.read),
}
FUZZ = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def reads_or_refuses(read: Callable[[], object]) -> bool:
    """Whether it was read; any other error than a SearchError of one line fails the test."""
    with contextlib.suppress(SearchError):
        try:
            read()
        except SearchError as error:
            n_lines = len(str(error).splitlines())
            if n_lines != 1:
                pytest.fail(f"{n_lines} lines: {error}")
            raise
        return True
    return False


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_the_whole_file_is_read_with_and_without_a_mark(tmp_path, kind, mark):
    content, read = READERS[kind]
    (tmp_path / "f.json").write_bytes(mark + json.dumps(content).encode())
    assert reads_or_refuses(lambda: read(tmp_path / "f.json"))


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "latin-1"])
def test_another_encoding_is_named_as_the_fault(tmp_path, kind, encoding):
    content, read = READERS[kind]
    text = json.dumps(content | {"command": "größer"}, ensure_ascii=False)
    (tmp_path / "f.json").write_bytes(text.encode(encoding))
    with pytest.raises(SearchError, match=f"{kind} .*f.json: not a JSON file") as caught:
        read(tmp_path / "f.json")
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("kind", READERS)
@FUZZ
@given(noise=st.binary(max_size=40), at=st.integers(0, 600))
def test_any_bytes(tmp_path, kind, noise, at):
    content, read = READERS[kind]
    whole = json.dumps(content).encode()
    (tmp_path / "f.json").write_bytes(whole[:at] + noise + whole[at + len(noise) :])
    reads_or_refuses(lambda: read(tmp_path / "f.json"))


def with_another_value(content: Any, path: list[int], value: Any) -> Any:
    """The content with one value replaced, deep or not so deep inside."""
    if not path or not isinstance(content, (dict, list)) or not content:
        return value
    copied = copy.copy(content)
    keys = list(content) if isinstance(content, dict) else range(len(content))
    key = keys[path[0] % len(keys)]
    copied[key] = with_another_value(content[key], path[1:], value)
    return copied


PATHS = st.lists(st.integers(0, 12), max_size=4)


@pytest.mark.parametrize("kind", READERS)
@FUZZ
@given(path=PATHS, value=JSON)
def test_any_value_in_any_field(tmp_path, kind, path, value):
    content, read = READERS[kind]
    (tmp_path / "f.json").write_text(json.dumps(with_another_value(content, path, value)))
    reads_or_refuses(lambda: read(tmp_path / "f.json"))


@pytest.mark.parametrize("name", ["\r", "\n", "a\u2028b", "\x85"])
def test_a_field_whose_name_breaks_lines_is_named_in_one(tmp_path, name):
    (tmp_path / "f.json").write_text(json.dumps(TABLE | {"identity": {name: None}}))
    with pytest.raises(SearchError, match=r"f\.json: identity") as caught:
        TabularProblem.read(tmp_path / "f.json")
    assert len(str(caught.value).splitlines()) == 1


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The SQLite file of a small study."""
    path = tmp_path_factory.mktemp("whole") / "study.db"
    searched(path, 6)
    return path.read_bytes()


@settings(FUZZ, max_examples=60)
@given(noise=st.binary(min_size=1, max_size=60), at=st.integers(0, 10**6), cut=st.booleans())
def test_a_damaged_database(tmp_path, whole, noise, at, cut):
    at %= len(whole)
    storage = tmp_path / "study.db"
    storage.write_bytes(whole[:at] + noise + (b"" if cut else whole[at + len(noise) :]))
    reads_or_refuses(lambda: load(str(storage), "toy"))
    reads_or_refuses(lambda: ledger.read(str(storage), "toy"))


@pytest.mark.parametrize("text", ["", "{", "nonsense", "[1]", '"x"', "null"])
@pytest.mark.parametrize(
    "table", ["study_user_attributes", "trial_user_attributes", "trial_system_attributes"]
)
def test_texts_in_a_database_that_are_not_what_was_written(tmp_path, whole, text, table):
    storage = tmp_path / "study.db"
    storage.write_bytes(whole)
    with contextlib.closing(sqlite3.connect(storage)) as database, database:
        database.execute(f"UPDATE {table} SET value_json = ?", (text,))
    reads_or_refuses(lambda: load(str(storage), "toy"))


@pytest.fixture(scope="module")
def memory() -> InMemoryStorage:
    storage = InMemoryStorage()
    run(Lens(), storage, "toy", 3)
    return storage


@FUZZ
@given(path=PATHS, value=JSON)
def test_a_study_whose_problem_is_anything(memory, path, value):
    study = optuna.load_study(study_name="toy", storage=memory)
    facts = study.user_attrs["search:problem"]
    study.set_user_attr("search:problem", with_another_value(facts, path, value))
    try:
        reads_or_refuses(lambda: load(memory, "toy"))
        reads_or_refuses(lambda: run(Lens(), memory, "toy", 3))
    finally:
        study.set_user_attr("search:problem", facts)


@FUZZ
@given(path=PATHS, value=JSON)
def test_an_entry_of_the_ledger_that_is_anything(memory, path, value):
    study = optuna.load_study(study_name="toy", storage=memory)
    entry = {"kind": "pick", "trial": 1, "file": "/a", "sha256": "ab", "parent": None, "facts": {"n": 1}}
    entry["at"] = "2026-01-01T00:00:00+00:00"
    study.set_user_attr("ledger:1", with_another_value(entry, path, value))
    study.set_user_attr("ledger:2", entry)
    reads_or_refuses(lambda: ledger.trace(ledger.read(memory, "toy")))
