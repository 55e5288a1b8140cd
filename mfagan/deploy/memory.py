"""Whether a network of a size can be run on this machine, before anything of that size is allocated."""

import contextlib
import os
from pathlib import Path

from torch import nn

from mfagan.errors import InputError
from mfagan.graph.recording.peak_memory import estimate_peak_bytes

__all__ = ["machine_bytes", "require_memory"]

_CONTAINER_LIMIT = Path("/sys/fs/cgroup/memory.max")


def machine_bytes() -> int:
    """Memory of this machine, or of the container that the process is in, in bytes."""
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    with contextlib.suppress(OSError, ValueError):  # no container, or one without a limit ("max")
        limits.append(int(_CONTAINER_LIMIT.read_text()))
    return min(limits)


def require_memory(network: nn.Module, height: int, width: int) -> None:
    """Refuse a size at which running a network would take more memory than there is.

    Args:
        network: pictures (1, 3, h, w) -> any tensor; it is not run.
        height: of the picture in px.
        width: likewise.

    Raises:
        InputError: its activations alone would take more.
    """
    needed, available = estimate_peak_bytes(network, height, width), machine_bytes()
    if needed > available:
        raise InputError(
            f"size {height}x{width}: checking the file would take {needed / 1e9:,.1f} GB, and this machine has "
            f"{available / 1e9:,.1f} GB; give a smaller size"
        )
