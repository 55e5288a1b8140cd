"""Addresses of storages: a database, a journal file or a proxy; passwords are hidden."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias
from urllib.parse import quote, quote_plus, urlsplit

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from search.errors import SearchError
from search.files import is_same_file

__all__ = ["Address", "check_file", "check_other_file", "database_error", "lacks_password", "lasting_address"]
__all__ += ["read_address", "redact", "storage_error"]

_SECRET_KEY = re.compile(r"pass|pwd|secret|token", re.IGNORECASE)
_SECRET_PATH = re.compile(r":.*@|(pass\w*|pwd|secret|token)\s*=", re.IGNORECASE | re.DOTALL)
_EXAMPLES = "write study.db, journal://study.log, grpc://HOST:PORT or postgresql+psycopg://USER:PASSWORD@HOST/DATABASE"

_BESIDE = ("-wal", "-shm", "-journal", ".lock")

Kind: TypeAlias = Literal["database", "journal", "grpc"]


@dataclass(frozen=True)
class Address:
    """The address of a storage.

    Attributes:
        url: the URL for the database driver.
        label: the address for people, without the password.
        file: the file of an SQLite database or of a journal, or None for a server.
        secrets: texts that are never shown.
        kind: `database`, `journal` or `grpc`.
    """

    url: str = field(repr=False)
    label: str
    file: Path | None
    secrets: tuple[str, ...] = field(repr=False, default=())
    kind: Kind = "database"

    @property
    def is_sqlite(self) -> bool:
        """Whether it is an SQLite database."""
        return self.kind == "database" and self.file is not None

    @property
    def host_and_port(self) -> tuple[str, int]:
        """Host and port of a proxy."""
        parts = urlsplit(self.url)
        return parts.hostname or "", parts.port or 0

    def hide_secrets(self, text: str) -> str:
        """Replace every secret of this address by ***.

        Args:
            text: a message.

        Returns:
            The message without secrets.
        """
        for secret in sorted(self.secrets, key=len, reverse=True):
            text = text.replace(secret, "***")
        return text


def read_address(storage: str) -> Address:
    """Read the address of a storage; nothing is opened.

    Args:
        storage: a database URL, the path of an SQLite file, `journal://PATH` or `grpc://HOST:PORT`.

    Returns:
        The address.

    Raises:
        SearchError: it cannot be read, or is an SQLite database in memory.
    """
    if "://" not in storage:
        return _sqlite_address(storage, storage)
    if storage.startswith("journal://"):
        path = storage.removeprefix("journal://")
        if not path:
            raise SearchError(f"the storage {storage!r} names no file: write journal://study.log")
        return Address(storage, storage, Path(path), kind="journal")
    if storage.startswith("grpc://"):
        return _grpc_address(storage)
    url = _parse(storage)
    if url is None:
        raise SearchError(
            f"the storage URL {redact(storage)} cannot be read; {_EXAMPLES}, with @ : / ? in a password"
            " percent-encoded (%40 %3A %2F %3F)"
        )
    if url.get_backend_name() == "sqlite":
        if url.query:
            raise SearchError(
                f"the storage {redact(storage)!r} has options after '?', which are not supported: drop them"
            )
        return _sqlite_address(url.database or "", storage)
    return Address(storage, _label(url), None, _secrets(url))


def _grpc_address(storage: str) -> Address:
    address = Address(storage, storage, None, kind="grpc")
    try:
        host, port = address.host_and_port
    except ValueError:
        host, port = "", 0
    if storage.lower() != f"grpc://{host}:{port}" or not (host and port):
        raise SearchError(f"the storage {redact(storage)} is not grpc://HOST:PORT: correct it")
    return address


def redact(storage: str) -> str:
    """Make an address fit to be shown.

    Args:
        storage: an address, which need not be valid.

    Returns:
        The address with its password replaced by ***; of a URL that cannot be read only the scheme is left.
    """
    if "://" not in storage:
        return "***" if _SECRET_PATH.search(storage) else storage
    if storage.startswith("journal://"):
        return storage
    url = _parse(storage)
    if url is None:
        scheme = storage.partition("://")[0]
        return f"{scheme}://***" if re.fullmatch(r"[\w.+-]*", scheme) else "***"
    plain = url.get_backend_name() == "sqlite" and not (url.password or url.query)
    return storage if plain else _label(url)


def lasting_address(storage: str) -> str:
    """Make an address fit to be written into a file.

    Args:
        storage: an address.

    Returns:
        The address with a file's whole path, and passwords replaced by ***.

    Raises:
        SearchError: it cannot be read.
    """
    address = read_address(storage)
    if address.file is None:
        return address.label
    scheme = "journal://" if address.kind == "journal" else "sqlite:///"
    return f"{scheme}{address.file.resolve()}"


def lacks_password(storage: str) -> bool:
    """Whether the password of an address was replaced by ***, so that it cannot be opened.

    Args:
        storage: an address.

    Returns:
        True if it cannot be opened.
    """
    return read_address(storage).file is None and "***" in storage


def check_file(address: Address, *, create: bool) -> None:
    """Check the file of a storage, if it has one.

    Args:
        address: the address.
        create: whether the file may be created.

    Raises:
        SearchError: it is a folder, its folder does not exist, or it does not exist and may not be created.
    """
    file = address.file
    if file is None:
        return
    if file.is_dir():
        raise SearchError(f"the storage {file} is a folder: name a file in it, such as {file / 'study.db'}")
    if create and not file.parent.is_dir():
        raise SearchError(f"the storage {file} is in a folder that does not exist: make {file.parent} first")
    if not create and not file.exists():
        raise SearchError(f"there is no storage {file}: check the path, or run the search first")


def check_other_file(out: Path, storage: str) -> None:
    """Check that an output is not the file of a storage, by whatever path or link it is named.

    Args:
        out: the file to write.
        storage: the storage's address.

    Raises:
        SearchError: it is the storage's own file, or one that the database or the journal keeps beside it.
    """
    file = read_address(storage).file
    if file is None:
        return
    if is_same_file(out, file):
        raise SearchError(f"{out} is the study's storage: write another file")
    for suffix in _BESIDE:
        if is_same_file(out, f"{os.path.realpath(file)}{suffix}"):
            raise SearchError(f"{out} belongs to the study's storage {file}: write another file")


def storage_error(address: Address, error: BaseException) -> SearchError:
    """Describe an error of a storage in one line, without the address's secrets.

    Args:
        address: the storage's address.
        error: what the database, its driver or Optuna raised.

    Returns:
        The error to raise.
    """
    found = database_error(error)
    while error.__cause__ is not None:
        error = error.__cause__
    reason = str(found.orig if found else error).strip() or type(error).__name__
    reason = address.hide_secrets(reason.splitlines()[0])
    if address.is_sqlite:
        remedy = "check that it is a study's SQLite file, and that it and its folder are writable"
    elif address.kind == "journal":
        remedy = "check that it is a study's journal file, and that it and its folder are writable"
    else:
        remedy = "check the address, the user and that the server is running"
    return SearchError(f"the storage {address.label} does not work ({reason}): {remedy}")


def database_error(error: BaseException) -> DBAPIError | None:
    """Find the error of the database driver behind an exception.

    Args:
        error: the exception.

    Returns:
        `error` itself, or what it was raised from or while handling; None if there is no such error.
    """
    found: BaseException | None = error
    while found is not None and not isinstance(found, DBAPIError):
        found = found.__cause__ or found.__context__
    return found


def _parse(storage: str) -> URL | None:
    # an @ inside a password would end up in the host or the database name, and be shown
    login, _, options = storage.partition("?")
    ambiguous = not storage.startswith("sqlite") and (login.count("@") > 1 or "@" in options)
    try:
        return None if ambiguous else make_url(storage)
    except (ArgumentError, ValueError):
        return None


def _sqlite_address(database: str, storage: str) -> Address:
    if "://" not in storage and _SECRET_PATH.search(storage):
        raise SearchError(
            f"the storage is no path (hidden here: it may hold a password) and has no '://'; {_EXAMPLES}"
        )
    if not database or database == ":memory:":
        raise SearchError(
            f"the storage {redact(storage)!r} names no file, so the study would be lost; {_EXAMPLES}"
        )
    if database.startswith("file:") or "?" in database:
        raise SearchError(f"the storage {storage!r} must be a plain path without 'file:' or '?'; {_EXAMPLES}")
    return Address(f"sqlite:///{database}", database, Path(database))


def _label(url: URL) -> str:
    hidden = {key: "***" for key in url.query if _SECRET_KEY.search(key)}
    return url.update_query_dict(hidden).render_as_string(hide_password=True).replace("%2A", "*")


def _secrets(url: URL) -> tuple[str, ...]:
    found = [url.password or ""]
    for key, value in url.query.items():
        if _SECRET_KEY.search(key):
            found += [value] if isinstance(value, str) else value
    forms = {form for secret in found for form in (secret, quote(secret, safe=""), quote_plus(secret))}
    return tuple(forms - {""})
