"""What the page shows of single points, as plain data: pictures, parts of values, drawings, commands."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from search.description import Drawing, Picture, PointDescription, StudyDescription
from search.problem import Objective

__all__ = ["Album", "PointView", "SceneView", "view_points", "view_scenes"]


class Album:
    """The pictures of a page, each kept once."""

    def __init__(self) -> None:
        self.urls: list[str] = []
        self._places: dict[str, int] = {}

    def add(self, picture: Picture) -> int:
        """Keep a picture.

        Args:
            picture: the picture.

        Returns:
            Its index in `urls`.
        """
        url = f"data:{picture.media_type};base64,{base64.b64encode(picture.data).decode()}"
        if url not in self._places:
            self._places[url] = len(self.urls)
            self.urls.append(url)
        return self._places[url]


@dataclass(frozen=True)
class SceneView:
    """A scene.

    Attributes:
        name: its name.
        references: labels and indices of pictures to compare with.
    """

    name: str
    references: list[tuple[str, int]]


@dataclass(frozen=True)
class PointView:
    """What a page shows of a point, besides its values.

    Attributes:
        pictures: for each scene the index of the point's picture, or None.
        parts: for each objective the names and the amounts of what its value is the sum of.
        drawing: a drawing of it, or None.
        commands: titles and shell commands.
    """

    pictures: list[int | None] = field(default_factory=list)
    parts: list[list[tuple[str, float]]] = field(default_factory=list)
    drawing: Drawing | None = None
    commands: list[tuple[str, str]] = field(default_factory=list)


def view_scenes(description: StudyDescription, album: Album) -> list[SceneView]:
    """Lay out the scenes of a study.

    Args:
        description: the study's.
        album: takes the pictures.

    Returns:
        The scenes, in their order.
    """
    return [
        SceneView(scene.name, [(label, album.add(picture)) for label, picture in scene.references.items()])
        for scene in description.scenes
    ]


def view_points(
    description: StudyDescription, objectives: Sequence[Objective], rows: Mapping[int, int], album: Album
) -> dict[int, PointView]:
    """Lay out the descriptions of a study's points.

    Args:
        description: the study's.
        objectives: those of the problem.
        rows: the row of each trial.
        album: takes the pictures.

    Returns:
        The points by row.
    """
    scenes = [scene.name for scene in description.scenes]
    return {
        rows[trial]: _view_point(point, scenes, objectives, album)
        for trial, point in description.points.items()
        if trial in rows
    }


def _view_point(
    point: PointDescription, scenes: Sequence[str], objectives: Sequence[Objective], album: Album
) -> PointView:
    return PointView(
        pictures=[album.add(point.pictures[name]) if name in point.pictures else None for name in scenes],
        parts=[
            [(name, float(f"{amount:.6g}")) for name, amount in point.parts.get(objective.name, ())]
            for objective in objectives
        ],
        drawing=point.drawing,
        commands=list(point.commands),
    )
