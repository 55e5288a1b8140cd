"""Sample pictures: the same pictures, translated by each slice, beside the unpruned network's."""

from mfagan.coronetgan.study.scoring.choices import Widths
from mfagan.coronetgan.study.scoring.scorer import TranslationScorer
from mfagan.study.pictures import encode_webp
from mfagan.study.slices.scenes import N_SCENES, ScenePainter
from search.description import Scene

__all__ = ["TranslationPainter"]


class TranslationPainter(ScenePainter[Widths]):
    """Paints the first pictures of a study by slices; references are `input`, `unpruned`, and `target` of pairs."""

    def __init__(self, scorer: TranslationScorer, n_scenes: int = N_SCENES) -> None:
        """Paint the references.

        Args:
            scorer: Runs the slices; it has the unpruned pictures.
            n_scenes: How many scenes there shall be, if there are as many pictures.
        """
        names = scorer.pictures.names[:n_scenes]
        super().__init__(names, scorer.run)
        scenes: list[Scene] = []
        for case, name in enumerate(names):
            shown = {"input": scorer.inputs[case], "unpruned": scorer.originals[case]}
            if scorer.targets is not None:
                shown["target"] = scorer.targets[case]
            scenes.append(Scene(name, {label: encode_webp(one.cpu()) for label, one in shown.items()}))
        self.scenes = scenes
