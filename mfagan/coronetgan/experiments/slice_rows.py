"""Slices that a study found, as rows beside a table of ratios."""

from collections.abc import Sequence
from pathlib import Path

from mfagan import checkpoint
from mfagan.coronetgan.experiments.ratio_table import SLICES, RatioRow
from mfagan.coronetgan.experiments.trained import BACKWARDS
from mfagan.coronetgan.kinds import direction_of
from mfagan.coronetgan.network.costs import WidthCosts
from mfagan.coronetgan.network.slices import extract
from mfagan.coronetgan.network.statistics import N_CALIBRATION, take_statistics
from mfagan.coronetgan.study.networks import load_supernet
from mfagan.coronetgan.study.picked import PickedTranslator
from mfagan.coronetgan.training.building import draw_pictures
from mfagan.coronetgan.training.run import TranslationRun
from mfagan.coronetgan.training.validation import translate
from mfagan.errors import InputError
from mfagan.evaluation.psnr_ssim import signed_psnr_db

__all__ = ["read_slices"]


def read_slices(picks: Sequence[PickedTranslator], run: TranslationRun, folder: Path) -> list[RatioRow]:
    """Cut slices out of their weight-shared translator, and measure their quality as that of trained networks.

    Batch norms that have running statistics take the slices' own, of pictures of the training.

    Args:
        picks: trials of one study.
        run: gives recipe and pictures.
        folder: where their exported files will be written.

    Returns:
        A row for each.

    Raises:
        InputError: pictures without pairs, by which slices and trained networks cannot be compared; the translator's
            file is missing, has changed, or is of another form than the recipe's.
    """
    if not run.pictures.held_out.paired:
        raise InputError(
            "slices of a study: their quality is compared on pairs; give data with pairs, or no study"
        )
    path = picks[0].find_supernet()
    network, side = load_supernet(path), run.recipe.crop_px
    form = run.recipe.translator()
    if (network.KIND, network.widths) != (form.KIND, form.widths):
        raise InputError(
            f"supernet {path}: a {network.KIND} of widths {tuple(network.widths.values())}, the recipe's is a "
            f"{form.KIND} of {tuple(form.widths.values())}; give the recipe that it was trained with"
        )
    backwards = direction_of(checkpoint.read(path)) != run.recipe.direction
    held_out = run.pictures.held_out
    given, wanted = (held_out.b, held_out.a) if backwards else (held_out.a, held_out.b)
    pictures = draw_pictures(run, N_CALIBRATION)[int(backwards)].cpu()
    costs = WidthCosts.of(network, side, side)
    rows = []
    for pick in picks:
        widths = pick.widths(network)
        found = extract(network, widths).eval()
        take_statistics(found, pictures)
        name = f"trial {pick.trial}" + (f", {BACKWARDS}" if backwards else "")
        file = folder / f"trial_{pick.trial}.tflite"
        quality = signed_psnr_db(translate(found, given), wanted).item()
        rows.append(RatioRow(SLICES, name, found, quality, costs.ratio(widths), 0.0, file, None, backwards))
    return rows
