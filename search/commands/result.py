"""What a command answers: printed as text for people, as JSON for programs, or as the names of the files it wrote."""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Result", "as_json", "as_text"]


@dataclass(frozen=True)
class Result:
    """What a command answers.

    Attributes:
        facts: plain data by names in snake_case with units, such as `latency_ms`; what `--json` prints.
        lines: the same for people; without any, the files are named.
        files: the files or folders that the command wrote, the most important first.
        next: the command to run next, word by word; empty if there is none.
        status: the exit status.
    """

    facts: Mapping[str, object] = field(default_factory=dict)
    lines: Sequence[str] = ()
    files: Sequence[str | Path] = ()
    next: Sequence[object] = ()
    status: int = 0


def as_json(result: Result) -> str:
    """Write a result as one JSON document.

    Args:
        result: what a command answers.

    Returns:
        Its facts, with `files` and `next` (a list of words) if there are any; a number that is not finite is null.
    """
    document = dict(result.facts)
    if result.files:
        document["files"] = list(result.files)
    if result.next:
        document["next"] = list(map(str, result.next))
    return json.dumps(_plain(document), indent=2, allow_nan=False)


def as_text(result: Result, *, quiet: bool = False) -> str:
    """Write a result for people.

    Args:
        result: what a command answers.
        quiet: leave out all but the files that were written, or but the answer if there are none.

    Returns:
        Lines; the last one names the next command.
    """
    files = list(map(str, result.files))
    if quiet:
        return "\n".join(files or result.lines)
    after = [f"next: {shlex.join(map(str, result.next))}"] if result.next else []
    return "\n".join([*(result.lines or files), *after])


def _plain(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(one) for one in value]
    return value
