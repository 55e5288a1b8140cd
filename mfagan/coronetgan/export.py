"""Export of translators to TensorFlow Lite and ONNX, checked against PyTorch on real pictures."""

import copy
from collections.abc import Sequence

import torch
from torch import Tensor

from mfagan.coronetgan.exporting.lowering import lower
from mfagan.coronetgan.exporting.target import TranslatorTarget
from mfagan.coronetgan.network.translator import Translator
from mfagan.deploy.about.file_metadata import describe_export
from mfagan.deploy.named.exported import Exported, Listed, export_named
from mfagan.errors import InputError

__all__ = ["IMAGE", "TRANSLATED", "export_translator", "require_alike"]

IMAGE = "image"
"""The input of a file: RGB, or one grey channel, in [-1, 1], (1, height, width, channels)."""
TRANSLATED = "translated"
"""Its output, likewise."""

_PARITY_LIMIT = 1e-3
"""A quarter of a level of 8 bits: instance norms enlarge what rounding does to channels that hardly vary."""
_LEAST_SPREAD = 1e-4


def export_translator(
    network: Translator,
    target: TranslatorTarget,
    pictures: Sequence[Tensor],
    calibration: Sequence[Tensor] = (),
    checkpoint_sha256: str | None = None,
) -> Exported:
    """Convert a translator to a file, and compare what it makes of pictures with what PyTorch makes.

    Args:
        network: The translator; it is not changed.
        target: What the file is made for.
        pictures: Those that are compared, at least one, each (C, height, width) in [-1, 1].
        calibration: Other pictures, which tell the ranges of int8; they are not read otherwise.
        checkpoint_sha256: Of the file that the network was loaded from, for the file's metadata.

    Returns:
        The file's content and what was found of it.

    Raises:
        InputError: The network does not take pictures of that size, or makes numbers that are not finite or pictures of
            one colour; int8 without pictures to calibrate on; or an fp32 file computes something else than PyTorch.
    """
    if target.precision == "int8" and not calibration:
        raise InputError("export in int8: no pictures to calibrate on; give some of the domain it reads")
    network = copy.deepcopy(network).cpu().float().eval().requires_grad_(False)
    listed = [operator for block in network.blocks(*target.size) for operator in block.operators]
    with torch.inference_mode():
        expected = [network(picture[None])[0] for picture in pictures]
    _require_varied(expected, network.KIND)
    facts = describe_export(network.KIND, network.config(), target, checkpoint_sha256) | {"range": [-1, 1]}
    operators, weights = lower(network, target)
    made = Listed(operators, weights, (IMAGE, TRANSLATED), facts)
    pairs = list(zip(pictures, expected, strict=True))
    look = "mfagan coronetgan translate"
    return export_named(made, target, pairs, listed, look, calibration, _PARITY_LIMIT)


def require_alike(network: Translator, dense: Translator, target: TranslatorTarget) -> None:
    """Refuse to measure a network beside one that reads or makes other pictures.

    Args:
        network: The translator that is exported.
        dense: The one beside it.
        target: What both files are made for.

    Raises:
        InputError: Their channels differ, or the dense one does not take pictures of the target's size.
    """
    of_both = [(one.in_channels, one.out_channels) for one in (network, dense)]
    if of_both[0] != of_both[1]:
        raise InputError(
            f"beside: it makes {of_both[1][1]} channels of {of_both[1][0]}, the exported network {of_both[0][1]} of "
            f"{of_both[0][0]}; give the dense network of the same pictures"
        )
    dense.require_size(*target.size)


def _require_varied(outputs: Sequence[Tensor], kind: str) -> None:
    """Refuse outputs that are not finite or of one colour."""
    for found in outputs:
        if not found.isfinite().all():
            raise InputError(
                f"export: what {kind} makes holds numbers that are not finite; train the network again"
            )
        spread = (found.amax((1, 2)) - found.amin((1, 2))).max().item()
        if spread <= _LEAST_SPREAD:
            raise InputError(
                f"export: what {kind} makes of a picture is one colour (it spreads by {spread:.1g}): the network is "
                "untrained or damaged; train it with `mfagan coronetgan train`"
            )
