"""Files that are whole or absent."""

from __future__ import annotations

from pathlib import Path

from search.errors import SearchError


def write_text(path: Path, text: str) -> None:
    """Write a file by way of another beside it; SearchError where that fails, with nothing left behind."""
    temporary = path.with_name(f".{path.name}.part")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise SearchError(
            f"{path} cannot be written ({error.strerror}): check the folder and its space"
        ) from None
