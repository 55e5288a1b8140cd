"""An exported generator with what was found of it before it is written."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mfagan.deploy.inspection import Inspection
from mfagan.errors import InputError
from mfagan.files import write_atomic
from mfagan.graph.costs import Costs
from mfagan.mobilestylegan.exporting.target import GeneratorTarget

__all__ = ["Exported", "require_parity"]


@dataclass(frozen=True)
class Exported:
    """An exported network.

    Args:
        content: the file's content.
        target: what it is made for.
        max_abs_difference: the largest difference of its output from PyTorch's, over styles of random latents.
        psnr_to_pytorch_db: PSNR of its output against PyTorch's, whose peak is 2; infinity if they are equal.
        inspection: its operators.
        costs: convention of multiply-accumulates, as in `mfagan.graph.costs.CONVENTIONS` -> costs of one image.
    """

    content: bytes
    target: GeneratorTarget
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


def require_parity(difference: float, limit: float) -> None:
    """Refuse a file whose output is not PyTorch's.

    Args:
        difference: the largest absolute difference of the two outputs.
        limit: the largest that is accepted.

    Raises:
        InputError: `difference` exceeds `limit`, or is not a number.
    """
    # Written so that NaN, which compares false with everything, fails.
    if not difference <= limit:
        raise InputError(
            f"export: the file's output differs from PyTorch's by up to {difference:.3g}, the limit is {limit:.3g}, so "
            "nothing is exported; export in fp32, or look at the network's images with `mfagan mobilestylegan sample`"
        )
