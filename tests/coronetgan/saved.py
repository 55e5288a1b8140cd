"""Checkpoints of small translators."""

from pathlib import Path

import torch

from mfagan import checkpoint
from mfagan.checkpoint import Checkpoint
from mfagan.coronetgan.network import ResnetTranslator, Translator, UnetTranslator
from mfagan.coronetgan.network.hyper.translator import HyperTranslator

__all__ = ["small_resnet", "small_unet", "write"]


def small_resnet(seed: int = 0, **options: object) -> ResnetTranslator:
    """8 channels, 2 blocks, with weights large enough that its pictures are no plain grey."""
    return _seeded(lambda: ResnetTranslator.full(8, 2, **options), seed)


def small_unet(seed: int = 0, **options: object) -> UnetTranslator:
    """4 channels, 4 levels: it takes multiples of 16 px."""
    return _seeded(lambda: UnetTranslator.full(4, 4, **options), seed)


def _seeded(make, seed: int):
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        network = make()
        for one in network.parameters():
            torch.nn.init.normal_(one, 1.0 if one.dim() == 1 else 0.0, 0.2)
    return network.eval()


def write(
    path: Path,
    network: Translator | HyperTranslator,
    role: str = "dense",
    record: dict[str, object] | None = None,
) -> Path:
    """The file of a network."""
    about = Checkpoint(
        network.KIND, role, network.config(), network.state_dict(), record or {"stage": "made up"}
    )
    checkpoint.save(path, about)
    return path
