"""One HTML file that shows pairs of pictures without saying whose they are, and saves what was answered."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from importlib.resources import files
from typing import TYPE_CHECKING

from search.description import Picture, StudyDescription
from search.errors import SearchError
from search.preference.answers import hash_points
from search.preference.comparisons import draw_comparisons
from search.problem import Point

if TYPE_CHECKING:
    from search.study import StudyRecord

__all__ = ["comparison_page"]

_SOURCES = files("search") / "preference"


def comparison_page(
    record: StudyRecord,
    points: Sequence[Point],
    description: StudyDescription,
    command: str,
    *,
    n_comparisons: int = 20,
    seed: int = 0,
) -> str:
    """Lay out the page.

    It makes no request, and its content security policy forbids any. What is visible says nothing of the points;
    which trial was on which side is in the answers that it saves.

    Args:
        record: the study.
        points: the points to compare, as `spread_points` chooses them.
        description: their pictures of one scene or more.
        command: what the last view tells people to run; plain text.
        n_comparisons: comparisons, at least 5.
        seed: the same seed draws the same comparisons.

    Returns:
        The HTML.

    Raises:
        SearchError: a point lacks pictures.
    """
    scenes = [scene.name for scene in description.scenes]
    if not scenes:
        notes = "; ".join(description.notes)
        raise SearchError(
            f"study {record.name!r} has no pictures to compare ({notes or 'its problem describes none'}): "
            "pick by limits, the knee or weights"
        )
    comparisons = draw_comparisons(points, scenes, n_comparisons, seed)
    pictures: list[str] = []
    index: dict[tuple[int, str], int] = {}

    def place(trial: int, scene: str) -> int:
        if (trial, scene) not in index:
            found = description.points[trial].pictures.get(scene) if trial in description.points else None
            if found is None:
                raise SearchError(f"trial {trial} has no picture of {scene!r}: describe every point")
            index[trial, scene] = len(pictures)
            pictures.append(_as_url(found))
        return index[trial, scene]

    compared = {trial for one in comparisons for trial in (one.left, one.right)}
    data = {
        "format": "answers-by-eye/1",
        "study": record.name,
        "points_sha256": hash_points(
            record.identity, [point for point in points if point.number in compared]
        ),
        "command": command,
        "comparisons": [
            {
                "left": one.left,
                "right": one.right,
                "scene": one.scene,
                "leftPicture": place(one.left, one.scene),
                "rightPicture": place(one.right, one.scene),
            }
            for one in comparisons
        ],
        "pictures": pictures,
    }
    style, script = (_read(name) for name in ("page.css", "page.js"))
    policy = (
        f"default-src 'none'; img-src data:; style-src {_hash(style)}; script-src {_hash(script)}; "
        "base-uri 'none'; form-action 'none'"
    )
    # In a script element only `<` could end it or begin a comment.
    parts = {
        "policy": policy,
        "style": style,
        "script": script,
        "data": json.dumps(data).replace("<", "\\u003c"),
    }
    return re.sub(r"{{(\w+)}}", lambda field: parts[field[1]], _read("page.html"))


def _read(name: str) -> str:
    return (_SOURCES / name).read_text(encoding="utf-8")


def _hash(source: str) -> str:
    """A style or script as a content security policy allows it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}'"


def _as_url(picture: Picture) -> str:
    if not re.fullmatch(r"image/[a-z0-9.+-]+", picture.media_type):
        raise SearchError(f"a picture is of the type {picture.media_type!r}: give one such as image/webp")
    return f"data:{picture.media_type};base64,{base64.b64encode(picture.data).decode()}"
