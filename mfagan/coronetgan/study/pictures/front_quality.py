"""PSNR to the unpruned pictures and LPIPS of slices, which tell more of a front than the search's quality alone."""

from collections.abc import Mapping, Sequence

from mfagan.coronetgan.study.scoring.choices import Widths
from mfagan.coronetgan.study.scoring.scorer import SliceScorer
from mfagan.evaluation.psnr_ssim import rgb_psnr_db
from mfagan.evaluation.scores import PerceptualDistance, lpips_distance
from mfagan.pretrained import LPIPS_MIN_SIDE_PX
from mfagan.progress import ProgressCallback, ignore_progress

__all__ = ["measure_quality"]

_PSNR, _LPIPS = "psnr_to_unpruned_db", "mean_lpips"


def measure_quality(
    scorer: SliceScorer,
    choices: Sequence[Widths],
    lpips: PerceptualDistance | None = None,
    report: ProgressCallback = ignore_progress,
) -> tuple[list[Mapping[str, float]], dict[str, str]]:
    """Measure slices on all pictures of a scorer; they share the work of common steps.

    Args:
        scorer: Runs the slices; it has the unpruned pictures.
        choices: The slices' widths.
        lpips: Measures LPIPS, of pictures that are large enough, to the targets of pairs or else to the unpruned
            pictures; None to leave it out.
        report: Called after each slice on each picture.

    Returns:
        The mean figures of each slice by the names of attributes, and what people read instead of these names.
    """
    if min(scorer.pictures.size) < LPIPS_MIN_SIDE_PX:
        lpips = None
    references = scorer.unpruned if scorer.targets is None else scorer.targets
    found: list[dict[str, list[float]]] = [{_PSNR: [], _LPIPS: []} for _ in choices]
    n_pictures = len(references)
    done = 0
    for case, reference in enumerate(references):
        for i, image in scorer.run(case, choices):
            found[i][_PSNR].append(rgb_psnr_db(image, scorer.unpruned[case]))
            if lpips is not None:
                found[i][_LPIPS].append(lpips_distance(image.cpu(), reference.cpu(), lpips))
            done += 1
            report(done, len(choices) * n_pictures, "")
    means = [{name: sum(of) / len(of) for name, of in one.items() if of} for one in found]
    pictures = "1 picture" if n_pictures == 1 else f"{n_pictures} pictures"
    to = "unpruned" if scorer.targets is None else "targets"
    return list(means), {
        _PSNR: f"PSNR to unpruned (dB), {pictures}",
        _LPIPS: f"LPIPS to {to}, {pictures}",
    }
