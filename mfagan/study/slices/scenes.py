"""Sample pictures: the same cases by each slice, beside what they are compared with."""

from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

from torch import Tensor

from mfagan.progress import ProgressCallback, ignore_progress
from mfagan.study.pictures import encode_webp
from search.description import Picture, Scene

__all__ = ["N_SCENES", "ScenePainter"]

N_SCENES = 4
WidthsT = TypeVar("WidthsT")


class ScenePainter(Generic[WidthsT]):
    """Paints the first cases of a study by slices.

    Attributes:
        scenes: What there are pictures of, with their references; a system's own painter sets them.
    """

    scenes: Sequence[Scene]

    def __init__(
        self, names: Sequence[str], run: Callable[[int, Sequence[WidthsT]], Iterator[tuple[int, Tensor]]]
    ) -> None:
        """Paint nothing yet.

        Args:
            names: Of the scenes.
            run: Makes a scene, given by its index, by slices, as `mfagan.study.slices.scorer.SliceScorer.run`.
        """
        self._names = names
        self._run = run

    def paint(
        self, choices: Sequence[WidthsT], report: ProgressCallback = ignore_progress
    ) -> list[dict[str, Picture]]:
        """Paint every scene by several slices; they share the work of common steps.

        Args:
            choices: Their widths.
            report: Called after each picture.

        Returns:
            For each choice its picture of each scene, by the scene's name.
        """
        pictures: list[dict[str, Picture]] = [{} for _ in choices]
        done, total = 0, len(choices) * len(self._names)
        for case, name in enumerate(self._names):
            for i, image in self._run(case, choices):
                pictures[i][name] = encode_webp(image.cpu())
                done += 1
                report(done, total, name)
        return pictures
