"""Files that are either whole or absent: written beside their place, then renamed into it."""

import contextlib
import os
import secrets
import time
from pathlib import Path

from mfagan.errors import InputError


def write_atomic(path: str | Path, data: bytes | str) -> None:
    """Writes `data` (text as UTF-8) to `path`, creating its parents; readers never see a part of it.

    An InputError names the path and the system's reason; whatever stood at `path` before still does.
    """
    path = Path(path)
    content = data.encode() if isinstance(data, str) else data
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Renaming onto a device such as /dev/null would replace it.
        if path.exists() and not path.is_file():
            raise _refusal(path, "something other than a file has that name")
        with _temporary_beside(path) as temporary:
            with open(temporary, "xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
    except OSError as error:
        raise _refusal(path, _reason(error)) from error


def require_writable(folder: str | Path) -> Path:
    """Creates `folder` if absent and proves that a file can be written in it; returns it as a Path.

    Called before long work, so that nothing is computed in vain. InputError names the folder and the reason.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _temporary_beside(folder / "any") as temporary:
            temporary.write_bytes(b"\0")
    except OSError as error:
        raise _refusal(folder, _reason(error)) from error
    return folder


def sweep_leftovers(folder: Path, older_than_s: float = 24 * 3600) -> None:
    """Removes what killed writers left in `folder`; a younger one may be another process at work."""
    for leftover in folder.glob(".mfagan-*.tmp"):
        with contextlib.suppress(OSError):
            if time.time() - leftover.stat().st_mtime > older_than_s:
                leftover.unlink()


def require_place(path: str | Path) -> Path:
    """As `require_writable` for the folder of a file that is to be written; returns the file's path."""
    path = Path(path)
    if path.is_dir():
        raise _refusal(path, "it is a folder")
    require_writable(path.parent)
    return path


@contextlib.contextmanager
def _temporary_beside(path: Path):
    """A path in the same folder that nothing has; whatever is there at the end is removed."""
    temporary = path.with_name(f".mfagan-{secrets.token_hex(8)}.tmp")
    try:
        yield temporary
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _reason(error: OSError) -> str:
    if isinstance(error, FileExistsError | NotADirectoryError):
        return "a file stands where a folder is needed"
    return error.strerror or str(error)


def _refusal(path: Path, reason: str) -> InputError:
    return InputError(f"cannot write {path}: {reason}; choose a place that can be written and has room")
