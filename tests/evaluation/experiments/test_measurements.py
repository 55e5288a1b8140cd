"""Things that are timed in turn."""

from mfagan.evaluation.experiments.measurements import rounds_in_turn


def test_each_round_runs_everything_and_every_other_round_backwards():
    calls: list[str] = []
    found = rounds_in_turn([lambda: calls.append("a"), lambda: calls.append("b")], 3)
    assert calls == ["a", "b", "b", "a", "a", "b", "b", "a"]
    assert [len(rounds) for rounds in found] == [3, 3]
    assert all(seconds >= 0 for rounds in found for seconds in rounds)
