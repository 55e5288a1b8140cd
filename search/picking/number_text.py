"""Numbers as people read them: as many digits as carry meaning."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Context

__all__ = ["plain_number", "round_outwards", "short_number"]


def short_number(value: float, digits: int = 3) -> str:
    """Write a number with few digits.

    Args:
        value: a finite number.
        digits: significant digits, at least 1; trailing zeros are left out.

    Returns:
        The text, with the thousands of a large number separated.
    """
    rounded = float(f"{value:.{digits}g}")
    return f"{rounded:,.0f}" if abs(rounded) >= 1000 else f"{rounded:g}"


def plain_number(value: float) -> str:
    """Write a number that a person gave.

    Args:
        value: a finite number.

    Returns:
        The text with all its digits, up to six of a fraction, and thousands separated.
    """
    return f"{int(value):,}" if float(value).is_integer() else f"{value:,.6g}"


def round_outwards(value: float, up: bool, digits: int = 3) -> str:
    """Round a number in one direction, so that a limit of the result still admits the number.

    Args:
        value: a finite number.
        up: round upwards instead of downwards.
        digits: significant digits, at least 1.

    Returns:
        The text, without an exponent, as an option can be given it.
    """
    context = Context(prec=digits, rounding=ROUND_CEILING if up else ROUND_FLOOR)
    return f"{context.create_decimal_from_float(float(value)):f}"
