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


@pytest.mark.parametrize("name", ["paper", "demo"])
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
    with pytest.raises(InputError, match="shipped recipes: demo, paper"):
        read_recipe("fast")
