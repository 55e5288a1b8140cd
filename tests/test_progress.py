import re

from mfagan.progress import no_progress, show_bar


def test_a_bar_shows_label_count_time_left_and_note(capsys):
    with show_bar("latency table") as report:
        report(1, 4, "first")
        report(3, 4, "head/t48")
    shown = re.sub(r"\s+", " ", capsys.readouterr().err)
    assert "latency table" in shown
    assert "3/4" in shown
    assert "left" in shown
    assert "head/t48" in shown


def test_no_bar_shows_nothing(capsys):
    with no_progress("quiet") as report:
        report(1, 2, "note")
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""
