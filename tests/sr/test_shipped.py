"""The shipped weights: what they must be, and that their records tell how they were made."""

import pytest
import torch
from safetensors import safe_open

from mfagan import checkpoint
from mfagan.data.embedded import EMBEDDED_HELD_OUT
from mfagan.data.splits import EMBEDDED, Pair, read_pairs
from mfagan.evaluation.psnr_ssim import psnr_db, shaved_luma
from mfagan.evaluation.scores import enlarge_bicubic, mean_psnr_db
from mfagan.networks.discriminators import PatchGAN
from mfagan.sr.kinds import load_generator
from mfagan.sr.network.discriminators import load_discriminator
from mfagan.sr.network.widths import OPTIONS, Widths
from mfagan.sr.shipped import BENCHMARKS, DISCRIMINATOR, SUPERGENERATOR
from mfagan.sr.training.stages import read_recipe, recipe_of


@pytest.fixture(scope="module")
def held_out() -> list[Pair]:
    return read_pairs(EMBEDDED, record=checkpoint.read(SUPERGENERATOR).record)


def test_sizes():
    for path in (SUPERGENERATOR, BENCHMARKS):
        assert path.stat().st_size <= 4_000_000
    assert DISCRIMINATOR.stat().st_size <= 8_000_000


def test_the_record_makes_it_repeatable():
    found = checkpoint.read(SUPERGENERATOR, "mfanet", "supergenerator")
    assert recipe_of(found) == read_recipe("photos")
    assert found.record["steps"] == read_recipe("photos").stages["supernet"].steps
    assert str(found.record["command"]).startswith("mfagan train photos")
    assert len(found.record["training_images"]) > 0  # type: ignore[arg-type]
    held_out = [name.rsplit(".", 1)[0] for name in EMBEDDED_HELD_OUT]
    assert found.record["validation_images"] == held_out
    assert set(held_out).isdisjoint(found.record["training_images"])  # type: ignore[call-overload]


def test_the_weights_of_the_benchmarks_have_their_terms_and_no_test_set():
    found = checkpoint.read(BENCHMARKS, "mfanet", "supergenerator")
    assert recipe_of(found) == read_recipe("benchmarks")
    assert "BSDS500: non-commercial research" in str(found.record["terms"])
    sets = found.record["sets"]
    assert isinstance(sets, dict)
    assert set(sets["training"]) == {"T91", "BSDS500-train", "BSDS500-test"}
    assert set(sets["validation"]) == {"DIV2K-valid-256"}
    assert sum(one["n_images"] for one in sets["training"].values()) == len(found.record["training_images"])  # type: ignore[arg-type]


def test_the_weights_of_the_benchmarks_are_better(held_out: list[Pair]):
    """On pictures that neither has learned from, at every uniform width."""
    for width in OPTIONS:
        ours, before = (
            mean_psnr_db(load_generator(path, Widths.uniform(width)), held_out)
            for path in (BENCHMARKS, SUPERGENERATOR)
        )
        assert ours > before + 0.2


def test_the_discriminator_is_kept_in_half_precision():
    with safe_open(DISCRIMINATOR, framework="pt") as file:
        assert {file.get_tensor(name).dtype for name in file.keys()} == {torch.float16}  # noqa: SIM118
    network = load_discriminator(DISCRIMINATOR, "discriminator")
    assert isinstance(network, PatchGAN)
    assert network.base == read_recipe("photos").student_discriminator


def test_quality_on_photos_never_trained_on(held_out: list[Pair]):
    """The aim: full width at least 1.2 dB over bicubic; and wider is better from one uniform width to the next."""
    scores = [
        mean_psnr_db(load_generator(SUPERGENERATOR, Widths.uniform(width)), held_out) for width in OPTIONS
    ]
    bicubic = [
        psnr_db(shaved_luma(enlarge_bicubic(pair), pair.scale), shaved_luma(pair.hr, pair.scale))
        for pair in held_out
    ]
    assert scores[0] > sum(bicubic) / len(bicubic) + 1.2
    assert scores == sorted(scores, reverse=True)
