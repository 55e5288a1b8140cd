"""PSNR to the originals and LPIPS of slices, which tell more of a front than the search's quality alone."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from mfagan.evaluation.psnr_ssim import rgb_psnr_db
from mfagan.evaluation.scores import PerceptualDistance, lpips_distance
from mfagan.pretrained import LPIPS_MIN_SIDE_PX
from mfagan.progress import ProgressCallback, ignore_progress
from mfagan.study.slices.scorer import SliceScorer

__all__ = ["measure_quality"]

_PSNR, _LPIPS = "psnr_to_original_db", "mean_lpips"
WidthsT = TypeVar("WidthsT")


def measure_quality(
    scorer: SliceScorer[WidthsT],
    choices: Sequence[WidthsT],
    lpips: PerceptualDistance | None = None,
    report: ProgressCallback = ignore_progress,
) -> tuple[list[Mapping[str, float]], dict[str, str]]:
    """Measure slices on all cases of a scorer; they share the work of common steps.

    Args:
        scorer: Runs the slices; it has the originals.
        choices: The slices' widths.
        lpips: Measures LPIPS, of pictures that are large enough, to the targets or else to the originals; None to leave
            it out.
        report: Called after each slice on each case.

    Returns:
        The mean figures of each slice by the names of attributes, PSNR of RGB in [0, 1] in dB, and what people read
        instead of these names.
    """
    if min(scorer.originals[0].shape[-2:]) < LPIPS_MIN_SIDE_PX:
        lpips = None
    found: list[dict[str, list[float]]] = [{_PSNR: [], _LPIPS: []} for _ in choices]
    n_cases, done = len(scorer.originals), 0
    for case, (original, reference) in enumerate(zip(scorer.originals, scorer.references, strict=True)):
        for i, picture in scorer.run(case, choices):
            found[i][_PSNR].append(rgb_psnr_db(picture, original))
            if lpips is not None:
                found[i][_LPIPS].append(lpips_distance(picture.cpu(), reference.cpu(), lpips))
            done += 1
            report(done, len(choices) * n_cases, "")
    means = [{name: sum(of) / len(of) for name, of in one.items() if of} for one in found]
    cases = f"1 {scorer.CASE}" if n_cases == 1 else f"{n_cases} {scorer.CASE}s"
    to = scorer.ORIGINAL if scorer.targets is None else "targets"
    return list(means), {_PSNR: f"PSNR to {scorer.ORIGINAL} (dB), {cases}", _LPIPS: f"LPIPS to {to}, {cases}"}
