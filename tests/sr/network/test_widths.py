import random

import pytest

from mfagan.errors import InputError
from mfagan.sr.network.widths import NAMES, OPTIONS, Widths, every_choice, random_choice, require_choice


def test_parse_and_text_are_inverse():
    text = "48,24,24,24,32,48,48,24"
    widths = Widths.parse(text)
    assert str(widths) == text
    assert (widths.trunk, widths.cfabs, widths.fusion) == (48, (24, 24, 24, 32, 48, 48), 24)


def test_one_number_means_everywhere():
    assert Widths.parse("32") == Widths.uniform(32)
    assert tuple(Widths.uniform(32)) == (32,) * len(NAMES)


@pytest.mark.parametrize("text", ["", "48,24", "48,24,24,24,32,48,48,x", "0", "48,24,24,24,32,48,48,-24"])
def test_bad_text_is_refused_by_value(text: str):
    with pytest.raises(InputError, match="widths"):
        Widths.parse(text)


def test_choice_round_trip():
    widths = Widths.parse("48,24,32,24,32,48,48,24")
    assert list(widths.as_choice()) == list(NAMES)
    assert Widths.from_choice(widths.as_choice()) == widths


def test_space_has_every_choice_once():
    choices = list(every_choice())
    assert len(choices) == len(set(choices)) == 3**8
    assert choices[0] == Widths.uniform(48)


def test_random_choices_use_every_option_of_every_width():
    generator = random.Random(0)
    seen = [set(column) for column in zip(*(random_choice(generator) for _ in range(100)), strict=True)]
    assert seen == [set(OPTIONS)] * len(NAMES)


def test_a_width_outside_the_set_is_named():
    with pytest.raises(InputError, match="cfab_2 is 40"):
        require_choice(Widths.parse("48,24,40,24,32,48,48,24"))


def test_fits_in():
    assert Widths.uniform(24).fits_in(Widths.uniform(48))
    assert not Widths.parse("24,64,24,24,24,24,24,24").fits_in(Widths.uniform(48))
