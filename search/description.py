"""What a problem shows people of its finished trials, as plain data: pictures, parts of values, drawings, commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

__all__ = ["Box", "Drawing", "Picture", "PointDescription", "Scene", "StudyDescription"]


@dataclass(frozen=True)
class Picture:
    """An encoded picture.

    Attributes:
        media_type: such as `image/webp`.
        data: the content of the file.
    """

    media_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True)
class Scene:
    """Something that every point has a picture of, such as a crop of a photo.

    Attributes:
        name: a name, distinct among the scenes of a study.
        references: pictures to compare a point's picture with, by their labels, such as `original`.
    """

    name: str
    references: Mapping[str, Picture] = field(default_factory=dict)


@dataclass(frozen=True)
class Box:
    """A rectangle of a drawing, or a caption: a box of height 0 is drawn as its text alone.

    Attributes:
        name: what it stands for, such as the name of a choice.
        text: what is written in it, such as the choice's value.
        x: its left edge.
        y: its upper edge; y grows downwards.
        width: its width.
        height: its height; 0 for a caption.
    """

    name: str
    text: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Drawing:
    """A drawing of boxes and lines between them, in any unit of length; it is scaled to the place it is shown in.

    Attributes:
        boxes: the boxes.
        lines: pairs of indices of boxes: a line leads from the right of the first to the left of the second.
    """

    boxes: Sequence[Box]
    lines: Sequence[tuple[int, int]] = ()


@dataclass(frozen=True)
class PointDescription:
    """What a page shows of one point, besides its values.

    Attributes:
        pictures: the point's picture of each scene, by the scene's name.
        parts: what an objective's value is the sum of, in its unit: names and amounts by the objective's name.
        drawing: a drawing of it.
        commands: what to do with it: titles and shell commands.
    """

    pictures: Mapping[str, Picture] = field(default_factory=dict)
    parts: Mapping[str, Sequence[tuple[str, float]]] = field(default_factory=dict)
    drawing: Drawing | None = None
    commands: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class StudyDescription:
    """What a page shows of a study's points.

    Attributes:
        scenes: what there are pictures of.
        points: the description of each point, by its trial's number.
        titles: what people read instead of the names of choices and attributes, such as `Parameters` for `params`.
        notes: paragraphs, such as why pictures are missing.
    """

    scenes: Sequence[Scene] = ()
    points: Mapping[int, PointDescription] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()
