"""Sample pictures: the same latents, by each slice, beside the teacher's."""

from collections.abc import Sequence

from mfagan.mobilestylegan.study.scoring.choices import Channels
from mfagan.mobilestylegan.study.scoring.scorer import SliceScorer
from mfagan.progress import ProgressCallback, ignore_progress
from mfagan.study.pictures import encode_webp
from search.description import Picture, Scene

__all__ = ["N_SCENES", "ScenePainter"]

N_SCENES = 4


class ScenePainter:
    """Paints the first latents of a study by slices.

    Attributes:
        scenes: What there are pictures of, with the references `teacher` and `full width`.
    """

    def __init__(self, scorer: SliceScorer, full: Channels, n_scenes: int = N_SCENES) -> None:
        """Paint the references.

        Args:
            scorer: Runs the slices; it has the teacher's images.
            full: Channels of the weight-shared student.
            n_scenes: How many scenes there shall be, if there are as many latents.
        """
        self._scorer = scorer
        self._names = [f"seed {seed}" for seed in scorer.latents.seeds[:n_scenes]]
        widest = self.paint([full])[0]
        self.scenes = [
            Scene(name, {"teacher": encode_webp(image.cpu()), "full width": widest[name]})
            for name, image in zip(self._names, scorer.teacher_images, strict=False)
        ]

    def paint(
        self, choices: Sequence[Channels], report: ProgressCallback = ignore_progress
    ) -> list[dict[str, Picture]]:
        """Paint every scene by several slices; they share the work of common prefixes.

        Args:
            choices: Their channels.
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
