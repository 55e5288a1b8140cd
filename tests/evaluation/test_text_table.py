import pytest

from mfagan.evaluation.text_table import Cell, Column, format_fields, format_markdown, format_text

COLUMNS = [
    Column("network"),
    Column("params", "M", ".2f"),
    Column("latency on some | device", "ms", ".1f"),
    Column("PSNR", "dB", ".2f", "Set5"),
    Column("SSIM", "", ".3f", "Set5"),
    Column("PSNR", "dB", ".2f", "A set of a long name"),
]
ROWS: list[list[Cell]] = [
    ["bicubic", None, None, 28.4, 0.8, 23.14],
    ["ours|24", 1.5, 12.34, 30, 0.8765, 24.0],
    ["quoted", "0.7", None, "29.4", None, None],
]


def test_markdown():
    assert format_markdown(COLUMNS, ROWS) == (
        "| network | params (M) | latency on some \\| device (ms) | Set5 PSNR (dB) | Set5 SSIM "
        "| A set of a long name PSNR (dB) |\n"
        "| :--- | ---: | ---: | ---: | ---: | ---: |\n"
        "| bicubic | - | - | 28.40 | 0.800 | 23.14 |\n"
        "| ours\\|24 | 1.50 | 12.3 | 30.00 | 0.876 | 24.00 |\n"
        "| quoted | 0.7 | - | 29.4 | - | - |\n"
    )


def test_text():
    assert format_text(COLUMNS, ROWS).splitlines() == [
        "                   latency on some |    Set5    Set5   A set of a long name",
        "network   params              device    PSNR    SSIM                   PSNR",
        "               M                  ms      dB                             dB",
        "---------------------------------------------------------------------------",
        "bicubic        -                   -   28.40   0.800                  23.14",
        "ours|24     1.50                12.3   30.00   0.876                  24.00",
        "quoted       0.7                   -    29.4       -                      -",
    ]


def test_a_narrow_terminal_gets_tables_below_one_another():
    parts = [part.splitlines() for part in format_text(COLUMNS, ROWS, width=40).split("\n\n")]
    assert [part[-1].split() for part in parts] == [
        ["quoted", "0.7", "-"],
        ["quoted", "29.4", "-"],
        ["quoted", "-"],
    ]
    assert parts[1][:2] == ["           Set5    Set5", "network    PSNR    SSIM"]
    assert max(len(line) for part in parts for line in part) <= 40
    # A column wider than the terminal still stands, beside the first.
    assert format_text(COLUMNS[:2], ROWS_OF_TWO, width=3) == format_text(COLUMNS[:2], ROWS_OF_TWO)


ROWS_OF_TWO: list[list[Cell]] = [row[:2] for row in ROWS]


def test_a_table_without_groups_or_units_has_no_lines_for_them():
    assert format_text([Column("a"), Column("b", form="d")], [["x", 12]]) == "a    b\n------\nx   12\n"


NAMES = ["[x]", "[bold]x[/bold]", ":smile:", "https://a.b/c", "x" * 300, "12.5 GB", "漢字", "two\nlines"]


@pytest.mark.parametrize("name", NAMES)
def test_names_stand_as_they_are(name: str, monkeypatch: pytest.MonkeyPatch):
    """No markup, colour, emoji, wrapping or cutting, whatever terminal there is."""
    shown = name.replace("\n", " ")
    for terminal in ({}, {"COLUMNS": "20", "FORCE_COLOR": "1", "TERM": "xterm-256color"}):
        for key, value in terminal.items():
            monkeypatch.setenv(key, value)
        text = format_text([Column("name"), Column("b", form="d")], [[name, 12]])
        assert text.splitlines()[-1].split("   ")[0] == shown
        assert "\x1b" not in text
        assert f"| {shown} | 12 |" in format_markdown([Column("name"), Column("b", form="d")], [[name, 12]])
        assert format_fields({"a": name}).splitlines() == [
            f"{'a' if i == 0 else ' '}  {line}" for i, line in enumerate(name.splitlines())
        ]


def test_wide_characters_are_two_columns_of_a_terminal():
    text = format_text([Column("a"), Column("b", form="d")], [["漢字", 1], ["abcd", 22]])
    assert text.splitlines()[2:] == ["漢字    1", "abcd   22"]


@pytest.mark.parametrize("form", [format_markdown, format_text])
def test_rows_of_another_length_are_refused(form):
    with pytest.raises(ValueError, match="zip"):
        form(COLUMNS, [["bicubic", 1.0]])
