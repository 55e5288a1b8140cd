"""A journal file that survives a cut: a record that a full disk left unfinished is dropped before the next write.

Optuna appends one JSON record a line and trusts the file's end. A record that was not written whole would be joined
with the next one into a line that nobody can read, and the study would be lost (optuna issue 5138).
"""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

from optuna.exceptions import StorageInternalError
from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock

from search.files import write_bytes

__all__ = ["open_journal"]

_LOG = logging.getLogger("search")
_FIRST = b'{"op_code"'


def open_journal(path: Path) -> JournalFileBackend:
    """Open a journal, after dropping what is not a whole record in it.

    Args:
        path: the journal's file; it is created if absent.

    Returns:
        Optuna's backend, which closes the file's end before every write.

    Raises:
        ValueError: the file is something other than a journal; it is left as it is.
        OSError: it cannot be read.
    """
    lock = _ClosingLock(str(path))
    if path.exists():
        start = path.open("rb").read(len(_FIRST))
        if start != _FIRST[: len(start)]:
            raise ValueError("it does not begin like a journal")
        if not _is_whole(path.read_bytes()):
            _repair(path, lock)
    return JournalFileBackend(str(path), lock_obj=lock)


class _LockLost(StorageInternalError, RuntimeError):
    """A RuntimeError, as Optuna expects it where it breaks a lock that another process left behind."""


class _ClosingLock(JournalFileSymlinkLock):
    """Optuna's lock on a journal; whoever gets it finds a file that ends with a whole line."""

    def __init__(self, filepath: str) -> None:
        super().__init__(filepath)
        self._path = Path(filepath)

    def acquire(self) -> bool:
        acquired = super().acquire()
        try:
            _close_end(self._path)
        except BaseException:
            self.release()
            raise
        return acquired

    def release(self) -> None:
        try:
            super().release()
        except RuntimeError as error:
            raise _LockLost(
                f"the lock {self._path}.lock was removed by another process while this one held it: {error}"
            ) from None


def _close_end(path: Path) -> None:
    """Cut what follows the last line break, under the journal's lock."""
    with path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        if size == 0:
            return
        file.seek(size - 1)
        if file.read(1) == b"\n":
            return
        file.seek(0)
        end = file.read().rfind(b"\n") + 1
        file.truncate(end)
        file.flush()
        os.fsync(file.fileno())
    _report(path, size - end)


def _repair(path: Path, lock: _ClosingLock) -> None:
    """Keep the whole records alone, in a new file of the journal's name."""
    lock.acquire()
    try:
        content = path.read_bytes()
        kept = b"".join(record for line in content.splitlines(keepends=True) if (record := _record(line)))
        if kept != content:
            write_bytes(path, kept)
            _report(path, len(content) - len(kept))
    finally:
        lock.release()


def _is_whole(content: bytes) -> bool:
    return all(_record(line) == line for line in content.splitlines(keepends=True))


def _record(line: bytes) -> bytes:
    """The record of a line; of a cut record followed by a whole one, the whole one; empty if there is no record."""
    if not line.endswith(b"\n"):
        return b""
    if _is_record(line):
        return line
    last = line[line.rfind(_FIRST) :] if _FIRST in line else b""
    return last if _is_record(last) else b""


def _is_record(line: bytes) -> bool:
    try:
        record = json.loads(line)
    except ValueError:
        return False
    return isinstance(record, dict) and "op_code" in record


def _report(path: Path, n_bytes: int) -> None:
    _LOG.warning(
        "the journal %s held %d bytes of records that were not written whole: they are dropped, and every whole "
        "record is kept",
        path,
        n_bytes,
    )
