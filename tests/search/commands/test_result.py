"""What a command answers, as text and as JSON."""

import json
import math
from pathlib import Path

from search.commands.result import Result, as_json, as_text

RESULT = Result(
    {"latency_ms": math.nan, "scores": (1.5, -math.inf), "made": {"file": Path("a")}},
    ["first", "second"],
    [Path("a b.json"), "c"],
    ["mfagan", "search", "--lut", Path("a b.json"), "--trials", 3],
)


def test_json_is_one_document_without_nan():
    assert json.loads(as_json(RESULT), parse_constant=lambda name: name) == {
        "latency_ms": None,
        "scores": [1.5, None],
        "made": {"file": "a"},
        "files": ["a b.json", "c"],
        "next": ["mfagan", "search", "--lut", "a b.json", "--trials", "3"],
    }


def test_files_and_next_are_left_out_where_there_are_none():
    assert json.loads(as_json(Result({"flops": 3}))) == {"flops": 3}


def test_the_last_line_for_people_can_be_pasted_into_a_shell():
    assert as_text(RESULT).splitlines() == [
        "first",
        "second",
        "next: mfagan search --lut 'a b.json' --trials 3",
    ]


def test_without_lines_the_files_are_named():
    assert as_text(Result(files=["picked.json"])) == "picked.json"


def test_quiet_leaves_the_files_or_the_answer():
    assert as_text(RESULT, quiet=True) == "a b.json\nc"
    assert as_text(Result(lines=["3 ms"], next=["mfagan"]), quiet=True) == "3 ms"
