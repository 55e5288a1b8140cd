"""Things that are timed in turn."""

from mfagan.evaluation.experiments.measurements import seconds_in_turn


def test_each_round_runs_everything_and_every_other_round_backwards():
    calls: list[str] = []
    found = seconds_in_turn([lambda: calls.append("a"), lambda: calls.append("b")], 3)
    assert calls == ["a", "b", "b", "a", "a", "b", "b", "a"]
    assert len(found) == 2
    assert all(seconds >= 0 for seconds in found)
