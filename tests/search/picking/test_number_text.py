import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.picking.number_text import plain_number, round_outwards, short_number


@pytest.mark.parametrize(
    ("value", "text"),
    [(30.1234, "30.1"), (0.12345, "0.123"), (29_412, "29,400"), (999.7, "1,000"), (20, "20"), (-3.2, "-3.2")],
)
def test_three_digits(value, text):
    assert short_number(value) == text


def test_a_given_number_keeps_its_digits():
    assert [plain_number(one) for one in (20.0, 20.25, 29_412, 1e6)] == ["20", "20.25", "29,412", "1,000,000"]


def test_outwards_is_up_or_down():
    assert round_outwards(21.36, up=True) == "21.4"
    assert round_outwards(21.36, up=False) == "21.3"
    assert round_outwards(1_234_567.0, up=True) == "1240000"
    assert round_outwards(20.0, up=True) == "20"


@given(st.floats(-1e12, 1e12, allow_subnormal=False), st.booleans())
def test_a_limit_rounded_outwards_admits_the_number(value, up):
    limit = float(round_outwards(value, up))
    assert value <= limit if up else value >= limit
