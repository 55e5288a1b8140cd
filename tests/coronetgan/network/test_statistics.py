"""Running statistics of slices."""

import torch

from mfagan.coronetgan.network import UnetTranslator
from mfagan.coronetgan.network.norm import ImageBatchNorm
from mfagan.coronetgan.network.statistics import take_statistics


def test_statistics_are_those_that_training_would_leave():
    network = UnetTranslator.full(4, 3).eval()
    pictures = torch.rand(4, 3, 16, 16) * 2 - 1
    seen = network.advance((pictures,), 0)
    with torch.no_grad():
        after = network.convs["down2"](torch.nn.functional.leaky_relu(seen[0], 0.2))
    take_statistics(network, pictures)
    norm = network.norms["down2"]
    assert isinstance(norm, ImageBatchNorm)
    assert norm.running_mean is not None
    assert not norm.training
    torch.testing.assert_close(norm.running_mean, after.mean((0, 2, 3)))
    torch.testing.assert_close(norm.running_var, after.transpose(0, 1).flatten(1).var(1))
    assert norm.momentum == 0.1


def test_norms_of_the_picture_have_no_statistics_to_take():
    network = UnetTranslator.full(4, 3, norm_at_inference="image").eval()
    before = {name: one.clone() for name, one in network.state_dict().items()}
    take_statistics(network, torch.rand(2, 3, 16, 16))
    assert all(torch.equal(one, before[name]) for name, one in network.state_dict().items())
