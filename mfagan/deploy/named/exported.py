"""Networks of one input as files for phones and browsers, each compared with PyTorch before it is given away."""

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from mfagan.deploy.about.file_metadata import write_metadata
from mfagan.deploy.inspection import Inspection
from mfagan.deploy.target import PARITY_LIMIT
from mfagan.errors import InputError
from mfagan.files import write_atomic
from mfagan.graph.costs import CONVENTIONS, Costs, sum_costs
from mfagan.graph.operators import Operator

__all__ = ["Exported", "Listed", "NamedTarget", "export_named", "require_parity", "require_trained"]

_PEAK = 2.0
"""Of pictures in [-1, 1]."""
_MADE_BY = ("stage", "imported_from")
"""Entries of a record of which one tells that the weights are trained."""


class NamedTarget(Protocol):
    """What a file is made for; its format is tflite or onnx, and its precision fp32, fp16 or, in tflite, int8."""

    @property
    def format(self) -> str:
        """tflite or onnx."""
        ...

    @property
    def precision(self) -> str:
        """Of its numbers."""
        ...

    def as_dict(self) -> dict[str, object]:
        """Plain data."""
        ...


@dataclass(frozen=True)
class Listed:
    """A network as its file computes it.

    Args:
        operators: in the order they run, after passes; one input and one output.
        weights: what they read.
        names: of the file's input and of its output.
        facts: the file's metadata.
    """

    operators: Sequence[Operator]
    weights: Mapping[str, Tensor]
    names: tuple[str, str]
    facts: Mapping[str, object]


@dataclass(frozen=True)
class Exported:
    """An exported network with what was found of it before it is written.

    Args:
        content: the file's content.
        target: what it is made for.
        max_abs_difference: the largest difference of its output from PyTorch's.
        psnr_to_pytorch_db: PSNR of its output against PyTorch's, whose peak is 2; infinity if they are equal.
        inspection: its operators.
        costs: convention of multiply-accumulates, as in `mfagan.graph.costs.CONVENTIONS` -> costs of one image.
    """

    content: bytes
    target: NamedTarget
    max_abs_difference: float
    psnr_to_pytorch_db: float
    inspection: Inspection
    costs: Mapping[str, Costs]

    @property
    def params(self) -> int:
        """Learned parameters of the network."""
        return self.costs["input"].params

    def write(self, out: Path) -> None:
        """Write the file; an existing one is replaced.

        Args:
            out: the file to write.

        Raises:
            InputError: it cannot be written.
        """
        write_atomic(out, self.content)

    def as_dict(self) -> dict[str, Any]:
        """All but the content, as plain data; what is not finite is None."""
        psnr = self.psnr_to_pytorch_db
        return {
            **self.target.as_dict(),
            "bytes": len(self.content),
            "max_abs_difference": self.max_abs_difference,
            "psnr_to_pytorch_db": psnr if math.isfinite(psnr) else None,
            "params": self.params,
            "macs": self.costs["input"].macs,
            "macs_transposed_at_output": self.costs["output"].macs,
            **self.inspection.as_dict(),
        }

    def lines(self, out: Path, compared_on: str) -> list[str]:
        """What was found, for people.

        Args:
            out: where the file is written.
            compared_on: what its output was compared with PyTorch's on.
        """
        found = [
            f"{out}: {len(self.content):,} bytes, largest absolute difference from PyTorch "
            f"{self.max_abs_difference:.2e} ({self.psnr_to_pytorch_db:.1f} dB) on {compared_on}",
            f"    {self.params:,} parameters, {self.costs['input'].macs:,} MACs",
            f"    operators: {_list(self.inspection.operators)}",
        ]
        if self.target.precision == "int8":
            found.append(f"    in float: {_list(self.inspection.in_float)}")
        if self.inspection.partitions is not None:
            found.append(f"    parts that XNNPACK takes: {self.inspection.partitions}")
        return found


def export_named(
    network: Listed,
    target: NamedTarget,
    pairs: Sequence[tuple[Tensor, Tensor]],
    listed: Sequence[Operator],
    look: str,
    calibration: Sequence[Tensor] = (),
    parity_limit: float = PARITY_LIMIT,
) -> Exported:
    """Write the file of a network and compare its output with PyTorch's.

    Args:
        network: what is exported.
        target: what the file is made for.
        pairs: inputs (1, features), (1, rows, features) or (C, H, W), and the outputs that PyTorch makes of them.
        listed: the operators before any pass, for the costs.
        look: a command that shows what the network makes, for the error.
        calibration: inputs (C, H, W) that tell the ranges of int8.
        parity_limit: the largest absolute difference that an fp32 file may have, where no output exceeds 1.

    Returns:
        The file's content and what was found of it.

    Raises:
        InputError: as `require_parity`.
    """
    if target.format == "onnx":
        content, inspection, run = _write_onnx(network, target)
    else:
        content, inspection, run = _write_tflite(network, target, calibration)
    most, squares, count, largest = 0.0, 0.0, 0, 1.0
    for x, expected in pairs:
        error = (run(x) - expected).double()
        most = max(most, error.abs().max().item()) if error.isfinite().all() else math.nan
        squares, count = squares + error.square().sum().item(), count + error.numel()
        largest = max(largest, expected.abs().max().item())
    # Numbers of a larger output are rounded to fewer digits after the point.
    require_parity(most, parity_limit * largest if target.precision == "fp32" else sys.float_info.max, look)
    psnr = 10 * math.log10(_PEAK**2 * count / squares) if squares else math.inf
    costs = {convention: sum_costs(listed, convention) for convention in CONVENTIONS}
    return Exported(content, target, most, psnr, inspection, costs)


_Run = Callable[[Tensor], Tensor]


def _write_onnx(network: Listed, target: NamedTarget) -> tuple[bytes, Inspection, _Run]:
    from mfagan.deploy.onnx.converter import inspect
    from mfagan.deploy.onnx.operators import convert_named, open_session

    content = convert_named(network.operators, network.weights, target.precision, network.names)
    content = write_metadata(content, "onnx", network.facts)
    session = open_session(content, 1)

    def run(x: Tensor) -> Tensor:
        picture = x.permute(1, 2, 0)[None].contiguous() if len(session.get_inputs()[0].shape) == 4 else x
        (found,) = session.run(None, {network.names[0]: picture.numpy()})
        made = torch.from_numpy(np.asarray(found))
        return made[0].permute(2, 0, 1) if made.dim() == 4 else made[None]

    return content, inspect(content), run


def _write_tflite(
    network: Listed, target: NamedTarget, calibration: Sequence[Tensor]
) -> tuple[bytes, Inspection, _Run]:
    from mfagan.deploy.inspection import inspect_operators
    from mfagan.deploy.tflite import converter, integers, litert

    operators, weights, names = network.operators, network.weights, network.names
    if target.precision == "int8":
        ranges = integers.calibrate(operators, weights, calibration, picture=(-1.0, 1.0))
        content = integers.convert_int8_named(operators, weights, ranges, names)
    else:
        content = converter.convert_named(operators, weights, target.precision, names)
    content = write_metadata(content, "tflite", network.facts)
    session = litert.Session(content)

    def run(x: Tensor) -> Tensor:
        session.set_inputs([x if x.dim() == 3 else x[None]])
        return session.run()

    return content, inspect_operators(session.list_operators()), run


def require_parity(difference: float, limit: float, look: str) -> None:
    """Refuse a file whose output is not PyTorch's.

    Args:
        difference: the largest absolute difference of the two outputs.
        limit: the largest that is accepted.
        look: as in `export_named`.

    Raises:
        InputError: `difference` exceeds `limit`, or is not a number.
    """
    # Written so that NaN, which compares false with everything, fails.
    if not difference <= limit:
        raise InputError(
            f"export: the file's output differs from PyTorch's by up to {difference:.3g}, the limit is {limit:.3g}, so "
            f"nothing is exported; export in fp32, or look at the network's images with `{look}`"
        )


def require_trained(record: Mapping[str, object], path: Path, train: str) -> None:
    """Refuse a checkpoint whose record tells of no training: exported, it would make noise.

    Args:
        record: the checkpoint's.
        path: its path, for the error.
        train: the command that trains such a network, for the error.

    Raises:
        InputError: it is untrained.
    """
    if not any(record.get(name) for name in _MADE_BY):
        raise InputError(
            f"checkpoint {path}: its record names no training and no file that it was imported from, so it makes "
            f"noise; train it with `{train}`"
        )


def _list(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{n} {name}" for name, n in counts.items())
