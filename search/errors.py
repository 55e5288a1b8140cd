"""The error of this package, and pydantic's errors as one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = ["SearchError", "first_fault"]

if TYPE_CHECKING:
    from pydantic import ValidationError


class SearchError(ValueError):
    """Bad input, or a storage that does not work; its text is one line that says what is wrong and what to do."""

    def __init__(self, message: str) -> None:
        """Make the text one line, whatever names it holds.

        Args:
            message: what was wrong, the value seen and what to do.
        """
        super().__init__(" ".join(message.splitlines()))


def first_fault(error: ValidationError, remedy: str) -> str:
    """Describe in one line the first thing that is wrong with a JSON file.

    Args:
        error: what pydantic found.
        remedy: what the user can do, such as `build the table again`.

    Returns:
        The field, its value, the reason and the remedy.
    """
    fault = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in fault["loc"])
    reason = " ".join(fault["msg"].split())
    if fault["type"] == "json_invalid":
        return f"not a JSON file ({reason}); {remedy}"
    if fault["type"] == "missing":
        return f"the field {field!r} is missing; {remedy}"
    seen = repr(fault["input"])
    seen = seen if len(seen) <= 60 else f"{seen[:57]}..."
    return f"{field or 'the content'} is {seen} ({reason}); correct it or {remedy}"
