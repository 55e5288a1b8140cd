"""The arithmetic of the benchmark; its figures are for `make bench`."""

import itertools
import subprocess
import sys
from pathlib import Path

import pytest

from mfagan.evaluation.experiments import measurements


def test_ratio_is_the_median_of_pairs_run_in_turn(monkeypatch: pytest.MonkeyPatch):
    clock = [0.0]
    calls: list[str] = []
    slow = itertools.cycle([3.0, 3.0, 30.0])  # one disturbed run in three

    def first() -> None:
        calls.append("first")
        clock[0] += next(slow)

    def second() -> None:
        calls.append("second")
        clock[0] += 2.0

    monkeypatch.setattr(measurements.time, "perf_counter", lambda: clock[0])
    assert measurements.ratio_in_turn(first, second, repeats=9) == 1.5
    assert calls.count("first") == calls.count("second") == 10
    assert calls[2:6] == ["second", "first", "first", "second"]


def test_rows_say_whether_the_aim_is_met():
    met, missed = measurements.at_most("a", 1.0, "x", 1.05), measurements.at_most("b", 1.2, "x", 1.05)
    assert (met.met, missed.met) == (True, False)
    assert [measurements.at_least("d", value, "x", 5.0).met for value in (4.9, 5.0)] == [False, True]
    text = measurements.format_rows([met, missed, measurements.Measurement("c", 3.0, "%")]).splitlines()
    assert text[2].endswith("met")
    assert text[3].endswith("missed")
    assert text[4].split() == ["c", "3.000", "%"]


def test_a_file_that_cannot_be_written_is_refused_before_the_work(tmp_path: Path):
    command = [sys.executable, "-m", "mfagan.sr.experiments.speed.bench", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "it is a folder" in " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in done.stderr
