"""Export of generators to TensorFlow Lite and ONNX, checked against PyTorch on the styles of random latents.

A generator is two files, as it is two networks: the mapping network makes a style of a latent, and the synthesis
network or the student makes an image of a style. Whoever edits styles needs the second alone.
"""

import copy
from collections.abc import Mapping as MappingType
from collections.abc import Sequence

import torch
from torch import Tensor

from mfagan.deploy.about.file_metadata import describe_export
from mfagan.deploy.named.exported import Exported, Listed, export_named
from mfagan.errors import InputError
from mfagan.graph.operators import Operator
from mfagan.mobilestylegan.exporting.lowering import lower
from mfagan.mobilestylegan.exporting.target import GeneratorTarget
from mfagan.mobilestylegan.network.generator import Generator, MobileStyleGAN
from mfagan.mobilestylegan.network.layers.styles import draw_latents
from mfagan.mobilestylegan.network.student.student import Student
from mfagan.mobilestylegan.network.teacher.mapping import Mapping
from mfagan.mobilestylegan.network.teacher.synthesis import Synthesis

__all__ = ["IMAGE", "LATENT", "STYLE", "export_generator", "export_mapping"]

LATENT = "z"
"""The input of a mapping network's file, (1, style_dim) of N(0, 1)."""
STYLE = "w"
"""Its output, (1, style_dim). The input of a generator's file is named as `GeneratorTarget.styles`."""
IMAGE = "image"
"""The output of a generator's file: RGB in [-1, 1], which it may exceed a little, (1, size, size, 3)."""

_COMPARED = 2
_LEAST_SPREAD = 1e-6


def export_generator(
    network: Generator, target: GeneratorTarget, checkpoint_sha256: str | None = None
) -> Exported:
    """Convert what makes images of styles to a file, and compare its images with PyTorch's.

    Args:
        network: A teacher or a student; it is not changed. Of a student the last head is taken.
        target: What the file is made for.
        checkpoint_sha256: Of the file that the network was loaded from, for the file's metadata.

    Returns:
        The file's content and what was found of it.

    Raises:
        InputError: The network makes numbers that are not finite, images of one number, or the same image of all
            styles; or an fp32 file computes something else than PyTorch.
    """
    network = _prepare(network)
    synthesis = network.synthesis
    styles = _real_styles(network, target)
    with torch.inference_mode():
        expected = [synthesis(one, target.noise)[0] for one in styles]
    _require_varied(expected, f"the images of {network.KIND}")
    operators = [operator for block in synthesis.blocks(target.noise) for operator in block.operators]
    names = target.styles, IMAGE
    facts = describe_export(network.KIND, network.config(), target, checkpoint_sha256) | {"range": [-1, 1]}
    return _export(synthesis, target, names, facts, list(zip(styles, expected, strict=True)), operators)


def export_mapping(
    network: Generator, target: GeneratorTarget, checkpoint_sha256: str | None = None
) -> Exported:
    """Convert a generator's mapping network to a file, and compare its styles with PyTorch's.

    Args:
        network: As in `export_generator`.
        target: As in `export_generator`; its noise and its styles do not matter.
        checkpoint_sha256: As in `export_generator`.

    Returns:
        As `export_generator`.

    Raises:
        InputError: As `export_generator`.
    """
    network = _prepare(network)
    latents = list(draw_latents(range(_COMPARED), network.style_dim)[:, None])
    with torch.inference_mode():
        expected = [network.mapping(z)[None] for z in latents]
    _require_varied(expected, "the mapping network's styles")
    config = {**network.config(), "w_mean": network.w_mean.tolist()}
    facts = describe_export(f"{network.KIND}-mapping", config, target, checkpoint_sha256)
    operators = [operator for block in network.mapping.blocks() for operator in block.operators]
    pairs = list(zip(latents, expected, strict=True))
    return _export(network.mapping, target, (LATENT, STYLE), facts, pairs, operators)


def _prepare(network: Generator) -> Generator:
    network = copy.deepcopy(network).cpu().float().eval().requires_grad_(False)
    return network.inference_form() if isinstance(network, MobileStyleGAN) else network


def _real_styles(network: Generator, target: GeneratorTarget) -> list[Tensor]:
    """Styles of random latents, (1, features), or (1, rows, features) with another style in each row."""
    synthesis = network.synthesis
    count = synthesis.allowed_rows[0] if isinstance(synthesis, Student) else synthesis.n_rows
    whole = target.styles == "w_plus"
    seeds = range(_COMPARED * count if whole else _COMPARED)
    with torch.inference_mode():
        w = network.styles(draw_latents(seeds, network.style_dim))
    return list(w.view(_COMPARED, 1, count, -1) if whole else w[:, None])


def _require_varied(outputs: Sequence[Tensor], what: str) -> None:
    """Refuse outputs that are not finite, the same for all inputs, or of one number."""
    found = torch.stack(list(outputs))
    if not found.isfinite().all():
        raise InputError(f"export: {what} hold numbers that are not finite; train the network again")
    spread = (found.flatten(1).amax(1) - found.flatten(1).amin(1)).min().item()
    difference = (found - found[:1]).abs().max().item()
    for value, fault in (
        (spread, "all their numbers equal"),
        (difference, "no difference between two latents"),
    ):
        if value <= _LEAST_SPREAD * max(1.0, found.abs().max().item()):
            raise InputError(
                f"export: {what} have {fault} (up to {value:.1g}): the network is untrained or damaged; train it with "
                "`mfagan mobilestylegan train`"
            )


def _export(
    network: Mapping | Synthesis | Student,
    target: GeneratorTarget,
    names: tuple[str, str],
    facts: MappingType[str, object],
    pairs: Sequence[tuple[Tensor, Tensor]],
    listed: Sequence[Operator],
) -> Exported:
    """Write the file of a network and check it.

    Args:
        network: What is exported.
        target: What the file is made for.
        names: Of the input and of the output.
        facts: The file's metadata.
        pairs: Inputs (1, features) or (1, rows, features), and the outputs that PyTorch makes of them.
        listed: The operators before any pass, for the costs.
    """
    operators, weights = lower(network, target)
    made = Listed(operators, weights, names, facts)
    return export_named(made, target, pairs, listed, "mfagan mobilestylegan sample")
