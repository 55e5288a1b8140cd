import math

import pytest

from mfagan.errors import InputError
from mfagan.training.time_limit import Stopped, TimeLimit


@pytest.mark.parametrize("minutes", [0, -1, math.nan, math.inf, -math.inf])
def test_a_time_that_cannot_pass_is_refused(minutes: float):
    with pytest.raises(InputError, match=r"the time limit is .* minutes: give a positive number"):
        TimeLimit(minutes)


def test_the_time_passes(monkeypatch: pytest.MonkeyPatch):
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    limit = TimeLimit(1.5)
    assert not limit.is_over()
    now = 189.9
    assert not limit.is_over()
    now = 190.0
    assert limit.is_over()


def test_a_stop_names_where_it_is():
    assert str(Stopped("supernet", 7, 20)) == "stage supernet stopped at step 7 of 20"
