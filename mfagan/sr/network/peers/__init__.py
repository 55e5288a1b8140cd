"""Networks of other authors to be measured against, written from their papers and published code.

Each is a plain module: (N, 3, H, W), RGB in [0, 1] -> (N, 3, scale H, scale W), not clamped. The arguments are those of
`Peer`, with the authors' values as defaults. `residual="bicubic"` adds the enlarged input, as MFANet's does (not in
their papers; it costs no parameters).

    RRDBNet          ESRGAN (Wang et al. 2018)               16,697,987 parameters at x4
    SRResNet         without batch normalisation, as BasicSR's MSRResNet   1,517,571 (our count)
    EDSR             EDSR-baseline (Lim et al. 2017)          1,517,571
    SRVGGNetCompact  Real-ESRGAN's general-x4v3 (2021)        1,213,296 (our count; printed as 1.21 M)
    IMDN             Hui et al. 2019                            715,176
    QuickSRNet       QuickSRNet-Large (Berger et al. 2023)      435,888 (our count; printed as 436 K)
    RFDN             Liu et al. 2020                            433,448
    SPAN             Wan et al. 2024, as deployed               426,288 (our count; the paper rounds to 426 K)
    SPAN, 28 features  NTIRE 2024's and 2026's reference        150,688
    SPANV2           NTIRE 2026's winner, as deployed           139,104
"""

from mfagan.sr.network.peers.distillation import IMDN, RFDN
from mfagan.sr.network.peers.plain import QuickSRNet, SRVGGNetCompact
from mfagan.sr.network.peers.residual import EDSR, RRDBNet, SRResNet
from mfagan.sr.network.peers.span import SPAN, SPANV2

__all__ = ["EDSR", "IMDN", "RFDN", "SPAN", "SPANV2", "QuickSRNet", "RRDBNet", "SRResNet", "SRVGGNetCompact"]
