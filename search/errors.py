"""The one error of `search` that a user can cause: its text is one line that says what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError


class SearchError(ValueError):
    """Bad input: names the file or argument, the value seen and what to do, in one line."""


def first_fault(error: ValidationError, remedy: str) -> str:
    """The first thing that is wrong with a JSON file, in one line: field, value, reason and `remedy`."""
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
