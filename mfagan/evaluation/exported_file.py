"""An exported file with what was found of it before it is written."""

from dataclasses import dataclass
from typing import Any

from mfagan.deploy.inspection import Inspection
from mfagan.deploy.target import ExportTarget
from mfagan.evaluation.fidelity import Fidelity

__all__ = ["ExportedFile"]


@dataclass(frozen=True)
class ExportedFile:
    """An exported file.

    Args:
        content: the file's content.
        target: what it is made for.
        fidelity: what it computes beside PyTorch.
        inspection: its operators.
        calibrated_on: names of the photographs that told the ranges of integers.
    """

    content: bytes
    target: ExportTarget
    fidelity: Fidelity
    inspection: Inspection
    calibrated_on: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """All but the content, as plain data."""
        return {
            **self.target.as_dict(),
            "calibrated_on": list(self.calibrated_on),
            "bytes": len(self.content),
            **self.fidelity.as_dict(),
            **self.inspection.as_dict(),
        }
