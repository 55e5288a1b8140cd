"""Files that are whole or absent: written under a temporary name beside the target, then renamed."""

import contextlib
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from mfagan.errors import InputError

__all__ = [
    "read_text",
    "replacing",
    "require_other_file",
    "require_place",
    "require_writable",
    "sweep_leftovers",
    "temporary_beside",
    "write_atomic",
]


def write_atomic(path: str | Path, data: bytes | str) -> None:
    """Write a file whole or not at all: readers never see a part of it.

    A symbolic link stays a link, and the file it points to is written. A file that is replaced leaves its
    permissions to the new one.

    Args:
        path: the file; its folders are created if absent.
        data: its content; text is written as UTF-8.

    Raises:
        InputError: names the path and the system's reason; what was at `path` before is unchanged.
    """
    # File names that are not valid Unicode appear in text as lone surrogates, which UTF-8 does not encode.
    content = data.encode(errors="backslashreplace") if isinstance(data, str) else data
    with replacing(path) as temporary:
        temporary.write_bytes(content)


@contextlib.contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Let something write a file whole or not at all, as `write_atomic` does for what is in memory.

    Args:
        path: the file; its folders are created if absent.

    Returns:
        A context that gives a path beside the file to write; what was written there takes its place at the end.

    Raises:
        InputError: as `write_atomic`.
    """
    path = Path(path)
    try:
        target = Path(os.path.realpath(path))
        target.parent.mkdir(parents=True, exist_ok=True)
        # Renaming onto a device such as /dev/null would replace it.
        if target.exists() and not target.is_file():
            raise _refusal(path, "something other than a file has that name")
        with temporary_beside(target) as temporary:
            yield temporary
            with open(temporary, "rb+") as file:
                os.fsync(file.fileno())
            if target.exists():
                shutil.copymode(target, temporary)
            os.replace(temporary, target)
    except OSError as error:
        raise _refusal(path, _reason(error)) from error


def require_other_file(out: str | Path, *inputs: str | Path | None) -> Path:
    """Check that an output is none of the files it is made from, by whatever path or link it is named.

    Args:
        out: the file or folder to write.
        inputs: files that are read; None counts for nothing.

    Returns:
        `out` as a Path.

    Raises:
        InputError: `out` is one of the inputs.
    """
    out = Path(out)
    for one in inputs:
        if one is not None and _is_same(out, Path(one)):
            raise InputError(
                f"{out} is the input {one}, which would be replaced: choose another file to write"
            )
    return out


def read_text(path: str | Path) -> str:
    """Read a text file in UTF-8, with or without a byte order mark.

    Args:
        path: the file.

    Returns:
        Its text, without the mark.

    Raises:
        InputError: it cannot be read, or is not UTF-8.
    """
    try:
        return Path(path).read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}; give a readable file") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: it is not text in UTF-8; save it in that encoding") from None


def require_writable(folder: str | Path) -> Path:
    """Create a folder if absent and prove that a file can be written in it, before long work.

    Args:
        folder: the folder.

    Returns:
        It as a Path.

    Raises:
        InputError: names the folder and the reason.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with temporary_beside(folder / "any") as temporary:
            temporary.write_bytes(b"\0")
    except OSError as error:
        raise _refusal(folder, _reason(error)) from error
    return folder


def sweep_leftovers(folder: Path, older_than_s: float = 24 * 3600) -> None:
    """Remove what killed writers left in a folder.

    Args:
        folder: the folder.
        older_than_s: age in seconds; a younger file may belong to a process that is still at work.
    """
    for leftover in folder.glob(".mfagan-*.tmp"):
        with contextlib.suppress(OSError):
            if time.time() - leftover.stat().st_mtime > older_than_s:
                leftover.unlink()


def require_place(path: str | Path, *inputs: str | Path | None) -> Path:
    """Check before long work that a file can be written, and create its folder if absent.

    Args:
        path: the file to write.
        inputs: files that are read, as for `require_other_file`.

    Returns:
        `path` as a Path.

    Raises:
        InputError: it is a folder or one of the inputs, or its folder cannot be written.
    """
    path = require_other_file(path, *inputs)
    if path.is_dir():
        raise _refusal(path, "it is a folder")
    require_writable(Path(os.path.realpath(path)).parent)
    return path


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:  # one of them does not exist (yet)
        return os.path.realpath(one) == os.path.realpath(other)


@contextlib.contextmanager
def temporary_beside(path: Path) -> Iterator[Path]:
    """Choose a path in the folder of a file that nothing has.

    Args:
        path: the file.

    Returns:
        A context that gives the path; whatever is there at the end is removed.
    """
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
