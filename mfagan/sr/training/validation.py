"""How a training of MFAGAN validates: PSNR-Y and LPIPS on the validation images, and which of them is the score."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from torch import nn

from mfagan.data.pairs import Pair
from mfagan.evaluation.psnr_ssim import psnr_db, shaved_luma
from mfagan.evaluation.scores import PerceptualDistance, lpips_distance, mean_psnr_db, super_resolve
from mfagan.sr.training.recipe import Criterion
from mfagan.training.loop import LoopResult, Validation

__all__ = ["Validator", "record_figures"]


@dataclass(frozen=True)
class Validator:
    """Scores networks on images by a criterion."""

    pairs: Sequence[Pair]
    """At least one image."""
    lpips: PerceptualDistance | None = None
    """Measures LPIPS; None for PSNR-Y alone."""
    criterion: Criterion = "psnr"
    """What the score is; others than psnr need `lpips`."""
    least_psnr_db: float = -math.inf
    """Networks whose PSNR-Y is lower must not be kept."""

    def __call__(self, network: nn.Module) -> float | Validation:
        """Score a network.

        Args:
            network: (1, 3, h, w) -> (1, 3, scale h, scale w), RGB in [0, 1].

        Returns:
            The mean PSNR-Y in dB alone or, if LPIPS is measured, the score by the criterion with both figures.
        """
        if self.lpips is None:
            return mean_psnr_db(network, self.pairs)
        found = {"psnr_db": [], "lpips": []}
        for pair in self.pairs:
            sr = super_resolve(network, pair.lr)
            found["lpips"].append(lpips_distance(sr, pair.hr.to(sr.device), self.lpips))
            luma, reference = (shaved_luma(image, pair.scale) for image in (sr.cpu(), pair.hr))
            found["psnr_db"].append(psnr_db(luma, reference))
        finite = [one for one in found["psnr_db"] if math.isfinite(one)]
        figures = {"psnr_db": fmean(finite) if finite else math.inf, "lpips": fmean(found["lpips"])}
        if self.criterion == "psnr":
            return Validation(figures["psnr_db"], figures)
        allowed = figures["psnr_db"] >= self.least_psnr_db
        return Validation(-figures["lpips"] if allowed else -math.inf, figures)

    def format_score(self, score: float) -> str:
        """Write a score for people.

        Args:
            score: what a call gave.

        Returns:
            The figure with its name or unit.
        """
        if self.criterion == "psnr":
            return f"{score:.2f} dB"
        return f"LPIPS {-score:.4f}" if math.isfinite(score) else f"PSNR-Y under {self.least_psnr_db:.2f} dB"


def record_figures(result: LoopResult, criterion: Criterion) -> dict[str, object]:
    """What a checkpoint records of the validations of a training.

    Args:
        result: of the loop.
        criterion: by which its validations were scored.

    Returns:
        `validation_psnr_db` and `validation_curve` of PSNR-Y in dB, `validation_lpips` and `validation_lpips_curve`
        where LPIPS was measured; of a training that keeps its best also `best_step` and both figures before and after.
    """
    found: dict[str, object] = {} if result.score_before is None else {"best_step": result.kept_step}
    if criterion == "psnr":
        before = {} if result.score_before is None else {0: result.score_before}
        psnr = before | dict(result.curve)
    else:
        psnr = {step: figures["psnr_db"] for step, figures in result.figures.items()}
    # Not measured at every step if AlexNet's weights came while the training was interrupted.
    lpips = {step: figures["lpips"] for step, figures in result.figures.items() if "lpips" in figures}
    for name, curve, before, after, measured in (
        ("validation_psnr_db", "validation_curve", "psnr_before_db", "psnr_after_db", psnr),
        ("validation_lpips", "validation_lpips_curve", "lpips_before", "lpips_after", lpips),
    ):
        if result.kept_step in measured:
            found[name] = measured[result.kept_step]
            found[curve] = [(step, value) for step, value in measured.items() if step]
            if 0 in measured:
                found |= {before: measured[0], after: found[name]}
    return found
