"""The networks of this system by the names that checkpoints have for them."""

from collections.abc import Mapping
from pathlib import Path

import torch

from mfagan import checkpoint
from mfagan.checkpoint import Checkpoint
from mfagan.coronetgan.network import TRANSLATORS
from mfagan.coronetgan.network.costs import count_costs
from mfagan.coronetgan.network.hyper.translator import HyperTranslator
from mfagan.coronetgan.network.slices import extract, read_widths, tied_latents
from mfagan.coronetgan.network.translator import Translator
from mfagan.coronetgan.translating.image_translator import ImageTranslator
from mfagan.data.translation.folders import Direction
from mfagan.devices import choose_device
from mfagan.errors import InputError
from mfagan.graph.costs import CONVENTIONS

__all__ = [
    "KINDS",
    "WEIGHT_SHARED",
    "describe",
    "direction_of",
    "load_translator",
    "open_file",
    "open_model",
    "read_file",
    "rebuild",
    "refuse_enlarging",
    "training_side",
]

KINDS: Mapping[str, type[Translator] | type[HyperTranslator]] = {
    **TRANSLATORS,
    HyperTranslator.KIND: HyperTranslator,
}
"""Name -> class."""
WEIGHT_SHARED = "supernet"
"""The role of a translator whose slices were trained; CycleGAN's two end in _a and _b."""
_SIDE_PX = 256
"""Of the picture that costs are of, where the record does not say."""
_COUNTERPARTS = {
    "benchmark": "export FILE --out FILE.tflite",
    "costs": "evaluate FILE --data DIR",
    "evaluate": "evaluate FILE --data DIR",
    "export": "export FILE --out FILE.tflite",
    "upscale": "translate FILE IMAGES --out DIR",
}
"""Command that takes networks which enlarge pictures -> what this system has in its place."""


def load_translator(path: str | Path, widths: str | None = None) -> Translator:
    """The translator of a checkpoint, in evaluation mode on the CPU.

    Args:
        path: The checkpoint's file.
        widths: As for `rebuild`.

    Raises:
        InputError: As `read_file` and `rebuild`.
    """
    return rebuild(read_file(path), path, widths)


def read_file(path: str | Path) -> Checkpoint:
    """Read a checkpoint of this system.

    Args:
        path: The file.

    Raises:
        InputError: As `checkpoint.read`; another author's file, which is to be imported; another system's network.
    """
    if checkpoint.is_foreign(path):
        raise InputError(
            f"{path}: no checkpoint by mfagan; convert it first: `mfagan coronetgan import {path} --out "
            f"{Path(path).stem}.safetensors`"
        )
    found = checkpoint.read(path)
    _class_of(found, path)
    return found


def rebuild(found: Checkpoint, path: str | Path, widths: str | None = None) -> Translator:
    """The translator of a checkpoint that is read already, in evaluation mode on the CPU.

    Args:
        found: What the file holds; of a search it is the network that its masks leave.
        path: Its path, for errors.
        widths: The slice of a weight-shared translator: channels of each choice of `tied_latents`, such as
            "64,128,256,256,192,128,128,64"; None for the whole network.

    Raises:
        InputError: Not a translator, or its weights do not fit; widths of a network without trained slices, or that
            are no slice of it.
    """
    network = _class_of(found, path).from_checkpoint(found, path)
    if isinstance(network, HyperTranslator):
        network = network.bake()
    if widths is None:
        return network
    if found.role.removesuffix("_a").removesuffix("_b") != WEIGHT_SHARED:
        raise InputError(f"checkpoint {path}: a {found.role} has no trained slices; leave the widths out")
    return extract(network, read_widths(network, _read_choices(network, widths)))


def open_file(path: str | Path, device: str = "auto", widths: str | None = None) -> ImageTranslator:
    """The translator of a checkpoint, to be called on pictures.

    Args:
        path: The checkpoint's file.
        device: Where it computes: auto, cpu, cuda, cuda:1, ...
        widths: As for `rebuild`.

    Raises:
        InputError: As `load_translator`; a device that cannot be used.
    """
    chosen = choose_device(device)
    return ImageTranslator(load_translator(path, widths), device=chosen, path=Path(path))


def open_model(
    found: Checkpoint, path: str | Path, widths: str | None, device: torch.device
) -> ImageTranslator:
    """The translator of a checkpoint, to be called on pictures.

    Args:
        found: What the file holds.
        path: Its path.
        widths: As for `rebuild`.
        device: Where it computes.

    Raises:
        InputError: As `rebuild`.
    """
    return ImageTranslator(rebuild(found, path, widths), device=device, path=Path(path))


def describe(found: Checkpoint, path: str | Path) -> dict[str, object]:
    """What a checkpoint's translator is: its form, its widths and what it costs.

    Args:
        found: What the file holds.
        path: Its path, for errors.

    Returns:
        Plain data; of a search its trainable numbers too, and the widths and costs of what its masks leave. Costs are
        of a picture of `size` px, that of the training where the record says it.

    Raises:
        InputError: As `rebuild`.
    """
    kind = _class_of(found, path)
    more: dict[str, object] = {}
    try:
        with torch.device("meta"):
            network = kind.from_config(found.config)
            if isinstance(network, HyperTranslator):
                more = {
                    "translator": network.translator.KIND,
                    "params_training": sum(one.numel() for one in network.parameters()),
                }
                widths = {name: int(found.state[f"mask_{name}"].sum()) for name in network.translator.widths}
                network = network.translator.with_widths(widths)
    except InputError as error:
        raise InputError(f"checkpoint {path}: {error}") from None
    except KeyError as error:
        raise InputError(f"checkpoint {path}: it has no {error.args[0]}; give a whole one") from None
    side = training_side(found, network)
    costs = count_costs(network, side, side)
    return {
        **more,
        "params": sum(one.numel() for one in network.parameters()),
        "size": side,
        **{f"macs_transposed_at_{at}": costs[at].macs for at in CONVENTIONS},
        **network.config(),
    }


def training_side(found: Checkpoint, network: Translator) -> int:
    """The side of the pictures that a network was trained on.

    Args:
        found: What its file holds.
        network: The network.

    Returns:
        The crop of the recipe in px, 256 if there is none, extended to a size that the network takes.
    """
    crop = _recipe_of(found).get("crop_px")
    side = crop if isinstance(crop, int) and crop > 0 else _SIDE_PX
    multiple = network.multiple_px
    return max(-(-side // multiple) * multiple, network.min_side_px)


def direction_of(found: Checkpoint) -> Direction:
    """The direction between the domains of the data that a network translates.

    Args:
        found: What its file holds.

    Returns:
        That of the recipe, AtoB if there is none; turned for CycleGAN's second network, whose role ends in _b.
    """
    turned = _recipe_of(found).get("direction") == "BtoA"
    return "BtoA" if turned != found.role.endswith("_b") else "AtoB"


def refuse_enlarging(kind: str, path: str | Path, command: str) -> InputError:
    """The error for a translator where a network is needed that enlarges pictures.

    Args:
        kind: The network's name in checkpoints.
        path: Its file.
        command: What was asked of it, such as "upscale".
    """
    instead = _COUNTERPARTS[command].replace("FILE.", f"{Path(path).stem}.").replace("FILE", str(path))
    return InputError(
        f"checkpoint {path}: {kind} translates pictures and enlarges none; use `mfagan coronetgan {instead}`"
    )


def _class_of(found: Checkpoint, path: str | Path) -> type[Translator] | type[HyperTranslator]:
    if found.network not in KINDS:
        raise InputError(
            f"checkpoint {path}: its network is {found.network!r}, a translator of pictures is needed here "
            f"({', '.join(KINDS)})"
        )
    return KINDS[found.network]


def _read_choices(network: Translator, text: str) -> dict[str, int]:
    names = list(tied_latents(network))
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != len(names):
        raise InputError(
            f"widths {text!r:.60}: give {len(names)} numbers of channels joined by commas, for {', '.join(names)}"
        )
    return dict(zip(names, numbers, strict=True))


def _recipe_of(found: Checkpoint) -> Mapping[str, object]:
    recipe = found.record.get("recipe")
    return recipe if isinstance(recipe, Mapping) else {}
