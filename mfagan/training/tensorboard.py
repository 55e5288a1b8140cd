"""What a training logs while it runs: TensorBoard scalars and pictures."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Self

from tensorboardX import SummaryWriter
from torch import Tensor

__all__ = ["TrainingLog"]


class TrainingLog(AbstractContextManager):
    """TensorBoard events in a folder; `tensorboard --logdir FOLDER` shows them."""

    def __init__(self, folder: str | Path, start: int = 0) -> None:
        """Open the log.

        Args:
            folder: where its files are.
            start: the step that a resumed training goes on from; what was written for later steps is hidden.
        """
        self._writer = SummaryWriter(str(folder), purge_step=start)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()

    def scalars(self, step: int, figures: Mapping[str, float]) -> None:
        """Log figures.

        Args:
            step: the number of steps made.
            figures: by name.
        """
        for name, value in figures.items():
            self._writer.add_scalar(name, value, step)

    def picture(self, step: int, name: str, image: Tensor) -> None:
        """Log a picture.

        Args:
            step: the number of steps made.
            name: the picture's.
            image: (3, H, W), RGB in [0, 1].
        """
        self._writer.add_image(name, image.clamp(0, 1).cpu().numpy(), step)
