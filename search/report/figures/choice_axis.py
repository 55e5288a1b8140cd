"""Choices and their options in the order and the words that figures show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from search.problem import Value

__all__ = ["in_order", "title_of"]


def in_order(options: Sequence[Value]) -> list[Value]:
    """Order the options of a choice for an axis.

    Args:
        options: the options as the problem lists them.

    Returns:
        Numbers from the smallest to the largest; options among which there is a text as they are.
    """
    numbers = [option for option in options if not isinstance(option, str)]
    return [*sorted(numbers)] if len(numbers) == len(options) else list(options)


def title_of(name: str, titles: Mapping[str, str] | None) -> str:
    """Find what people read instead of the name of a choice.

    Args:
        name: the name.
        titles: titles by name, or None.

    Returns:
        The title, or the name if it has none.
    """
    return (titles or {}).get(name, name)
