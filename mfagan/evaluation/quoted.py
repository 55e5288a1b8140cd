"""Figures that others published, to be quoted beside measured ones and never to be taken for measurements."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

__all__ = ["Quality", "QuotedRow", "QuotedTable"]

_OTHER_NAMES = {"bsd100": "b100", "bsds100": "b100"}
"""Names of one benchmark set, in lower case."""


@dataclass(frozen=True)
class Quality:
    """Published mean figures on one set of images.

    Args:
        psnr_db: PSNR on the Y channel, in dB.
        lpips: LPIPS, less is better.
    """

    psnr_db: float
    lpips: float


@dataclass(frozen=True)
class QuotedRow:
    """One network's published figures.

    Args:
        name: the network's name in the publication.
        memory_gb: memory traffic of one image, in GB of 1e9 bytes.
        flops_g: computation of one image, in units of 1e9.
        params_m: learned parameters, in millions.
        latency_ms: latency of one image, on whatever device the publication used.
        sets: quality by the name of the set of images.
    """

    name: str
    memory_gb: float
    flops_g: float
    params_m: float
    latency_ms: float
    sets: Mapping[str, Quality] = field(default_factory=dict)

    def quality_on(self, set_name: str) -> Quality | None:
        """Find the published figures on a set of images.

        Args:
            set_name: the set's name in any case; BSD100 and BSDS100 are B100.

        Returns:
            The figures, or None if the publication has none for this set.
        """
        asked = _OTHER_NAMES.get(set_name.lower(), set_name.lower())
        return next((quality for name, quality in self.sets.items() if name.lower() == asked), None)


@dataclass(frozen=True)
class QuotedTable:
    """A published table.

    Args:
        source: where it stands, such as "Table 2 of MFAGAN (Cheng, Zhao, Ye, Gu 2021)".
        scale: the enlargement of all its networks.
        rows: its networks.
        caveats: what must be known to compare its figures with measured ones, as the end of a sentence.
    """

    source: str
    scale: int
    rows: Sequence[QuotedRow]
    caveats: str = ""
