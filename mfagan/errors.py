"""The errors of `mfagan` that a user can cause: their text is one line that says what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError

__all__ = ["InputError", "UnknownWeightsError", "describe_fault"]


class InputError(ValueError):
    """Bad input: names the file or argument, the value seen and what to do, in one line."""

    def __init__(self, message: str) -> None:
        """Make the text one line, whatever names it holds.

        Args:
            message: what was wrong, the value seen and what to do.
        """
        super().__init__(" ".join(message.splitlines()))


class UnknownWeightsError(InputError):
    """Weights alone, by whose names and shapes no network is known."""


def describe_fault(error: ValidationError) -> str:
    """Describe the first thing that is wrong with the fields of a file, in one line.

    Args:
        error: what pydantic raised.

    Returns:
        The field, the reason and the value seen.
    """
    fault = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in fault["loc"])
    reason = " ".join(fault["msg"].removeprefix("Value error, ").split())
    if fault["type"] == "json_invalid":
        return f"not a JSON file ({reason})"
    if fault["type"] == "missing":
        return f"{field}: the field is missing"
    return f"{field or 'the content'}: {reason} (found {fault['input']!r:.60})"
