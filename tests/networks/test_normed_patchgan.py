"""The PatchGAN of pix2pix and CycleGAN."""

import pytest
import torch

from mfagan.errors import InputError
from mfagan.networks.normed_patchgan import NormedPatchGAN
from tests.graph.image_translation import patchgan


@pytest.mark.parametrize(
    ("channels", "norm", "params"), [(3, "instance", 2_764_737), (6, "batch", 2_768_705)], ids=str
)
def test_published_sizes(channels: int, norm: str, params: int):
    with torch.device("meta"):
        network = NormedPatchGAN(channels, norm=norm)  # pyright: ignore[reportArgumentType]
        logits = network(torch.zeros(1, channels, 256, 256))
    assert sum(one.numel() for one in network.parameters()) == params
    assert logits.shape == (1, 1, 30, 30)


@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_it_computes_what_the_public_code_computes(norm: str):
    ours, theirs = NormedPatchGAN(6, 4, norm=norm), patchgan(6, norm, 4)  # pyright: ignore[reportArgumentType]
    layers = [one for one in theirs if isinstance(one, torch.nn.Conv2d)]
    for mine, other in zip(ours.convs, layers, strict=True):
        other.load_state_dict(mine.state_dict())
    for one in ours.norms:
        if isinstance(one, torch.nn.BatchNorm2d):
            torch.nn.init.ones_(one.weight)
    x = torch.rand(2, 6, 64, 64)
    torch.testing.assert_close(ours(x), theirs(x))


def test_arguments():
    network = NormedPatchGAN(6, 16, 2)
    assert NormedPatchGAN(**network.config()).convs[0].weight.shape == (16, 6, 4, 4)  # pyright: ignore[reportArgumentType]
    with pytest.raises(InputError, match="base is 0"):
        NormedPatchGAN(base=0)
    with pytest.raises(InputError, match="norm is 'layer'"):
        NormedPatchGAN(norm="layer")  # pyright: ignore[reportArgumentType]
