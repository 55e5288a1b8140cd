"""What is computed in integers, and over which ranges."""

import numpy as np
import pytest

from mfagan.graph.operators import Operator
from mfagan.graph.passes import rewrite_operators
from mfagan.graph.rounding import fit_range, integer_outputs, write_for_integers
from mfagan.sr.network import mfanet
from mfagan.sr.network.widths import Widths

WIDTHS = Widths.parse("10,4,5,6,7,8,9,6")


def listed() -> list[Operator]:
    operators = mfanet.operators(WIDTHS, 16, 12, residual="bicubic")
    return write_for_integers(rewrite_operators(operators, ("statistics", "shuffle")).operators)


def test_the_residual_and_what_follows_it_stay_in_float():
    operators = listed()
    integers = integer_outputs(operators)
    kept = [operator for operator in operators if operator.output not in integers]
    assert [one.kind for one in kept if one.output.height > 1] == [
        "pad",
        "pad",
        "conv",
        "add",
        "pixel_shuffle",
    ]
    assert "residual.filters" in {one.weights for one in kept}


def test_vectors_of_vectors_stay_in_float_but_means_are_taken_in_integers():
    operators = listed()
    integers = integer_outputs(operators)
    kinds = {one.kind for one in operators if one.output.height == 1 and one.output not in integers}
    assert {"sqrt", "sigmoid", "conv"} <= kinds
    assert all(one.output in integers for one in operators if one.kind == "mean")


def test_no_square_is_left():
    operators = listed()
    assert "square" not in {one.kind for one in operators}
    assert any(one.kind == "multiply" and len({*one.inputs}) == 1 for one in operators)


def test_a_range_of_evenly_spread_values_is_theirs():
    low, high = fit_range(np.linspace(-1, 3, 10_000))
    assert (low, high) == pytest.approx((-1, 3), abs=0.05)


def test_a_rare_extreme_is_cut_off():
    values = np.append(np.linspace(-1, 1, 300_000), 8.0)
    low, high = fit_range(values)
    assert low == pytest.approx(-1, abs=0.15)
    assert 1 <= high < 7


@pytest.mark.parametrize("value", [0.0, 2.0, -2.0])
def test_zero_is_in_every_range(value: float):
    low, high = fit_range(np.full(100, value))
    assert low <= 0 <= high
    assert low <= value <= high
