import pytest

from search.errors import SearchError
from search.racing.settings import Race


def test_looks_come_more_and_more_rarely():
    assert Race().looks(24) == (4, 6, 9, 14, 21)
    assert Race(first_look=10).looks(24) == (10, 15, 23)
    assert Race().looks(4) == ()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"error_probability": 0}, "the error probability of a race is 0: give one between 0 and 1"),
        ({"error_probability": 1.0}, "is 1.0"),
        ({"error_probability": float("nan")}, "is nan"),
        ({"error_probability": "5 %"}, "is '5 %'"),
        ({"first_look": 2}, "first_look of a race is 2: it must be a whole number of at least 3"),
        ({"first_look": 4.5}, "is 4.5"),
    ],
)
def test_bad_settings(settings, words):
    with pytest.raises(SearchError, match=words):
        Race(**settings)
