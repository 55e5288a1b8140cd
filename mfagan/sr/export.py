"""Export of a generator to a file for phones and browsers, checked against PyTorch on photos."""

import copy
from collections.abc import Sequence

from torch import Tensor

from mfagan.data.pairs import Pair
from mfagan.deploy.about.file_metadata import describe_export, write_metadata
from mfagan.deploy.memory import require_memory
from mfagan.deploy.target import ExportTarget
from mfagan.deploy.tflite.delegates import DelegateCheck, check
from mfagan.errors import InputError
from mfagan.evaluation.calibration import fit_calibration
from mfagan.evaluation.exported_file import ExportedFile
from mfagan.evaluation.fidelity import check_parity, fit_pair, measure_fidelity
from mfagan.graph.operators import Operator
from mfagan.graph.passes import rewrite_operators
from mfagan.sr.kinds import Generator
from mfagan.sr.lowering import lower

__all__ = ["check_delegate", "export_generator"]


def export_generator(
    network: Generator,
    target: ExportTarget,
    pairs: Sequence[Pair],
    calibration: Sequence[Pair] = (),
    checkpoint_sha256: str | None = None,
) -> ExportedFile:
    """Convert a generator to a file, and compare what it computes with PyTorch.

    Args:
        network: any generator; it is not changed.
        target: what the file is made for.
        pairs: the photos of the comparison, at least one; the middle of each is taken, of the target's size.
        calibration: other photos, which tell the ranges of int8 files.
        checkpoint_sha256: of the file that the network was loaded from, for the file's metadata.

    Returns:
        The file's content and what was found of it.

    Raises:
        InputError: an fp32 file computes something else than PyTorch, the network something that cannot be exported,
            the size takes more memory than there is, or int8 is asked for without photos to calibrate on.
    """
    network = copy.deepcopy(network).cpu().float().eval()
    facts = describe_export(network.KIND, network.config(), target, checkpoint_sha256)
    if target.size is not None:
        require_memory(network, *target.size)
    clamped = target.pixels == "uint8"

    def reference(x: Tensor) -> Tensor:
        return network(x).clamp(0, 1) if clamped else network(x)

    photos = [fit_pair(pair, target.size, network.scale) for pair in pairs]
    if target.format == "onnx":
        from mfagan.deploy.onnx import converter, integers

        if target.precision == "int8":
            content = integers.convert_int8(network, target, _fit_photos(network, target, calibration))
        else:
            content = converter.convert(network, target)
        content = write_metadata(content, target.format, facts)
        enlarge = converter.Session(content).enlarge
        inspect = integers.inspect_integers if target.precision == "int8" else converter.inspect
        inspection = inspect(content)
    else:
        from mfagan.deploy.inspection import inspect_operators
        from mfagan.deploy.tflite import converter, litert
        from mfagan.deploy.tflite.integers import calibrate, convert_int8
        from mfagan.deploy.tflite.tiles import convert_tiles

        assert target.size is not None
        rewritten = _rewrite(network, target.size, target.passes)
        if target.tiles:
            content = convert_tiles(*rewritten)
        elif target.precision == "int8":
            calibrated = _fit_photos(network, target, calibration)
            _, height, width = calibrated[0].shape
            ranges = calibrate(*_rewrite(network, (height, width), target.passes), calibrated)
            content = convert_int8(*rewritten, target.pixels, ranges)
        else:
            content = converter.convert_network(*rewritten, target.precision, target.pixels)
        content = write_metadata(content, target.format, facts)
        session = litert.Session(content)
        enlarge, inspection = session.enlarge, inspect_operators(session.list_operators())
    fidelity = measure_fidelity(enlarge, reference, photos, network.scale)
    check_parity(fidelity.max_abs_difference, target.parity_limit)
    names = tuple(pair.name for pair in calibration) if target.precision == "int8" else ()
    return ExportedFile(content, target, fidelity, inspection, names)


def _fit_photos(network: Generator, target: ExportTarget, calibration: Sequence[Pair]) -> list[Tensor]:
    """The photographs to calibrate on, (3, h, w), of one size."""
    if not calibration:
        raise InputError("precision int8: it needs photographs to calibrate on; give some")
    return [pair.lr for pair in fit_calibration(calibration, target.size, network.scale)]


def check_delegate(network: Generator, target: ExportTarget, delegate: str) -> DelegateCheck:
    """Find what a delegate's rules say of the file that a generator becomes; nothing is run.

    Args:
        network: any generator.
        target: what the file is made for.
        delegate: one of `mfagan.deploy.tflite.delegates.DELEGATES`.

    Raises:
        InputError: an unknown delegate, or a file that is no float TFLite file.
    """
    kind = target.format, target.precision, target.pixels
    if kind not in (("tflite", "fp32", "float"), ("tflite", "fp16", "float")) or target.tiles:
        described = ", ".join((*kind, *(["tiles"] if target.tiles else [])))
        raise InputError(
            f"check {delegate} of {described}: the rules are for tflite files of fp32 or fp16 and float pictures "
            "without tiles; leave the check out"
        )
    assert target.size is not None
    return check(_rewrite(network, target.size, target.passes)[0], delegate)


def _rewrite(
    network: Generator, size: tuple[int, int], passes: Sequence[str]
) -> tuple[list[Operator], dict[str, Tensor]]:
    """A network's operators after passes, and the weights they read."""
    listed, weights = lower(network, *size)
    rewritten = rewrite_operators(listed, passes)
    return rewritten.operators, rewritten.make_weights(weights)
