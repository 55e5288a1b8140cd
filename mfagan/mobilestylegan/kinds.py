"""The generators of this system by the names that checkpoints have for them."""

from collections.abc import Mapping
from pathlib import Path

import torch

from mfagan import checkpoint
from mfagan.checkpoint import Checkpoint
from mfagan.devices import choose_device
from mfagan.errors import InputError
from mfagan.mobilestylegan.network.costs import count_costs
from mfagan.mobilestylegan.network.generator import Generator, MobileStyleGAN, StyleGAN2
from mfagan.mobilestylegan.network.student.widths import read_channels
from mfagan.mobilestylegan.sampling.image_generator import ImageGenerator

__all__ = [
    "KINDS",
    "WEIGHT_SHARED",
    "describe",
    "load_generator",
    "open_file",
    "open_model",
    "rebuild",
    "refuse_enlarging",
]

KINDS: Mapping[str, type[Generator]] = {one.KIND: one for one in (StyleGAN2, MobileStyleGAN)}
"""Name -> class."""
WEIGHT_SHARED = "supernet"
"""The role of a student whose slices were trained."""
_COUNTERPARTS = {
    "benchmark": "evaluate FILE --teacher TEACHER",
    "costs": "evaluate FILE --teacher TEACHER",
    "evaluate": "evaluate FILE --teacher TEACHER",
    "export": "export FILE --out FILE.tflite",
    "upscale": "sample FILE --out sheet.png",
}
"""Command that takes networks which enlarge pictures -> what this system has in its place."""


def load_generator(path: str | Path) -> Generator:
    """The generator of a checkpoint, in evaluation mode on the CPU.

    Args:
        path: The checkpoint's file.

    Raises:
        InputError: As `checkpoint.read`; not a generator of images, or its weights do not fit.
    """
    return rebuild(checkpoint.read(path), path)


def rebuild(found: Checkpoint, path: str | Path, widths: str | None = None) -> Generator:
    """The generator of a checkpoint that is read already, in evaluation mode on the CPU.

    Args:
        found: What the file holds.
        path: Its path, for errors.
        widths: The slice of a weight-shared student, such as "64,48,64"; None for the whole network.

    Raises:
        InputError: As `load_generator`; widths of a network without trained slices, or that are no slice of it.
    """
    network = _class_of(found, path).from_checkpoint(found, path)
    if widths is None:
        return network
    if not isinstance(network, MobileStyleGAN) or found.role != WEIGHT_SHARED:
        raise InputError(f"checkpoint {path}: a {found.role} has no trained slices; leave the widths out")
    return network.extract(read_channels(widths))


def open_file(path: str | Path, device: str = "auto") -> ImageGenerator:
    """The generator of a checkpoint, to be called on seeds, latents or styles.

    Args:
        path: The checkpoint's file.
        device: Where it computes: auto, cpu, cuda, cuda:1, ...

    Raises:
        InputError: As `load_generator`; another author's file, which is to be imported; a device that cannot be used.
    """
    if checkpoint.is_foreign(path):
        raise InputError(
            f"{path}: no checkpoint by mfagan; convert it first: `mfagan mobilestylegan import {path} --out "
            f"{Path(path).stem}.safetensors`"
        )
    return open_model(checkpoint.read(path), path, None, choose_device(device))


def open_model(
    found: Checkpoint, path: str | Path, widths: str | None, device: torch.device
) -> ImageGenerator:
    """The generator of a checkpoint, to be called on seeds, latents or styles.

    Args:
        found: What the file holds.
        path: Its path.
        widths: As for `rebuild`.
        device: Where it computes.

    Raises:
        InputError: As `rebuild`.
    """
    return ImageGenerator(rebuild(found, path, widths), device=device, path=Path(path))


def describe(found: Checkpoint, path: str | Path) -> dict[str, object]:
    """What a checkpoint's generator is: its size, the length of its styles, its widths and what it costs.

    Args:
        found: What the file holds.
        path: Its path, for errors.

    Returns:
        Plain data.

    Raises:
        InputError: As `load_generator`.
    """
    kind = _class_of(found, path)
    try:
        with torch.device("meta"):
            generator = kind.from_config(found.config)
    except InputError as error:
        raise InputError(f"checkpoint {path}: {error}") from None
    mapping, synthesis = (dict(part) for part in generator.config().values() if isinstance(part, Mapping))
    costs = count_costs(generator)
    return {
        "params": costs.params_training + costs.params_mapping,
        "size": generator.size,
        "style_dim": generator.style_dim,
        "w_plus_rows": generator.n_rows,
        "mapping_layers": mapping["n_layers"],
        **{name: value for name, value in synthesis.items() if name != "style_dim"},
        **costs.as_dict(),
    }


def refuse_enlarging(kind: str, path: str | Path, command: str) -> InputError:
    """The error for a generator where a network is needed that enlarges pictures.

    Args:
        kind: The generator's name in checkpoints.
        path: Its file.
        command: What was asked of it, such as "upscale".
    """
    instead = _COUNTERPARTS[command].replace("FILE.", f"{Path(path).stem}.").replace("FILE", str(path))
    return InputError(
        f"checkpoint {path}: {kind} makes pictures from random numbers and enlarges none; use `mfagan mobilestylegan "
        f"{instead}`"
    )


def _class_of(found: Checkpoint, path: str | Path) -> type[Generator]:
    if found.network not in KINDS:
        raise InputError(
            f"checkpoint {path}: its network is {found.network!r}, a generator of images from latents is needed here "
            f"({', '.join(KINDS)})"
        )
    return KINDS[found.network]
