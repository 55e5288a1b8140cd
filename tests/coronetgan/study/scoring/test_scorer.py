"""Scores of slices are those of extracted networks."""

import pytest
import torch

from mfagan.coronetgan.network import Translator
from mfagan.coronetgan.network.slices import extract
from mfagan.coronetgan.network.statistics import take_statistics
from mfagan.coronetgan.study.block_lists import BlockLists
from mfagan.coronetgan.study.scoring.pictures import PictureSource, read_pictures
from mfagan.coronetgan.study.scoring.scorer import TranslationScorer
from mfagan.errors import InputError
from tests.coronetgan.study.small import (
    SIDE,
    build_resnet,
    build_unet,
)


@pytest.mark.parametrize(
    "network",
    [
        build_resnet(n_blocks=3),
        build_resnet(n_blocks=2, upsampling="shuffle", norm="batch", norm_at_inference="image"),
        build_unet(norm_at_inference="image"),
    ],
    ids=["instance", "batch of the image", "unet"],
)
def test_scores_are_psnr_of_extracted_networks(network: Translator, slice_files):
    pictures = read_pictures(PictureSource(slice_files["data"]), SIDE)
    assert pictures.targets is not None
    scorer = TranslationScorer(network, pictures, "psnr_db")
    form = BlockLists(network, (SIDE, SIDE)).form
    slices = form.alternating
    for widths, score in zip(slices, scorer.score(slices), strict=True):
        small = extract(network, form.latents(widths))
        for case, x in enumerate(pictures.inputs):
            with torch.no_grad():
                error = (small(x[None])[0] - pictures.targets[case]).square().mean() / 4
            assert score.qualities[case] == pytest.approx(-10 * error.log10().item(), abs=1e-4)


@pytest.mark.parametrize("network", [build_unet(), build_resnet(n_blocks=2, norm="batch")])
def test_slices_have_running_statistics_of_their_own(network: Translator, slice_files):
    pictures = read_pictures(PictureSource(slice_files["data"]), SIDE, calibrated=True)
    assert pictures.calibration is not None
    scorer = TranslationScorer(network, pictures)
    form = BlockLists(network, (SIDE, SIDE)).form
    for i, (widths, score) in enumerate(zip(form.alternating, scorer.score(form.alternating), strict=True)):
        small = extract(network, form.latents(widths))
        take_statistics(small, pictures.calibration)
        with torch.no_grad():
            images = [(small(x[None])[0] + 1) / 2 for x in pictures.inputs]
            inherited = (extract(network, form.latents(widths))(pictures.inputs[:1])[0] + 1) / 2
        found = [
            (image - unpruned).abs().mean().item()
            for image, unpruned in zip(images, scorer.originals, strict=True)
        ]
        assert score.qualities == pytest.approx(found, abs=1e-6)
        assert (inherited - images[0]).abs().max() > 1e-2
        if i == 0:
            assert score.qualities == (0, 0, 0)


def test_statistics_need_pictures(slice_files):
    pictures = read_pictures(PictureSource(slice_files["data"]), SIDE)
    with pytest.raises(InputError, match="0 pictures for the statistics of batch norm"):
        TranslationScorer(build_unet(), pictures)
