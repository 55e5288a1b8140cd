import random
from collections.abc import Iterator

import pytest

from mfagan.errors import InputError
from mfagan.latency.measuring.runtimes import find_runtime
from mfagan.latency.measuring.sampling import (
    Round,
    Run,
    Schedule,
    choose_clock,
    describe_noise,
    measure_in_turn,
    median_reference_ms,
    relative_uncertainty,
    summarise,
)
from search.latency import BlockLatency
from tests.latency.measuring.fake_runtime import FakeRuntime, always


def round_of(**times_ms: list[float]) -> Round:
    return {key: [Run(ms, ms / 2, 1.0) for ms in times] for key, times in times_ms.items()}


def STEADY():
    return lambda: 1.0


def loaders(runtime: FakeRuntime, *names: str) -> dict:
    def load(name: str):
        times = runtime.times_ms(name)

        def again():
            runtime.loaded.append(name)
            return lambda: next(times)

        return again

    return {name: load(name) for name in names}


def test_the_warm_up_does_not_count_and_every_load_has_equally_many_runs():
    script = [99.0, 1.0, 2.0, 3.0, 99.0, 4.0, 5.0, 6.0]
    subjects = loaders(FakeRuntime(lambda key: iter(script)), "a")
    rounds = measure_in_turn(subjects, STEADY, "wall", Schedule(rounds=2))
    assert [[run.wall_ms for run in one["a"]] for one in rounds] == [[1, 2, 3], [4, 5, 6]]
    assert all(run.cpu_ms >= 0 for one in rounds for run in one["a"])


def test_the_median_counts_and_the_spread_is_that_of_the_rounds():
    rounds = [round_of(a=[9, 1, 2]), round_of(a=[4, 4, 4]), round_of(a=[6, 50, 5])]
    # Medians 2, 4 and 6: their quartiles are 3 and 5; of all runs the median is 4.
    assert summarise(rounds, "wall") == {"a": BlockLatency(latency_ms=4.0, spread_ms=1.0, repeats=9)}
    assert summarise(rounds, "cpu")["a"].latency_ms == 2.0


def test_times_are_brought_to_the_pace_of_the_reference():
    # The machine is half as fast in the second round, and in its last run twice as slow as that.
    timed = [1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 8.0]
    pace = iter(
        [ms for after in timed for ms in (0.0, after)]
    )  # each first one brings the reference to the caches
    script = iter([99.0, 10.0, 10.0, 10.0, 99.0, 20.0, 20.0, 40.0])
    rounds = measure_in_turn(
        {"a": lambda: lambda: next(script)}, lambda: lambda: next(pace), "wall", Schedule(rounds=2)
    )
    assert [run.reference_ms for run in rounds[1]["a"]] == [2, 2, 4]
    assert median_reference_ms(rounds) == 1.5
    assert summarise(rounds, "wall")["a"] == BlockLatency(latency_ms=15.0, spread_ms=0.0, repeats=6)


def test_short_runs_follow_each_other_between_two_of_the_reference():
    pace, calls = iter([1.0, 1.0, 4.0, 4.0]), []

    def subject() -> float:
        calls.append("run")
        return 20.0

    def reference() -> float:
        calls.append("reference")
        return next(pace)

    (found,) = measure_in_turn({"a": lambda: subject}, lambda: reference, "wall", Schedule(rounds=1))
    assert calls == ["run", *["reference"] * 2, *["run"] * 4, *["reference"] * 2]
    assert [run.reference_ms for run in found["a"]] == [2, 2, 2]


def test_every_round_loads_every_subject_once_in_changing_order():
    runtime = FakeRuntime(always(1.0))
    measure_in_turn(loaders(runtime, "a", "b", "c", "d"), STEADY, "wall", Schedule(rounds=6))
    rounds = [runtime.loaded[i : i + 4] for i in range(0, 24, 4)]
    assert all(sorted(loaded) == ["a", "b", "c", "d"] for loaded in rounds)
    assert len({tuple(loaded) for loaded in rounds}) > 1


def test_it_goes_on_until_the_medians_are_stable():
    steady = measure_in_turn(loaders(FakeRuntime(always(2.0)), "a"), STEADY, "wall", Schedule(min_rounds=4))
    assert len(steady) == 4

    def wild(key: str) -> Iterator[float]:
        draw = random.Random(1)
        while True:
            yield draw.uniform(1, 3)

    never = measure_in_turn(
        loaders(FakeRuntime(wild), "a"), STEADY, "wall", Schedule(min_rounds=4, max_rounds=12)
    )
    assert len(never) == 12
    late = measure_in_turn(
        loaders(FakeRuntime(wild), "a"), STEADY, "wall", Schedule(min_rounds=4, limit_s=0.0)
    )
    assert len(late) == 4


def test_kept_rounds_count_and_new_ones_are_given_to_keep():
    kept, new = [round_of(a=[1, 1, 1])] * 3, []
    found = measure_in_turn(
        loaders(FakeRuntime(always(5.0)), "a"), STEADY, "wall", Schedule(rounds=5), kept=kept, keep=new.append
    )
    assert (found[:3], found[3:]) == (kept, new)
    assert len(new) == 2


def test_uncertainty_and_noise():
    quiet = [round_of(a=[10, 10, 10], b=[1, 1, 1])] * 9
    assert relative_uncertainty(quiet, "wall") == 0
    noise = describe_noise(quiet, "wall", threads=1)
    assert (noise.cpu_over_wall, noise.noisy) == (0.5, True)  # other work had half of the core
    assert not describe_noise(quiet, "wall", threads=2).noisy or noise.cpu_over_wall == 0.5
    busy = {"a": [Run(10.0, 9.9, 1.0)] * 3}
    assert not describe_noise([busy] * 9, "wall", threads=1).noisy
    scattered = [round_of(a=[ms] * 3) for ms in (8, 9, 10, 11, 12)]
    # Quartiles 9 and 11 around 10: 1.57 x 2 / 10 / sqrt(5).
    assert relative_uncertainty(scattered, "wall") == pytest.approx(0.1404, abs=1e-4)
    assert describe_noise(scattered, "wall", threads=1).spread == 0.1


def test_one_thread_of_litert_is_timed_by_its_cpu_time():
    assert choose_clock(find_runtime("litert"), 1) == "cpu"
    assert choose_clock(find_runtime("litert"), 2) == "wall"


@pytest.mark.parametrize("rounds", [0, -1])
def test_no_rounds(rounds: int):
    with pytest.raises(InputError, match=f"most_rounds is {rounds}|rounds is {rounds}: give 1 or more"):
        Schedule(rounds=rounds)
