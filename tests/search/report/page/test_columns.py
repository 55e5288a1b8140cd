import pytest

from search.problem import Objective, Point
from search.report.page.columns import (
    NumberColumn,
    TextColumn,
    attribute_columns,
    objective_column,
    title_of,
)


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("params", "Parameters"),
        ("memory_bytes", "Memory traffic (B)"),
        ("diameter_mm", "Diameter (mm)"),
        ("cfab_1_1", "Cfab 1 1"),
        ("_", "_"),
        ("glass", "Sort of glass"),
    ],
)
def test_titles(name: str, title: str):
    assert title_of(name, {"glass": "Sort of glass"}) == title


def test_an_objective_shows_three_digits_of_the_fronts_range():
    psnr = Objective("psnr_db", "maximize", "dB", "PSNR-Y")
    column = objective_column(psnr, [28.123456789, 27.5, 12.0], [28.123456789, 27.5])
    assert column == NumberColumn("psnr_db", "PSNR-Y (dB)", "dB", 1.0, 3, [28.12346, 27.5, 12])


@pytest.mark.parametrize(
    ("numbers", "decimals"),
    [
        ([12.34, 45.6], 1),
        ([1.234, 1.235], 5),
        ([3.0, 400.0], 0),
        ([0.25, 0.25], 3),
        ([1e-9, 2e-9], 6),
        ([], 0),
    ],
)
def test_decimals(numbers: list[float], decimals: int):
    assert objective_column(Objective("a", "minimize", "ms"), numbers, numbers).decimals == decimals


def test_large_numbers_get_a_prefix():
    points = [
        Point(0, {}, (), {"params": 884037, "flops": 1.2e11, "memory_bytes": 2.5e7, "small": 9999}),
        Point(1, {}, (), {"params": 201000}),
    ]
    columns = {column.name: column for column in attribute_columns(points, {}, ())}
    assert columns == {
        "params": NumberColumn("params", "Parameters (k)", "k", 1e3, 0, [884037, 201000]),
        "flops": NumberColumn("flops", "FLOPs (G)", "G", 1e9, 0, [120000000000, None]),
        "memory_bytes": NumberColumn("memory_bytes", "Memory traffic (MB)", "MB", 1e6, 0, [25000000, None]),
        "small": NumberColumn("small", "Small", "", 1.0, 0, [9999, None]),
    }


def test_a_title_may_name_the_unit():
    points = [Point(0, {}, (), {"traffic": 44_600_000, "bill": 12.5})]
    titles = {"traffic": "Traffic (bytes)", "bill": "Bill (euro)"}
    columns = attribute_columns(points, titles, ())
    assert [(one.label, one.decimals) for one in columns if isinstance(one, NumberColumn)] == [
        ("Traffic (MB)", 1),
        ("Bill (euro)", 1),
    ]


def test_texts_are_kept_once():
    points = [Point(i, {}, (), {"maker": name, "left": 1}) for i, name in enumerate(["a", "<b>", "a"])]
    points.append(Point(3, {}, (), {"clean": True}))
    assert attribute_columns(points, {"maker": "Made by"}, ["left"]) == [
        TextColumn("maker", "Made by", ["a", "<b>"], [0, 1, 0, None]),
        TextColumn("clean", "Clean", ["true"], [None, None, None, 0]),
    ]
