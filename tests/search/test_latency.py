import hashlib
import json
import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.errors import SearchError
from search.latency import BlockLatency, LatencyTable, Noise, Processor
from tests import ROOT

FACTS = {
    "format": "latency-table/1",
    "unit": "ms",
    "runtime": "litert",
    "runtime_version": "2.1.0",
    "device": "a phone",
    "threads": 2,
    "input_size": [128, 96],
    "measured_at": "2025-11-21T09:00:00Z",
    "command": "mfagan lut build --out phone.json",
    "entries": {
        "head": {"latency_ms": 0.5, "spread_ms": 0.01, "repeats": 30},
        "body": {"latency_ms": 2, "spread_ms": 0, "repeats": 30},
        "tail": {"latency_ms": 0.25, "spread_ms": 0.5, "repeats": 1},
    },
}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "phone.json"
    path.write_text(json.dumps(FACTS))
    return path


def with_field(path: str, value: object) -> str:
    facts = json.loads(json.dumps(FACTS))
    *parents, last = path.split(".")
    place = facts
    for parent in parents:
        place = place[parent]
    place[last] = value
    return json.dumps(facts)


def test_read(file):
    table = LatencyTable.read(file)
    assert table.entries["body"] == BlockLatency(latency_ms=2.0, spread_ms=0.0, repeats=30)
    assert table.input_size == (128, 96)
    assert table.measured_at == datetime(2025, 11, 21, 9, tzinfo=UTC)


def test_price_sums_and_counts_repeats(file):
    table = LatencyTable.read(file)
    assert table.price([]) == 0
    assert table.price(["head", "body", "body", "tail"]) == 0.5 + 2 + 2 + 0.25


def test_price_is_the_same_in_any_order(tmp_path):
    entries = {str(i): BlockLatency(latency_ms=3.0**-i, spread_ms=0.0, repeats=1) for i in range(17)}
    table = LatencyTable.model_validate({**FACTS, "entries": entries})
    keys = list(entries)
    assert table.price(keys) == table.price(keys[::-1]) == table.price(sorted(keys))
    tenths = LatencyTable.model_validate(
        {**FACTS, "entries": {"a": BlockLatency(latency_ms=0.1, spread_ms=0, repeats=1)}}
    )
    assert tenths.price(["a"] * 10) == 1.0


def test_missing_keys_are_named_with_the_remedy(file):
    table = LatencyTable.read(file)
    table.require(["head", "tail"], "never needed")
    with pytest.raises(SearchError) as caught:
        table.require(["head", "a", "b", "a", "c", "d", "e"], "make the table")
    assert str(caught.value) == (
        "the 128x96 latency table of litert on a phone lacks 'a', 'b', 'c' and 2 more (5 of 6 keys);"
        " build it with: make the table"
    )
    with pytest.raises(SearchError, match=r"lacks 'a' \(1 of 2 keys\).*mfagan lut build"):
        table.price(["head", "a"])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("not json", "not a JSON file"),
        ("", "not a JSON file"),
        (b"\xff\xfe\x00", "not a JSON file"),
        ("[1]", "the content is [1]"),
        (with_field("unit", "us"), "unit is 'us' (Input should be 'ms')"),
        (with_field("format", "latency-table/3"), "format is 'latency-table/3', and this program reads"),
        (with_field("format", 2), "format is 2"),
        (with_field("format", "latency-table/2"), "sha256 is None, its content has"),
        (json.dumps(FACTS)[:-40], "not a JSON file"),
        (with_field("entries.head.latency_ms", -0.5), "entries.head.latency_ms is -0.5"),
        (with_field("calibration_ms", {"gemm": 0}), "calibration_ms.gemm is 0"),
        (with_field("precision", "int7"), "precision is 'int7'"),
        (with_field("entries.head.latency_ms", 0), "entries.head.latency_ms is 0"),
        (with_field("entries.head.latency_ms", "1.5"), "entries.head.latency_ms is '1.5'"),
        (with_field("entries.head.latency_ms", True), "entries.head.latency_ms is True"),
        (with_field("entries.head.latency_ms", float("nan")), "entries.head.latency_ms is nan"),
        (with_field("entries.head.latency_ms", float("inf")), "entries.head.latency_ms is inf"),
        (with_field("entries.head.spread_ms", -1), "entries.head.spread_ms is -1"),
        (with_field("entries.head.repeats", 0), "entries.head.repeats is 0"),
        (with_field("entries.head", {}), "the field 'entries.head.latency_ms' is missing"),
        (with_field("entries", {}), "entries is {}"),
        (with_field("threads", 0), "threads is 0"),
        (with_field("input_size", [128]), "the field 'input_size.1' is missing"),
        (with_field("input_size", [128, 0]), "input_size.1 is 0"),
        (with_field("measured_at", "2025-11-21T09:00:00"), "measured_at is '2025-11-21T09:00:00'"),
        (with_field("device", ""), "device is ''"),
        (with_field("unknown", "x" * 500), "unknown is 'xxx"),
        (json.dumps({k: v for k, v in FACTS.items() if k != "unit"}), "the field 'unit' is missing"),
    ],
)
def test_bad_file(tmp_path, content, words):
    path = tmp_path / "bad.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(SearchError, match=re.escape(words)) as caught:
        LatencyTable.read(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300 + len(str(path))


def test_a_table_of_version_1_is_migrated_and_keeps_its_hash(file, tmp_path):
    table = LatencyTable.read(file)
    assert (table.format, table.statistic, table.clock, table.noise) == (
        "latency-table/2",
        "fastest",
        "wall",
        None,
    )
    canonical = json.dumps(LatencyTable.read(file).model_dump(mode="json", include=set(FACTS)))
    version_1 = json.loads(canonical) | {"format": "latency-table/1"}
    for entry in version_1["entries"].values():
        del entry["sustained_ms"]
    text = json.dumps(version_1, sort_keys=True, separators=(",", ":"))
    assert table.sha256 == hashlib.sha256(text.encode()).hexdigest()
    migrated = tmp_path / "migrated.json"
    migrated.write_text(table.to_json())
    assert json.loads(migrated.read_text())["format"] == "latency-table/2"
    assert LatencyTable.read(migrated) == table


def test_the_shipped_table_has_the_hash_that_the_exact_scores_name():
    exact = json.loads((ROOT / "mfagan" / "sr" / "weights" / "exact.json").read_text())
    shipped = LatencyTable.read(ROOT / "luts" / "litert-epyc-2-threads.json")
    assert shipped.sha256 == exact["identity"]["lut_sha256"]


@pytest.mark.parametrize(
    ("field", "value"),
    [("latency_ms", 0.51), ("repeats", 31), ("sustained_ms", 0.6)],
)
def test_an_altered_file_is_refused(file, field, value):
    content = json.loads(LatencyTable.read(file).to_json())
    file.write_text("\ufeff" + json.dumps(content), encoding="utf-8")
    LatencyTable.read(file)  # another layout, and a byte order mark
    content["entries"]["head"][field] = value
    file.write_text(json.dumps(content))
    with pytest.raises(SearchError, match="the file was altered after it was written; restore it, or build"):
        LatencyTable.read(file)


def test_a_truncated_file_is_refused(file):
    text = LatencyTable.read(file).to_json()
    for end in (len(text) // 2, len(text) - 3):
        file.write_text(text[:end])
        with pytest.raises(SearchError, match="not a JSON file"):
            LatencyTable.read(file)


def test_the_published_schema_is_current():
    published = ROOT / "luts" / "schema" / "latency-table-2.json"
    current = json.dumps(LatencyTable.model_json_schema(mode="serialization"), indent=2) + "\n"
    assert published.read_text() == current, f"write LatencyTable.model_json_schema to {published}"


def test_every_field_counts_in_the_hash(file):
    table = LatencyTable.read(file)
    changes = {
        "processor": Processor(family="a", model="b", instruction_set="c"),
        "delegate": "gpu",
        "precision": "int8",
        "statistic": "median",
        "clock": "cpu",
        "load": "sustained",
        "warm_up_runs": 2,
        "runs_per_load": 3,
        "noise": Noise(cpu_over_wall=0.9, spread=0.1, uncertainty=0.1, noisy=True),
        "calibration_ms": {"gemm": 1.0},
        "reference_ms": 2.0,
        "networks": ("a",),
        "rescaled_by": 1.5,
        "passes": ("parts",),
    }
    hashes = {table.model_copy(update={name: value}).sha256 for name, value in changes.items()}
    assert len(hashes | {table.sha256}) == 1 + len(changes)


def test_no_file_and_a_folder(tmp_path):
    with pytest.raises(SearchError, match=r"none\.json: no such file"):
        LatencyTable.read(tmp_path / "none.json")
    with pytest.raises(SearchError, match="cannot be read"):
        LatencyTable.read(tmp_path)


def test_hash_is_of_the_content(file, tmp_path):
    table = LatencyTable.read(file)
    other_layout = tmp_path / "other.json"
    other_layout.write_text(json.dumps(dict(reversed(FACTS.items())), indent=7))
    assert LatencyTable.read(other_layout).sha256 == table.sha256
    assert len(table.sha256) == 64
    other_layout.write_text(with_field("entries.head.latency_ms", 0.5000001))
    assert LatencyTable.read(other_layout).sha256 != table.sha256


@given(
    st.dictionaries(
        st.text(),
        st.builds(
            BlockLatency,
            latency_ms=st.floats(min_value=0, exclude_min=True, allow_infinity=False),
            spread_ms=st.floats(min_value=0, allow_infinity=False),
            repeats=st.integers(1, 10**6),
        ),
        min_size=1,
    ),
    st.datetimes(timezones=st.just(UTC)),
)
def test_written_and_read_back(entries, measured_at):
    table = LatencyTable.model_validate({**FACTS, "entries": entries, "measured_at": measured_at})
    again = LatencyTable.model_validate_json(table.to_json())
    assert again == table
    assert again.sha256 == table.sha256
