from dataclasses import replace

import pytest

from mfagan.errors import InputError
from mfagan.sr.training.recipe import LossWeights, Recipe, Sampling
from mfagan.sr.training.stages import STAGES, read_recipe
from mfagan.training.recipe import as_record, parse_recipe
from tests import tiny


def test_paper_recipe_has_the_papers_settings():
    recipe = read_recipe("paper")
    stages = recipe.stages
    assert (recipe.teacher_width, recipe.student_width) == (64, 48)
    assert (recipe.teacher_discriminator, recipe.student_discriminator) == (48, 32)
    assert (recipe.batch, recipe.scale, recipe.betas, recipe.residual) == (16, 4, (0.5, 0.999), "none")
    assert (stages["teacher"].learning_rate, stages["teacher"].steps) == (2e-4, 500_000)
    assert stages["teacher"].weights == LossWeights(recon=1)
    assert stages["teacher_gan"].weights == LossWeights(recon=1, percep=1, adv=10)
    assert stages["teacher_gan"].halve_at == (5_000, 10_000)
    assert stages["distill"].weights == LossWeights(recon=1, percep=1, adv=10, distill_g=0.05, distill_d=0.05)
    assert stages["supernet"].halve_at == (200_000, 400_000, 600_000)
    assert stages["supernet"].weights == LossWeights(recon=1, percep=1)
    assert stages["supernet"].sampling == Sampling(rule="random", n_random=1, full_first=0, in_place=0)
    assert stages["finetune"].steps == 10_000
    assert all(stages[s].learning_rate == 1e-4 for s in ("teacher_gan", "distill", "supernet", "finetune"))


def test_demo_weighs_the_adversarial_term_as_the_field_does():
    stages = read_recipe("demo").stages
    assert {stages[s].weights.adv for s in ("teacher_gan", "distill", "finetune")} == {0.005}


@pytest.mark.parametrize("name", ["paper", "demo", "perceptual"])
def test_records_read_back(name: str):
    recipe = read_recipe(name)
    assert parse_recipe(Recipe, as_record(recipe), "record", STAGES) == recipe


def test_a_file_of_the_users(tmp_path):
    assert read_recipe(tiny.write_recipe(tmp_path)).name == "tiny"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("batch = 1", "batch = 0", "batch: .*greater than or equal to 1"),
        ("batch = 1", "bach = 1", "bach: "),
        ("steps = 8", 'steps = "many"', "stages.supernet.steps"),
        ("adv = 0.005 }", "adv = -1 }", "adv"),
        ("batch = 1", "batch = = 1", "not TOML"),
        (
            "batch = 1",
            "batch = 1\nperceptual_layers = { conv5_5 = 1 }",
            "perceptual_layers.conv5_5: vgg19 has no such layer; choose from conv1_1, .*, conv5_4",
        ),
        (
            "batch = 1",
            'batch = 1\nperceptual_backbone = "vgg16"\nperceptual_layers = { conv5_4 = 1 }',
            "perceptual_layers.conv5_4: vgg16 has no such layer; choose from conv1_1, .*, conv5_3",
        ),
        (
            "batch = 1",
            "batch = 1\nperceptual_layers = { conv5_4 = 0 }",
            "perceptual_layers.conv5_4: .*than 0",
        ),
        ("batch = 1", 'batch = 1\nperceptual_backbone = "vgg11"', "perceptual_backbone"),
        ("validate_every = 2", 'criterion = "lpips_within"', "max_psnr_loss_db need each other"),
        ("validate_every = 2", "max_psnr_loss_db = 1", "max_psnr_loss_db need each other"),
        ("validate_every = 2", 'criterion = "ssim"', "stages.finetune.criterion"),
        (
            "steps = 8",
            'steps = 8\ncriterion = "lpips"',
            "stages.supernet.criterion is lpips: only the stage fine",
        ),
    ],
)
def test_mistakes_are_named(tmp_path, old: str, new: str, message: str):
    path = tmp_path / "mine.toml"
    path.write_text(tiny.write_recipe(tmp_path).read_text().replace(old, new))
    with pytest.raises(InputError, match=message) as caught:
        read_recipe(path)
    assert "mine.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_recipe_lists_the_shipped_ones():
    with pytest.raises(InputError, match="shipped recipes: benchmarks, demo, free, paper"):
        read_recipe("fast")


def test_the_perceptual_layers_are_the_papers_unless_a_recipe_chooses_others():
    paper = read_recipe("paper")
    assert (paper.perceptual_backbone, paper.read_layers()) == ("vgg19", {"conv5_4": 1.0})
    assert paper.describe_features() == "VGG19 conv5_4, before the activation"
    other = replace(paper, perceptual_backbone="vgg16")
    assert other.read_layers() == {"conv5_3": 1.0}
    assert other.describe_features() == (
        "VGG16 conv5_3, before the activation; stands in for the paper's VGG19 conv5_4"
    )
    several = replace(paper, perceptual_layers={"conv1_2": 0.1, "conv3_4": 1.0})
    assert several.describe_features().startswith(
        "VGG19 0.1 conv1_2 + conv3_4, before the activation; stands in"
    )
    assert parse_recipe(Recipe, as_record(several), "record", STAGES) == several


def test_perceptual_recipe_chooses_by_lpips_and_reads_conv3_3_of_vgg16():
    recipe = read_recipe("perceptual")
    assert recipe.stages["finetune"].criterion == "lpips_within"
    assert recipe.perceptual == "required"
    assert recipe.describe_features() == (
        "VGG16 conv3_3, before the activation; stands in for the paper's VGG19 conv5_4"
    )
