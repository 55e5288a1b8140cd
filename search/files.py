"""Read files, and write files that are whole or absent: under a temporary name beside the target, then renamed."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from search.errors import SearchError

__all__ = ["is_same_file", "read_bytes", "require_place", "write_bytes", "write_text"]


def read_bytes(path: str | os.PathLike[str], title: str, remedy: str = "check the path") -> bytes:
    """Read a file.

    Args:
        path: the file.
        title: what it is, such as `latency table`.
        remedy: what the user can do if there is no such file.

    Returns:
        Its content.

    Raises:
        SearchError: there is no such file, or it cannot be read; names what it is, the path and the system's reason.
    """
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise SearchError(f"{title} {path}: no such file; {remedy}") from None
    except OSError as error:
        raise SearchError(f"{title} {path}: cannot be read ({error.strerror}); check it") from None


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a text file whole or not at all, as `write_bytes` does.

    Args:
        path: the file; its folders are created if absent.
        text: its content, written as UTF-8.

    Raises:
        SearchError: names the path and the system's reason; what was at `path` before is unchanged.
    """
    # A file name that is not valid Unicode appears in text as lone surrogates, which UTF-8 does not encode.
    write_bytes(path, text.encode(errors="backslashreplace"))


def write_bytes(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file whole or not at all: readers never see a part of it.

    A symbolic link stays a link, and the file it points to is written. A file that is replaced passes its
    permissions on to the new one.

    Args:
        path: the file; its folders are created if absent.
        content: its content.

    Raises:
        SearchError: names the path and the system's reason; what was at `path` before is unchanged.
    """
    try:
        target = Path(os.path.realpath(path))
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists() and not target.is_file():  # a rename would replace a device such as /dev/null
            raise _refusal(path, "something other than a file has that name")
        with _temporary_beside(target) as temporary:
            with temporary.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            if target.exists():
                shutil.copymode(target, temporary)
            temporary.replace(target)
    except (OSError, ValueError) as error:
        raise _refusal(path, error) from None


def require_place(path: str | os.PathLike[str], *inputs: str | os.PathLike[str] | None) -> Path:
    """Check before long work that a file can be written, and create its folder if absent.

    Args:
        path: the file to write.
        inputs: files that are read, which `path` must not replace; None is skipped.

    Returns:
        `path` as a Path.

    Raises:
        SearchError: it is a folder or one of the inputs, or its folder cannot be written.
    """
    path = Path(path)
    for given in inputs:
        if given is not None and is_same_file(path, given):
            raise SearchError(f"{path} is the input {given}, which it would replace: write another file")
    try:
        if path.is_dir():
            raise _refusal(path, "it is a folder")
        if path.exists() and not path.is_file():
            raise _refusal(path, "something other than a file has that name")
        folder = Path(os.path.realpath(path)).parent
        folder.mkdir(parents=True, exist_ok=True)
        with _temporary_beside(folder / "any") as temporary:
            temporary.write_bytes(b"\0")
    except (OSError, ValueError) as error:
        raise _refusal(path, error) from None
    return path


def is_same_file(one: str | os.PathLike[str], other: str | os.PathLike[str]) -> bool:
    """Whether two paths name one file, also through links.

    Args:
        one: a path, which need not exist.
        other: another path, which need not exist.

    Returns:
        True for one file, or for one path at which there is none yet.
    """
    try:
        return os.path.samefile(one, other)
    except (OSError, ValueError):  # one of them does not exist (yet)
        return os.path.realpath(one) == os.path.realpath(other)


@contextmanager
def _temporary_beside(path: Path) -> Iterator[Path]:
    """An unused path in the same folder; a file left there at the end is removed."""
    temporary = path.with_name(f".search-{secrets.token_hex(8)}.tmp")
    try:
        yield temporary
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _refusal(path: str | os.PathLike[str], reason: str | Exception) -> SearchError:
    if isinstance(reason, SearchError):
        return reason
    if isinstance(reason, (FileExistsError, NotADirectoryError)):
        reason = "a file stands where a folder is needed"
    elif isinstance(reason, OSError):
        reason = reason.strerror or str(reason)
    return SearchError(
        f"{path} cannot be written ({reason}): name a file in a folder that is writable and has space"
    )
