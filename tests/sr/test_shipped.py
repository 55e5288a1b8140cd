"""The shipped weights: what they must be, and that their records tell how they were made."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from mfagan import checkpoint
from mfagan.data.splits import EMBEDDED, Pair, read_pairs
from mfagan.evaluation.psnr_ssim import psnr_db, shaved_luma
from mfagan.evaluation.scores import enlarge_bicubic, mean_psnr_db
from mfagan.networks.discriminators import PatchGAN
from mfagan.sr.experiments.paper_tables import TABLE_1_PRUNED
from mfagan.sr.kinds import load_generator
from mfagan.sr.network.discriminators import load_discriminator
from mfagan.sr.network.widths import OPTIONS, Widths
from mfagan.sr.shipped import DISCRIMINATOR, FREE, MODELS, PERCEPTUAL, SUPERGENERATOR
from mfagan.sr.study.picked import picked_of
from mfagan.sr.training.recipe import Recipe
from mfagan.sr.training.stages import STAGES, read_recipe, recipe_of

RESEARCH = {"T91", "BSDS500-train", "BSDS500-test"}
BICUBIC_MARGIN_DB = {SUPERGENERATOR: 1.2, FREE: 0.8}
"""What full width must have over bicubic: the aim for the package's weights, and less for those of 33 pictures."""


@pytest.fixture(scope="module")
def photographs() -> list[Pair]:
    """Scikit-image's, which none of the networks has learned from."""
    return read_pairs(EMBEDDED, record=checkpoint.read(SUPERGENERATOR).record)


def test_sizes():
    for path in MODELS.values():
        assert path.stat().st_size <= 4_000_000
    assert DISCRIMINATOR.stat().st_size <= 8_000_000


@pytest.mark.parametrize(
    ("path", "recipe", "training", "terms"),
    [
        (SUPERGENERATOR, "benchmarks", RESEARCH, "BSDS500: non-commercial research"),
        (FREE, "free", {"Kodak24", "CC0-half"}, "CC0-1.0"),
    ],
)
def test_a_supergenerator_has_its_recipe_pictures_and_terms(
    path: Path, recipe: str, training: set[str], terms: str
):
    found = checkpoint.read(path, "mfanet", "supergenerator")
    assert replace(recipe_of(found), compile=found.record["compile"]) == read_recipe(recipe)
    assert found.record["steps"] == read_recipe(recipe).stages["supernet"].steps
    assert str(found.record["command"]).startswith(f"mfagan train {recipe} ")
    check_pictures(found.record, training, terms)


@pytest.mark.parametrize(
    ("path", "network", "stage"), [(PERCEPTUAL, "mfanet", "finetune"), (DISCRIMINATOR, "patchgan", "distill")]
)
def test_what_was_trained_for_looks_has_its_recipe_pictures_and_terms(path: Path, network: str, stage: str):
    found = checkpoint.read(path, network)
    assert found.record["stage"] == stage
    assert until(stage, recipe_of(found)) == until(stage, read_recipe("perceptual"))
    assert found.record["perceptual_loss"]
    check_pictures(found.record, RESEARCH, "BSDS500: non-commercial research")


def until(stage: str, recipe: Recipe) -> Recipe:
    """The recipe without the stages that come later, which its checkpoint does not depend on."""
    names = list(STAGES)[: list(STAGES).index(stage) + 1]
    return replace(recipe, stages={name: recipe.stages[name] for name in names})


def check_pictures(record: Mapping[str, object], training: set[str], terms: str) -> None:
    """A checkpoint names its sets and their terms, and learned from all that it names and from no test set."""
    assert terms in str(record["terms"])
    sets = record["sets"]
    assert isinstance(sets, Mapping)
    assert set(sets["training"]) == training
    assert set(sets["validation"]) == {"DIV2K-valid-256"}
    assert sum(one["n_images"] for one in sets["training"].values()) == len(record["training_images"])  # type: ignore[arg-type]


def test_the_perceptual_network_is_a_slice_of_the_supergenerator_at_the_papers_widths():
    found = checkpoint.read(PERCEPTUAL, "mfanet", "subgenerator")
    picked = picked_of(found, PERCEPTUAL)
    assert picked is not None
    assert picked.supernet_sha256 == checkpoint.sha256(SUPERGENERATOR)
    assert picked.as_widths() == Widths.parse(TABLE_1_PRUNED)
    assert found.config["widths"] == list(picked.as_widths())
    assert found.record["lpips_after"] < found.record["lpips_before"]  # type: ignore[operator]


def test_the_discriminator_is_kept_in_half_precision():
    with safe_open(DISCRIMINATOR, framework="pt") as file:
        assert {file.get_tensor(name).dtype for name in file.keys()} == {torch.float16}  # noqa: SIM118
    network = load_discriminator(DISCRIMINATOR, "discriminator")
    assert isinstance(network, PatchGAN)
    assert network.base == read_recipe("perceptual").student_discriminator


@pytest.mark.parametrize("path", [SUPERGENERATOR, FREE], ids=lambda path: path.stem)
def test_quality_on_photographs_never_trained_on(path: Path, photographs: list[Pair]):
    """Well above bicubic at full width, and wider is better from one uniform width to the next."""
    scores = [mean_psnr_db(load_generator(path, Widths.uniform(width)), photographs) for width in OPTIONS]
    bicubic = [
        psnr_db(shaved_luma(enlarge_bicubic(pair), pair.scale), shaved_luma(pair.hr, pair.scale))
        for pair in photographs
    ]
    assert scores[0] > sum(bicubic) / len(bicubic) + BICUBIC_MARGIN_DB[path]
    assert scores == sorted(scores, reverse=True)
