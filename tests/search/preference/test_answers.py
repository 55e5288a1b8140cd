import json
from dataclasses import replace
from pathlib import Path

import pytest

from search.errors import SearchError
from search.preference.answers import Answer, Answers, read_answers
from tests.search.preference.viewer import compare_all, front_study


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "answers.json"


def test_answers_are_read_for_their_study_alone(path: Path):
    record = front_study()
    answers = compare_all(record, just_noticeable=0.1)
    path.write_text(answers.model_dump_json())
    assert read_answers(path, record) == answers
    grown = replace(record, points=(*record.points, replace(record.points[0], number=200)), name="copied")
    assert read_answers(path, grown) == answers
    repriced = replace(
        record, points=tuple(replace(p, values=(p.values[0], 2 * p.values[1])) for p in record.points)
    )
    for other in (repriced, replace(record, identity={"maker": "another"}), front_study(4)):
        with pytest.raises(
            SearchError, match=r"about other points than those of study 'toy'.*: name the study"
        ):
            read_answers(path, other)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"answers": []}, "answers is [] (Tuple should have at least 1 item"),
        ({"format": "answers-by-eye/9"}, "format is 'answers-by-eye/9'"),
        ({"answers": [{"left": 1, "right": 2, "scene": "a", "better": "up"}]}, "answers.0.better is 'up'"),
        ({"more": 1}, "more is 1"),
        ({"answers": [{"left": -1, "right": 2, "scene": "a", "better": "left"}]}, "answers.0.left is -1"),
    ],
)
def test_other_files_are_refused_in_one_line(path: Path, change: dict, words: str):
    fields = json.loads(compare_all(front_study(), just_noticeable=0.1).model_dump_json())
    path.write_text(json.dumps(fields | change))
    with pytest.raises(SearchError) as refusal:
        read_answers(path, front_study())
    assert words in str(refusal.value)
    assert str(refusal.value).endswith("save it again at the end of the page of comparisons")


@pytest.mark.parametrize("content", [b"", b"\xff", b"[" * 100_000, b"null"])
def test_odd_files_are_refused(path: Path, content: bytes):
    path.write_bytes(content)
    with pytest.raises(SearchError, match="save it again"):
        read_answers(path, front_study())
    with pytest.raises(SearchError, match=r"absent: no such file; name the file that the page saved"):
        read_answers(path.parent / "absent", front_study())


def test_consistency_counts_the_same_winner_on_either_side():
    def said(left: int, right: int, better: str, scene: str = "a") -> Answer:
        return Answer.model_validate({"left": left, "right": right, "scene": scene, "better": better})

    answers = (
        *(said(1, 2, "left"), said(2, 1, "right")),  # 1 both times
        *(said(1, 3, "left"), said(3, 1, "left")),  # 1, then 3
        *(said(4, 3, "neither"), said(3, 4, "neither")),
        said(1, 2, "right", scene="b"),  # another scene is no repetition
    )
    found = Answers(format="answers-by-eye/1", study="s", points_sha256="", answers=answers)
    assert found.count_consistent() == (2, 3)
    assert found.trials == [1, 2, 3, 4]
