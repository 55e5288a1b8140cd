"""Small pictures of random pixels as files, and what they are as tensors."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from mfagan.data.images import from_uint8


def draw(path: Path, width: int = 24, height: int = 20, seed: int = 0) -> np.ndarray:
    """Writes random pixels to `path` and returns them, (height, width, 3) uint8."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return pixels


def tensor(pixels: np.ndarray) -> torch.Tensor:
    return from_uint8(torch.from_numpy(pixels).permute(2, 0, 1))
