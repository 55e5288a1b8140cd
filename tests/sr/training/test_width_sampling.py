from collections import Counter

from mfagan.sr.network.widths import OPTIONS, Widths
from mfagan.sr.training.recipe import Sampling
from mfagan.sr.training.width_sampling import draw_widths

FULL = Widths.uniform(48)


def test_the_paper_draws_at_random():
    drawn = [draw_widths(Sampling(), FULL, 0, number) for number in range(600)]
    assert all(len(some) == 1 for some in drawn)
    counts = Counter(some[0].trunk for some in drawn)
    assert set(counts) == set(OPTIONS)
    assert min(counts.values()) > 150
    assert len({str(some[0]) for some in drawn}) > 550


def test_the_sandwich_has_both_ends():
    for number in range(5):
        drawn = draw_widths(Sampling(rule="sandwich", n_random=2), FULL, 0, number)
        assert drawn[:2] == [FULL, Widths.uniform(24)]
        assert len(drawn) == 4


def test_the_full_width_may_come_first():
    rule = Sampling(rule="sandwich", full_first=3)
    assert [len(draw_widths(rule, FULL, 0, number)) for number in range(5)] == [1, 1, 1, 3, 3]
    assert draw_widths(rule, FULL, 0, 2) == [FULL]


def test_a_step_alone_decides_what_is_drawn():
    rule = Sampling(n_random=3)
    assert draw_widths(rule, FULL, 1, 7) == draw_widths(rule, FULL, 1, 7)
    others = (draw_widths(rule, FULL, 1, 8), draw_widths(rule, FULL, 2, 7))
    assert draw_widths(rule, FULL, 1, 7) not in others
