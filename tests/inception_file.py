"""A file as Inception's published one, with random weights."""

from pathlib import Path

import torch

from mfagan.pretrained import import_torchvision

__all__ = ["write_inception"]


def write_inception(path: Path) -> Path:
    """The names and shapes of the published file are those of torchvision's network with 1,008 classes."""
    torchvision = import_torchvision()
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        network = torchvision.models.inception_v3(num_classes=1008, aux_logits=False, init_weights=False)
        for module in network.modules():
            if isinstance(module, torch.nn.Conv2d):
                torch.nn.init.kaiming_normal_(module.weight, mode="fan_in")
    torch.save(network.state_dict(), path)
    return path
