"""What a training writes down while it runs: TensorBoard scalars and pictures."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Self

from tensorboardX import SummaryWriter
from torch import Tensor


class TrainingLog(AbstractContextManager):
    """TensorBoard events in a folder; `tensorboard --logdir FOLDER` shows them.

    A resumed training goes on from `start`: what an interrupted one wrote for later steps is hidden.
    """

    def __init__(self, folder: str | Path, start: int = 0) -> None:
        self._writer = SummaryWriter(str(folder), purge_step=start)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()

    def scalars(self, step: int, figures: Mapping[str, float]) -> None:
        """Figures by name after `step` steps."""
        for name, value in figures.items():
            self._writer.add_scalar(name, value, step)

    def picture(self, step: int, name: str, image: Tensor) -> None:
        """A picture (3, H, W), RGB in [0, 1], after `step` steps."""
        self._writer.add_image(name, image.clamp(0, 1).cpu().numpy(), step)
