"""PSNR and LPIPS of slices to the teacher, which tell more of a front than the mean distance alone."""

from collections.abc import Mapping, Sequence

from mfagan.evaluation.psnr_ssim import rgb_psnr_db
from mfagan.evaluation.scores import PerceptualDistance, lpips_distance
from mfagan.mobilestylegan.study.scoring.choices import Channels
from mfagan.mobilestylegan.study.scoring.scorer import SliceScorer
from mfagan.pretrained import LPIPS_MIN_SIDE_PX
from mfagan.progress import ProgressCallback, ignore_progress

__all__ = ["measure_quality"]

_PSNR, _LPIPS = "psnr_db", "mean_lpips"


def measure_quality(
    scorer: SliceScorer,
    choices: Sequence[Channels],
    lpips: PerceptualDistance | None = None,
    report: ProgressCallback = ignore_progress,
) -> tuple[list[Mapping[str, float]], dict[str, str]]:
    """Measure slices on all latents of a scorer; they share the work of common prefixes.

    Args:
        scorer: Runs the slices; it has the teacher's images.
        choices: The slices' channels.
        lpips: Measures LPIPS, of images that are large enough; None to leave it out.
        report: Called after each slice on each latent.

    Returns:
        The mean figures of each slice by the names of attributes, PSNR of RGB in [0, 1] in dB, and what people read
        instead of these names.
    """
    size = scorer.teacher_images[0].shape[-1]
    if size < LPIPS_MIN_SIDE_PX:
        lpips = None
    found: list[dict[str, list[float]]] = [{_PSNR: [], _LPIPS: []} for _ in choices]
    n_latents = len(scorer.teacher_images)
    done = 0
    for case, reference in enumerate(scorer.teacher_images):
        for i, image in scorer.run(case, choices):
            found[i][_PSNR].append(rgb_psnr_db(image, reference))
            if lpips is not None:
                found[i][_LPIPS].append(lpips_distance(image.cpu(), reference.cpu(), lpips))
            done += 1
            report(done, len(choices) * n_latents, "")
    means = [{name: sum(of) / len(of) for name, of in one.items() if of} for one in found]
    latents = "1 latent" if n_latents == 1 else f"{n_latents} latents"
    return list(means), {
        _PSNR: f"PSNR to the teacher (dB), {latents}",
        _LPIPS: f"LPIPS to the teacher, {latents}",
    }
