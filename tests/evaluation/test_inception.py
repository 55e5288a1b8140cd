"""FID and KID, with Inception at random weights: the published ones are not here."""

import shutil
from pathlib import Path

import pytest
import torch

from mfagan.checkpoint import sha256
from mfagan.errors import InputError
from mfagan.evaluation import inception
from mfagan.evaluation.inception import InceptionFeatures, find_inception, frechet_distance, kernel_distance
from tests.inception_file import write_inception


def normal(mean: float, deviation: float, n: int = 1000) -> torch.Tensor:
    """Numbers whose mean and variance are exactly those asked for."""
    x = torch.randn(n, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return (x - x.mean()) / x.std() * deviation + mean


def test_the_frechet_distance_of_two_normal_distributions_is_the_known_one():
    assert frechet_distance(normal(0, 1), normal(3, 2)) == pytest.approx(
        10
    )  # N(0, 1), N(3, 4): 9 + (2 - 1)^2
    assert frechet_distance(normal(0, 1), normal(0, 1)) == pytest.approx(0, abs=1e-9)


def test_few_features_span_a_smaller_space_and_have_the_same_distance():
    generator = torch.Generator().manual_seed(0)
    one, other = (torch.randn(n, 40, generator=generator) + shift for n, shift in ((9, 0), (12, 1)))
    a, b = (torch.cov(x.double().T) for x in (one, other))
    root = torch.linalg.eigvals(a @ b).real.clamp(min=0).sqrt().sum()
    shift = (one.double().mean(0) - other.double().mean(0)).square().sum()
    assert frechet_distance(one, other) == pytest.approx(
        (shift + a.trace() + b.trace() - 2 * root).item(), rel=1e-5
    )


def test_the_kernel_distance_is_near_0_for_one_distribution_and_positive_for_two():
    x = torch.randn(3, 400, 8, generator=torch.Generator().manual_seed(0))
    assert abs(kernel_distance(x[0], x[1])) < 0.05
    assert kernel_distance(x[0], x[2] + 1) > 1
    assert kernel_distance(x[0], x[1]) == kernel_distance(x[0], x[1])


@pytest.mark.parametrize("distance", [frechet_distance, kernel_distance])
def test_one_picture_has_no_distribution(distance):
    with pytest.raises(InputError, match="1 pictures: give at least 2"):
        distance(torch.zeros(1, 4), torch.zeros(3, 4))


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_inception(tmp_path_factory.mktemp("inception") / "random.pth")


def test_random_weights_of_a_local_file_are_read_and_said_not_to_be_fid(
    weights: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(torch.hub, "download_url_to_file", None)  # nothing may be fetched
    drawn = torch.get_rng_state()
    features = InceptionFeatures(weights, torch.device("cpu"))
    assert torch.equal(torch.get_rng_state(), drawn)
    assert not features.is_published
    assert "random.pth" in features.name
    assert "not FID and not KID" in features.name
    pictures = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    found = features([pictures[:1], pictures[1:]])
    assert found.shape == (2, 2048)
    assert found.std() > 1e-3
    assert (found[0] != found[1]).any()


def test_the_published_file_is_known_by_its_hash(weights: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(inception, "_SHA256", sha256(weights)[:8])
    features = InceptionFeatures(weights, torch.device("cpu"))
    assert features.is_published
    assert "published weights" in features.name


def test_the_file_is_found_in_torch_hubs_folder(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    assert find_inception() is None
    place = tmp_path / "hub" / "checkpoints" / inception.FILES[1]
    place.parent.mkdir(parents=True)
    shutil.copy(weights, place)
    assert find_inception() == place
    assert find_inception(weights) == weights
    with pytest.raises(InputError, match=r"absent.pth: no such file; give the path of pt_inception-2015"):
        find_inception(tmp_path / "absent.pth")


def test_another_state_dict_is_refused(tmp_path: Path):
    torch.save({"features.weight": torch.zeros(2)}, tmp_path / "other.pth")
    with pytest.raises(InputError, match=r"other\.pth: not Inception's"):
        InceptionFeatures(tmp_path / "other.pth", torch.device("cpu"))
    (tmp_path / "text.pth").write_text("none")
    with pytest.raises(InputError, match=r"text\.pth: not a PyTorch state dict"):
        InceptionFeatures(tmp_path / "text.pth", torch.device("cpu"))
