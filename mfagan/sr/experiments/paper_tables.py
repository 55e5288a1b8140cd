"""What the MFAGAN paper prints in its tables, transcribed: to be quoted, never to be taken for measurements.

All at x4. The paper names neither LPIPS's net nor its version; memory is in GB (1e9 bytes), computation in G,
parameters in millions (the paper's heads say MB).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

SCALE = 4
PAPER = "MFAGAN (Cheng, Zhao, Ye, Gu 2021)"


@dataclass(frozen=True)
class Quality:
    """Mean figures on one set of images; `psnr_db` is on the Y channel."""

    psnr_db: float
    lpips: float


@dataclass(frozen=True)
class Published:
    """One row of Table 2. `latency_ms`: the paper does not say on which device."""

    name: str
    memory_gb: float
    flops_g: float
    params_m: float
    latency_ms: float
    sets: Mapping[str, Quality] = field(default_factory=dict)


@dataclass(frozen=True)
class Ablation:
    """One column of Table 1, on Set5. Options are those that its check marks name."""

    name: str
    generator_channels: int
    discriminator_channels: int
    mfagan_l: bool
    distill_g_and_d: bool
    distill_g: bool
    nas_pruning: bool
    psnr_db: float
    lpips: float
    memory_gb: float
    params_m: float
    flops_g: float


@dataclass(frozen=True)
class MobileLatency:
    """One row of Table 3: TensorFlow Lite on a Snapdragon 865's GPU (OPPO Find X2), 128x128 px."""

    name: str
    latency_ms: float


TABLE_1 = (
    Ablation("baseline (ESRGAN)", 64, 64, False, False, False, False, 30.45, 0.0572, 4.29, 16.67, 291),
    Ablation("1st", 64, 48, True, False, False, False, 30.32, 0.0527, 0.877, 1.56, 23.72),
    Ablation("2nd", 48, 32, True, True, False, False, 30.65, 0.0558, 0.657, 0.884, 13.45),
    Ablation("3rd", 48, 48, True, False, True, False, 28.56, 0.0878, 0.657, 0.884, 13.45),
    Ablation("4th", 32, 48, True, False, False, True, 29.19, 0.0672, 0.515, 0.551, 8.41),
    Ablation("5th", 32, 32, True, True, False, True, 30.16, 0.0571, 0.515, 0.551, 8.41),
)
"""The ablation study."""

TABLE_1_PRUNED = "48,24,24,24,32,48,48,24"
"""Widths whose costs are those of the pruned columns; any order of the six inner ones gives the same."""


def _sets(*figures: tuple[float, float] | None) -> dict[str, Quality]:
    names = ("Set5", "Set14", "B100", "Urban100")
    return {name: Quality(*pair) for name, pair in zip(names, figures, strict=True) if pair is not None}


TABLE_2 = (
    Published("SRGAN", 0.7, 36.5, 1.55, 80.8, _sets((29.40, 0.0621), (26.11, 0.1167), (25.17, 0.1333), None)),
    Published(
        "EnhanceNet",
        0.91,
        30.2,
        0.85,
        29,
        _sets((28.56, 0.0764), (25.77, 0.1295), (24.93, 0.1481), (23.54, 0.1307)),
    ),
    Published(
        "ESRGAN",
        4.29,
        291,
        16.67,
        169.4,
        _sets((30.45, 0.0572), (26.28, 0.1055), (25.32, 0.1216), (24.36, 0.1000)),
    ),
    Published(
        "AGD",
        0.94,
        27.1,
        0.41,
        27.7,
        _sets((30.41, 0.0700), (27.27, 0.1247), (26.22, 0.1556), (24.73, 0.1329)),
    ),
    Published(
        "MFAGAN",
        0.52,
        8.41,
        0.55,
        21.9,
        _sets((30.16, 0.0571), (26.69, 0.1133), (25.33, 0.1332), (24.23, 0.1132)),
    ),
)
"""The comparison with other perceptual networks."""

TABLE_3 = (MobileLatency("ESRGAN", 1150), MobileLatency("MFAGAN", 70))
"""Latency on a phone."""

_OTHER_NAMES = {"bsd100": "b100", "bsds100": "b100"}


def quoted_on(row: Published, set_name: str) -> Quality | None:
    """A row's figures on the set of this name in any case (BSD100 is B100), None where there are none."""
    asked = _OTHER_NAMES.get(set_name.lower(), set_name.lower())
    return next((quality for name, quality in row.sets.items() if name.lower() == asked), None)
