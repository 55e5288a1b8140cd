"""Which workers are gone: their processes ended, or they have not renewed their lease for too long.

Clocks of different machines are not compared: a worker counts by its own clock how long it has seen no renewal.
"""

from __future__ import annotations

import os
import socket
import time
import uuid
from collections.abc import Sequence

from optuna.trial import FrozenTrial

from search.storage.trials import BEAT, WORKER

__all__ = ["LeaseWatch", "name_worker"]


def name_worker() -> str:
    """Make a name for a worker of this process.

    Returns:
        The machine, the process number and a random part, separated by `|`.
    """
    return f"{_machine()}|{os.getpid()}|{uuid.uuid4().hex[:8]}"


class LeaseWatch:
    """Watches the claims of other workers."""

    def __init__(self, lease_s: float) -> None:
        """Begin to watch.

        Args:
            lease_s: seconds without a renewal after which a worker's claims expire.
        """
        self._lease_s = lease_s
        self._seen: dict[
            str, tuple[object, float]
        ] = {}  # worker -> its last renewal, and when it was first seen
        self._n_losses = 0

    def expired(self, running: Sequence[FrozenTrial], worker: str, n_losses: int) -> list[FrozenTrial]:
        """Find the claims of workers that are gone.

        Args:
            running: all claims.
            worker: the name of the worker that watches, whose own claims do not expire here.
            n_losses: how often its connection to the storage was lost; when that has grown, all leases begin again,
                because nobody could renew one while the storage was away.

        Returns:
            Those of `running` that expired.
        """
        now = time.monotonic()
        if n_losses != self._n_losses:
            self._n_losses, self._seen = n_losses, {}
        claimed: dict[str, list[FrozenTrial]] = {}
        for trial in running:
            claimed.setdefault(trial.system_attrs.get(WORKER, ""), []).append(trial)
        claimed.pop(worker, None)
        expired = []
        for other, held in claimed.items():
            signs = [(trial.number, trial.system_attrs.get(BEAT)) for trial in held]
            before, since = self._seen.get(other, (None, now))
            if signs != before:
                self._seen[other] = (signs, now)
                since = now
            if now - since > self._lease_s or _is_gone(other):
                expired += held
        return expired


def _machine() -> str:
    """This machine, as far as process numbers mean the same on it."""
    try:
        namespace = os.readlink("/proc/self/ns/pid")
    except OSError:
        namespace = ""
    return f"{socket.gethostname()}|{namespace}"


def _is_gone(worker: str) -> bool:
    """Whether a worker was a process of this machine that no longer exists."""
    machine, _, process = worker.rpartition("|")[0].rpartition("|")
    if os.name != "posix" or machine != _machine() or not process.isdecimal():
        return False
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:
        return False
    return False
