"""An exported file with what was found of it before it is written."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mfagan.deploy.about.model_card import describe_file, write_card
from mfagan.deploy.inspection import Inspection
from mfagan.deploy.target import ExportTarget
from mfagan.evaluation.fidelity import Fidelity
from mfagan.files import write_atomic

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

    def write(self, out: Path, kind: str, config: Mapping[str, object], record: Mapping[str, object]) -> Path:
        """Write the file and its card beside it; existing ones are replaced.

        Args:
            out: the file to write.
            kind: as in `mfagan.deploy.about.model_card.describe_file`.
            config: likewise.
            record: likewise.

        Returns:
            The card's path.

        Raises:
            InputError: one of the two cannot be written.
        """
        write_atomic(out, self.content)
        about = {"precision": self.target.precision, "calibrated_on": list(self.calibrated_on)}
        return write_card(out, describe_file(out, kind, config, record) | about)

    def as_dict(self) -> dict[str, Any]:
        """All but the content, as plain data."""
        return {
            **self.target.as_dict(),
            "calibrated_on": list(self.calibrated_on),
            "bytes": len(self.content),
            **self.fidelity.as_dict(),
            **self.inspection.as_dict(),
        }
