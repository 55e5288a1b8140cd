"""Networks of the many architectures that spandrel (extra `peers`) tells apart by their weights."""

import inspect
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import torch
from torch import Tensor, nn

from mfagan.errors import InputError, UnknownWeightsError
from mfagan.pretrained import import_torchvision
from mfagan.sr.network.layers import N_COLOURS, SCALES

if TYPE_CHECKING:
    from spandrel import ImageModelDescriptor

__all__ = ["SpandrelNetwork", "load_with_spandrel"]


class SpandrelNetwork(nn.Module):
    """A super-resolution network of another author's code, called as spandrel calls it.

    Images are padded to the size that the network needs and the output is cut and clamped to [0, 1]. It has the
    attributes of our generators: `KIND`, `scale`, `residual` and `config()`.

    Args:
        descriptor: What spandrel loaded.
    """

    residual = None

    def __init__(self, descriptor: "ImageModelDescriptor[nn.Module]") -> None:
        super().__init__()
        self._descriptor = descriptor
        self.model = descriptor.model
        self.scale = descriptor.scale
        self.KIND = f"spandrel:{descriptor.architecture.id}"

    def config(self) -> dict[str, object]:
        """What spandrel says of it, as plain data."""
        return {"scale": self.scale, "tags": list(self._descriptor.tags)}

    def forward(self, x: Tensor) -> Tensor:
        """Enlarge images.

        Args:
            x: LR images (N, 3, H, W) in [0, 1].

        Returns:
            HR images (N, 3, scale H, scale W) in [0, 1].

        Raises:
            InputError: The network cannot be run on this input, or here.
        """
        try:
            # Without spandrel's inference mode, in which PyTorch takes operators apart that an export needs whole.
            call = inspect.unwrap(type(self._descriptor).__call__)
            with torch.no_grad():
                return call(self._descriptor, x.contiguous())
        except InputError:  # of a tracer that watches
            raise
        except Exception as error:  # the code of many authors fails in many ways
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            size = "x".join(map(str, x.shape))
            raise InputError(f"{self.KIND} cannot be run on {size} on {x.device} ({reason:.160})") from error

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Move or cast the weights, but keep PyTorch's default memory layout: much code relies on it.

        Args:
            *args: As `torch.nn.Module.to`.
            **kwargs: As `torch.nn.Module.to`; `memory_format` is ignored.
        """
        kwargs.pop("memory_format", None)
        return super().to(*args, **kwargs) if args or kwargs else self


def load_with_spandrel(state: Mapping[str, Tensor], path: str | Path) -> SpandrelNetwork:
    """Rebuild the network that weights belong to, in evaluation mode on the CPU.

    Args:
        state: Name -> weight.
        path: The file they are from, for errors.

    Returns:
        The network.

    Raises:
        InputError: spandrel is not installed, knows no such network or cannot rebuild it, or the network does not
            enlarge RGB images by 2, 3 or 4.
    """
    try:
        import_torchvision()  # spandrel imports it
        from spandrel import ImageModelDescriptor, ModelLoader, UnsupportedModelError
    except Exception as error:  # a broken installation fails in many ways
        cause = " ".join(f"{type(error).__name__}: {error}".split())
        raise UnknownWeightsError(
            f"weights {path}: not of a network known here, and spandrel, which knows more, cannot be imported "
            f"({cause:.100}); install it with: pip install 'mfagan[peers]'"
        ) from None
    try:
        with torch.random.fork_rng(
            devices=()
        ):  # networks are drawn at random before the weights are copied in
            found = ModelLoader().load_from_state_dict(dict(state))
    except UnsupportedModelError:
        raise UnknownWeightsError(
            f"weights {path}: spandrel {version('spandrel')} knows no network with such weights ({len(state)}, the "
            f"first is {next(iter(state))})"
        ) from None
    except Exception as error:  # each architecture reads its sizes from the weights in a way of its own
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise InputError(f"weights {path}: spandrel cannot rebuild the network ({reason:.200})") from None
    about = f"weights {path}: {found.architecture.name}"
    if not isinstance(found, ImageModelDescriptor) or found.purpose != "SR":
        raise InputError(f"{about} is made for {found.purpose}; give a network for super-resolution (SR)")
    if (found.input_channels, found.output_channels) != (N_COLOURS, N_COLOURS):
        raise InputError(
            f"{about} has {found.input_channels} colours in and {found.output_channels} out; give one for RGB"
        )
    if found.scale not in SCALES:
        raise InputError(f"{about} enlarges by {found.scale}; give one that enlarges by 2, 3 or 4")
    return SpandrelNetwork(found).eval()
