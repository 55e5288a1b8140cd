"""What people read instead of the names of attributes and facts that the studies of all systems have."""

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["COST_TITLES"]

COST_TITLES: Mapping[str, str] = MappingProxyType(
    {
        "params": "Parameters",
        "macs": "MACs",
        "flops": "FLOPs",
        "memory_bytes": "Memory traffic (B)",
        "rejected_operators": "Operators that the delegate rejects",
        "delegate": "Delegate",
        "delegate_clean": "Wholly on the delegate",
        "lut_sha256": "sha256 of the latency table",
        "lut_machine": "Machine of the latency table",
        "lpips_sha256": "sha256 of LPIPS's weights",
        "ceilings": "Ceilings",
    }
)
