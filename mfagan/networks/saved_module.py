"""Generators that checkpoints describe, and how they are rebuilt from one."""

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from torch import nn

from mfagan.checkpoint import Checkpoint, load_weights
from mfagan.errors import InputError

__all__ = ["SavedModule"]


class SavedModule(nn.Module):
    """A network that knows the arguments which rebuild it."""

    KIND: ClassVar[str]
    """The network's name in checkpoints."""

    @abstractmethod
    def config(self) -> dict[str, object]:
        """The arguments that rebuild it, as plain data."""

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """An untrained network from the arguments that `config()` gives.

        Args:
            config: Arguments of the constructor; absent ones have their defaults.

        Raises:
            InputError: Arguments are missing, unknown or have values that the network does not take.
        """
        try:
            return cls(**config)
        except (TypeError, AttributeError) as error:
            raise InputError(f"{cls.KIND} cannot be built from {dict(config)!r:.120}: {error}") from None

    @classmethod
    def from_checkpoint(cls, checkpoint: Checkpoint, path: str | Path) -> Self:
        """The network of a checkpoint, in evaluation mode.

        Args:
            checkpoint: What the file holds.
            path: Its path, for errors.

        Raises:
            InputError: The checkpoint describes another network, or its weights do not fit.
        """
        if checkpoint.network != cls.KIND:
            raise InputError(
                f"checkpoint {path}: its network is {checkpoint.network!r}, {cls.KIND!r} is needed here"
            )
        try:
            network = cls.from_config(checkpoint.config)
        except InputError as error:
            raise InputError(f"checkpoint {path}: {error}") from None
        return load_weights(network, checkpoint, path).eval()
