from search.report.text.text_table import text_table


def test_columns_are_aligned():
    assert text_table(["sampler", "ms"], [["front", "1.5"], ["ä", "10.25"]], n_left=1).splitlines() == [
        "sampler     ms",
        "front      1.5",
        "ä        10.25",
    ]


def test_texts_are_shown_as_they_are_and_never_cut():
    long = "[bold]:smile: " + "x" * 300
    assert text_table(["a", "b"], [[long, ""]]).splitlines() == ["a".rjust(len(long)) + "  b", long]


def test_a_table_without_rows():
    assert text_table(["a", "b"], []) == "a  b"
