"""Sample pictures: the same latents, by each slice, beside the teacher's."""

from mfagan.mobilestylegan.study.scoring.choices import Channels
from mfagan.mobilestylegan.study.scoring.scorer import LatentScorer
from mfagan.study.pictures import encode_webp
from mfagan.study.slices.scenes import N_SCENES, ScenePainter
from search.description import Scene

__all__ = ["LatentPainter"]


class LatentPainter(ScenePainter[Channels]):
    """Paints the first latents of a study by slices; references are `teacher` and `full width`."""

    def __init__(self, scorer: LatentScorer, full: Channels, n_scenes: int = N_SCENES) -> None:
        """Paint the references.

        Args:
            scorer: Runs the slices; it has the teacher's images.
            full: Channels of the weight-shared student.
            n_scenes: How many scenes there shall be, if there are as many latents.
        """
        names = [f"seed {seed}" for seed in scorer.latents.seeds[:n_scenes]]
        super().__init__(names, scorer.run)
        widest = self.paint([full])[0]
        self.scenes = [
            Scene(name, {"teacher": encode_webp(image.cpu()), "full width": widest[name]})
            for name, image in zip(names, scorer.originals, strict=False)
        ]
