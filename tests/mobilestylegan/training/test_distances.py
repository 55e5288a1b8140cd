import math
from pathlib import Path

import pytest
import torch
from torch import nn

from mfagan.errors import InputError
from mfagan.evaluation.psnr_ssim import signed_psnr_db
from mfagan.mobilestylegan.training.distances import FeatureDistance, difference, resize_target

RAMP = torch.arange(64.0).view(1, 1, 8, 8)


def test_bilinear_reads_the_corners_and_area_all_pixels():
    assert resize_target(RAMP, 2, "bilinear").flatten().tolist() == [0, 7, 56, 63]
    assert resize_target(RAMP, 2, "area").flatten().tolist() == [13.5, 17.5, 45.5, 49.5]


def test_the_last_head_learns_the_image_itself():
    assert resize_target(RAMP, 8, "bilinear") is RAMP


def test_difference_is_the_mean_absolute_and_the_mean_squared_one():
    assert difference(torch.tensor([0.0, 3.0]), torch.tensor([1.0, 1.0])) == 1.5 + 2.5
    assert difference(torch.zeros(2, dtype=torch.bfloat16), torch.ones(2)).dtype == torch.float32


def test_psnr_has_the_peak_2_and_counts_what_is_shown():
    assert signed_psnr_db(torch.zeros(1, 3, 2, 2), torch.full((1, 3, 2, 2), 0.2)).item() == pytest.approx(20)
    assert signed_psnr_db(torch.full((1, 3, 2, 2), 1.5), torch.ones(1, 3, 2, 2)).item() > 100


class TwoMaps(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[torch.Tensor] = []
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        self.seen.append(x)
        return self.scale * x, 2 * x[:, :1]


def test_features_are_compared_after_their_activations_at_256_px():
    features = TwoMaps()
    distance = FeatureDistance(features)
    made = torch.full((1, 3, 16, 16), -0.5, requires_grad=True)
    wanted = torch.full((1, 3, 16, 16), 0.25)
    assert distance(made, wanted).item() == pytest.approx(0.25 + 0.5)  # what is negative is cut off
    assert [tuple(one.shape) for one in features.seen] == [(1, 3, 256, 256)] * 2
    assert features.seen[1].max() == 0.25  # without ImageNet's normalisation
    distance(made + 1, wanted).backward()
    assert made.grad is not None
    assert features.scale.grad is None


@pytest.mark.slow  # VGG16 at 256 px
def test_published_features(published_data: Path):
    path = published_data / "weights" / "vgg16-features-fp16.safetensors"
    if not path.is_file():
        pytest.skip(f"{path} is not here")
    distance = FeatureDistance.from_weights(path)
    one, other = torch.rand(2, 1, 3, 32, 32).mul(2).sub(1)
    assert distance(one, one) == 0
    found = distance(one, other).item()
    assert math.isfinite(found)
    assert found > 0


def test_other_files_are_refused(tmp_path: Path):
    (tmp_path / "vgg.pth").write_bytes(b"no weights")
    with pytest.raises(InputError, match=r"vgg\.pth: its SHA-256 is .*, .* is expected"):
        FeatureDistance.from_weights(tmp_path / "vgg.pth")
