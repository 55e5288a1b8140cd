import itertools
import warnings

import pytest

from search.problem import Choice, Objective, Point, Value
from search.report.figures.importance_figure import (
    LEAST_TRIALS,
    MOST_TRIALS,
    ImportanceBars,
    ImportanceData,
    importance_data,
    importance_figure,
)

OBJECTIVES = (Objective("psnr", "maximize", "dB", "PSNR"), Objective("latency", "minimize", "ms"))
CHOICES: dict[str, tuple[Value, ...]] = {
    "loud": (1, 2, 3),
    "quiet": ("a", "b", "c"),
    "speed": (1, 2, 3),
    "fixed": (7,),
}


def points(n: int = 27) -> list[Point]:
    """PSNR grows with `loud` and hardly with `quiet`; latency is that of `speed`."""
    found = []
    for number, (loud, quiet, speed) in enumerate(itertools.product((1, 2, 3), "abc", (1, 2, 3))):
        choice: Choice = {"loud": loud, "quiet": quiet, "speed": speed, "fixed": 7}
        found.append(Point(number, choice, (10.0 * loud + "abc".index(quiet), 100.0 - speed)))
    return found[:n]


def test_what_decides_an_objective_is_important():
    data = importance_data(points(), OBJECTIVES, CHOICES, {"loud": "Loudness"})
    assert (data.choices, data.n_trials) == (["Loudness", "quiet", "speed", "fixed"], 27)
    psnr, latency = (dict(zip(CHOICES, bars.shares, strict=True)) for bars in data.bars)
    assert sum(psnr.values()) == pytest.approx(1)
    assert sum(latency.values()) == pytest.approx(1)
    assert max(psnr, key=psnr.__getitem__) == "loud"
    assert latency["speed"] > 0.99
    assert psnr["fixed"] == latency["fixed"] == 0
    assert data == importance_data(points(), OBJECTIVES, CHOICES, {"loud": "Loudness"})


def test_the_direction_counts():
    """To be slow is as important as to be quick, but PED-ANOVA looks at the best tenth alone."""
    skewed = [Point(i, {"a": i % 4, "b": i // 4}, (float(i if i % 4 == 3 else 0),)) for i in range(40)]
    choices = {"a": range(4), "b": range(10)}
    up = importance_data(skewed, (Objective("x", "maximize"),), choices)
    down = importance_data(skewed, (Objective("x", "minimize"),), choices)
    assert up.bars[0].shares != down.bars[0].shares


def test_repeated_trials_count_once():
    once = points()
    twice = [*once, *(Point(100 + point.number, point.choice, point.values) for point in once)]
    assert importance_data(twice, OBJECTIVES, CHOICES) == importance_data(once, OBJECTIVES, CHOICES)


def test_why_there_is_none():
    few = importance_data(points(LEAST_TRIALS - 1), OBJECTIVES, CHOICES)
    assert [bars.reason for bars in few.bars] == ["needs 20 distinct trials"] * 2
    assert importance_data([], OBJECTIVES, CHOICES).n_trials == 0
    flat = [Point(p.number, p.choice, (1.0, 5.0 - (p.number == 0))) for p in points()]
    assert importance_data(flat, OBJECTIVES, CHOICES).bars == [
        ImportanceBars("PSNR (dB)", [], "the same in all trials"),
        ImportanceBars("latency (ms)", [], "the same in most trials"),
    ]


def test_no_warning_is_shown_and_nothing_is_logged(capfd):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        importance_data(points(), OBJECTIVES, CHOICES)
    assert capfd.readouterr() == ("", "")


def test_of_many_trials_some_are_taken():
    many = [Point(i, {"a": i % 50, "b": i // 50}, (float(i % 50),)) for i in range(MOST_TRIALS + 500)]
    data = importance_data(many, OBJECTIVES[:1], {"a": range(50), "b": range(50)})
    assert data.n_trials == MOST_TRIALS


def test_drawing():
    data = ImportanceData(
        ["<u>", "speed"],
        [ImportanceBars("PSNR (dB)", [0.25, 0.75]), ImportanceBars("<q>", [], "needs 20 distinct trials")],
        1234,
    )
    drawn = importance_figure(data).to_dict()
    psnr, missing = drawn["data"]
    assert (psnr["x"], psnr["y"], psnr["name"]) == ([0.25, 0.75], ["&lt;u&gt;", "speed"], "PSNR (dB)")
    assert missing["name"] == "&lt;q&gt;: needs 20 distinct trials"
    assert drawn["layout"]["xaxis"]["title"]["text"] == "Importance in 1,234 distinct trials (PED-ANOVA)"
