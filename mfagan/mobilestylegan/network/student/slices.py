"""A weight-shared student: narrower students are the front channels of its layers.

The first 4n channels of a feature map are n whole groups of the wavelet transform, so they are a network of their
own: demodulation sums over the channels that are there, and heads keep the full width's scale.
"""

from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor
from torch.func import functional_call

from mfagan.errors import InputError
from mfagan.mobilestylegan.network.layers.noise import Noise
from mfagan.mobilestylegan.network.student.student import EveryHead, Student

__all__ = ["extract", "forward_slice", "forward_slice_heads", "slice_weights"]


def slice_weights(student: Student, channels: Sequence[int]) -> dict[str, Tensor]:
    """The weights of a slice, which share the student's memory and give it their gradients.

    Args:
        student: The full network.
        channels: The slice's at each resolution, multiples of 4, at most the student's.

    Returns:
        Name -> weight.

    Raises:
        InputError: Channels that are no slice of the student's.
    """
    shapes = _shapes(student, tuple(channels))
    return {
        name: weight[tuple(slice(n) for n in shapes[name])]
        for name, weight in (*student.named_parameters(), *student.named_buffers())
        if name in shapes
    }


def _shapes(student: Student, channels: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    return _shapes_of(tuple(sorted((k, _frozen(v)) for k, v in _slice_config(student, channels).items())))


@lru_cache(maxsize=256)  # a training step asks for three slices, whose networks would be built each time
def _shapes_of(config: tuple[tuple[str, object], ...]) -> dict[str, tuple[int, ...]]:
    with torch.device("meta"):
        small = Student(**dict(config))  # pyright: ignore[reportArgumentType]
    return {name: tuple(weight.shape) for name, weight in small.state_dict().items()}


def _slice_config(student: Student, channels: Sequence[int]) -> dict[str, object]:
    if len(channels) != len(student.channels) or any(
        small > large for small, large in zip(channels, student.channels, strict=True)
    ):
        raise InputError(
            f"student: channels {', '.join(map(str, channels))} are no slice of "
            f"{', '.join(map(str, student.channels))}; give one number for each resolution, none larger"
        )
    return student.config() | {"channels": list(channels)}


def _frozen(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def forward_slice(student: Student, channels: Sequence[int], w: Tensor, noise: Noise = "const") -> Tensor:
    """Make images by a slice of a student, on the shared weights.

    Args:
        student: The full network.
        channels: As in `slice_weights`.
        w: As in `Student.forward`.
        noise: As in `Student.forward`.

    Returns:
        (N, 3, size, size), not clamped.

    Raises:
        InputError: As `slice_weights` and `Student.forward`.
    """
    return functional_call(student, slice_weights(student, channels), (w, noise))


def forward_slice_heads(
    student: Student, channels: Sequence[int], w: Tensor, noise: Noise = "const"
) -> tuple[Tensor, ...]:
    """Predict the wavelet transforms of all heads by a slice of a student, on the shared weights.

    Args:
        student: The full network, with all heads.
        channels: As in `slice_weights`.
        w: As in `Student.forward`.
        noise: As in `Student.forward`.

    Returns:
        As `Student.forward_heads`.

    Raises:
        InputError: As `slice_weights` and `Student.forward_heads`.
    """
    weights = {f"student.{name}": one for name, one in slice_weights(student, channels).items()}
    return functional_call(EveryHead(student), weights, (w, noise))


def extract(student: Student, channels: Sequence[int]) -> Student:
    """A slice as a network with its own copy of the weights; its output equals the slice's.

    Args:
        student: The full network.
        channels: As in `slice_weights`.

    Raises:
        InputError: As `slice_weights`.
    """
    small = Student(**_slice_config(student, channels))  # pyright: ignore[reportArgumentType]
    small.load_state_dict({name: one.detach() for name, one in slice_weights(student, channels).items()})
    return small.to(student.constant).train(student.training)
