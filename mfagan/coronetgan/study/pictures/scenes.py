"""Sample pictures: the same pictures, translated by each slice, beside the unpruned network's."""

from collections.abc import Sequence

from mfagan.coronetgan.study.scoring.choices import Widths
from mfagan.coronetgan.study.scoring.scorer import SliceScorer
from mfagan.progress import ProgressCallback, ignore_progress
from mfagan.study.pictures import encode_webp
from search.description import Picture, Scene

__all__ = ["N_SCENES", "ScenePainter"]

N_SCENES = 4


class ScenePainter:
    """Paints the first pictures of a study by slices.

    Attributes:
        scenes: What there are pictures of, with the references `input`, `unpruned`, and `target` of pairs.
    """

    def __init__(self, scorer: SliceScorer, n_scenes: int = N_SCENES) -> None:
        """Paint the references.

        Args:
            scorer: Runs the slices; it has the unpruned pictures.
            n_scenes: How many scenes there shall be, if there are as many pictures.
        """
        self._scorer = scorer
        self._names = scorer.pictures.names[:n_scenes]
        self.scenes: list[Scene] = []
        for case, name in enumerate(self._names):
            shown = {"input": scorer.inputs[case], "unpruned": scorer.unpruned[case]}
            if scorer.targets is not None:
                shown["target"] = scorer.targets[case]
            self.scenes.append(Scene(name, {label: encode_webp(one.cpu()) for label, one in shown.items()}))

    def paint(
        self, choices: Sequence[Widths], report: ProgressCallback = ignore_progress
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
            for i, image in self._scorer.run(case, choices):
                pictures[i][name] = encode_webp(image.cpu())
                done += 1
                report(done, total, name)
        return pictures
