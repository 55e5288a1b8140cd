"""An opened storage of Optuna: every call's errors in one line, lost connections tried again."""

from __future__ import annotations

import errno
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any, ParamSpec, TypeVar

import optuna
from optuna.exceptions import DuplicatedStudyError, StorageInternalError
from optuna.storages import BaseStorage, GrpcStorageProxy, JournalStorage, RDBStorage
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError, SQLAlchemyError

from search.errors import SearchError
from search.storage.address import Address, check_file, database_error, read_address, storage_error
from search.storage.journal import open_journal

_LOG = logging.getLogger("search")
_SQLITE_TIMEOUT_S = 60
_GRPC_TIMEOUT_S = 10
_SILENT_S = 30.0
_LOOK_S = 1.0
_DELAYS_S = (0.5, 1, 2, 4, 8, 8, 8, 8, 8, 8)
_SOCKET_OPTIONS = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
"""libpq's (PostgreSQL's manual, 34.1.2), in s and the last in ms: a dead peer is noticed within about a minute."""

_FAILURES = (SQLAlchemyError, StorageInternalError, DuplicatedStudyError, OSError)

Given = ParamSpec("Given")
Answer = TypeVar("Answer")


class Connection:
    """A storage of Optuna and the address it was opened from.

    `n_losses` counts how often the connection was lost. Within `watched` a call that has no answer for long is said
    on the log `search`.
    """

    def __init__(self, storage: BaseStorage, address: Address) -> None:
        self.storage = storage
        self.address = address
        self.n_losses = 0
        self._asked_at: float | None = None

    def call(
        self, action: Callable[Given, Answer], *arguments: Given.args, **options: Given.kwargs
    ) -> Answer:
        """What `action` answers. A lost connection is said on the log `search` and tried again for about a minute.

        Raises SearchError, without the address's secrets, where the storage does not work.
        """
        for delay_s in (*_DELAYS_S, None):
            asked_at, self._asked_at = self._asked_at, monotonic()
            try:
                return action(*arguments, **options)
            except Exception as error:
                if not is_storage_failure(error):
                    raise
                if delay_s is None or not self._is_lost(error):
                    raise storage_error(self.address, error) from None
                problem = storage_error(self.address, error)
            finally:
                self._asked_at = asked_at  # of the call that made this one
            self.n_losses += 1
            self.storage.remove_session()
            _LOG.warning("%s; trying again in %g s", problem, delay_s)
            time.sleep(delay_s)
        raise AssertionError("the last turn returns or raises")

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Watch the calls until it is left: the peer may be stopped, and its machine still hold the connection."""
        done = threading.Event()
        watch = threading.Thread(target=self._watch, args=(done,), name="watch", daemon=True)
        watch.start()
        try:
            yield
        finally:
            done.set()
            watch.join()

    def _watch(self, done: threading.Event) -> None:
        said = None
        while not done.wait(_LOOK_S):
            asked_at = self._asked_at
            if asked_at is not None and asked_at != said and monotonic() - asked_at > _SILENT_S:
                said = asked_at
                _LOG.warning(
                    "the storage %s has not answered for %g s; still waiting", self.address.label, _SILENT_S
                )

    def find_study(self, study_name: str) -> int:
        """The study's number in the storage; SearchError, with the names there are, where it has no such study."""
        numbers = {study.study_name: study._study_id for study in self.call(self.storage.get_all_studies)}
        if study_name in numbers:
            return numbers[study_name]
        names = list(numbers)
        known = f"it holds {', '.join(map(repr, names[:10]))}" if names else "it holds none"
        more = f" and {len(names) - 10} more" if len(names) > 10 else ""
        raise SearchError(f"{self.address.label} has no study {study_name!r}: {known}{more}; check the name")

    def _is_lost(self, error: Exception) -> bool:
        """Whether it may pass by waiting: a server that went away, a locked file, a shared disk that is slow."""
        if _rpc_code(error) in ("UNAVAILABLE", "DEADLINE_EXCEEDED", "UNKNOWN"):
            return True
        if isinstance(error, ConnectionError):
            return True
        if isinstance(error, OSError):
            return error.errno in (errno.ESTALE, errno.EIO, errno.ETIMEDOUT)
        # Optuna asks again within a transaction that the lost connection has ended: the error is then another.
        cause = database_error(error)
        if cause is None:
            return False
        if self.address.is_sqlite:
            return "locked" in str(cause)
        return cause.connection_invalidated or isinstance(cause, (OperationalError, InterfaceError))


def is_storage_failure(error: BaseException) -> bool:
    """Whether an exception comes from a storage rather than from a mistake of the caller."""
    return isinstance(error, _FAILURES) or _rpc_code(error) is not None


def _rpc_code(error: BaseException) -> str | None:
    """The name of a gRPC error's status; gRPC is imported by those who use it."""
    if not any(kind.__name__ == "RpcError" for kind in type(error).__mro__):
        return None
    code: Callable[[], Any] = getattr(error, "code", lambda: None)
    return getattr(code(), "name", "")


@contextmanager
def connect(storage: str | BaseStorage, *, create: bool) -> Iterator[Connection]:
    """Open a storage by its address, or take one of Optuna's as it is; closed on leaving.

    Raises SearchError where it cannot be opened; without `create` it must exist already.
    """
    if isinstance(storage, BaseStorage):
        yield Connection(optuna.storages.get_storage(storage), Address("", type(storage).__name__, None))
        return
    address = read_address(storage)
    check_file(address, create=create)
    opened = _open(address, create)
    connection = Connection(opened, address)
    try:
        with connection.watched():
            yield connection
    finally:
        opened.remove_session()
        if isinstance(opened, GrpcStorageProxy):
            opened.close()
        backend = getattr(opened, "_backend", None)
        if isinstance(backend, RDBStorage):
            backend.engine.dispose()


def _open(address: Address, create: bool) -> BaseStorage:
    try:
        if address.kind == "journal":
            return JournalStorage(open_journal(Path(str(address.file))))
        if address.kind == "grpc":
            host, port = address.host_and_port
            proxy = GrpcStorageProxy(host=host, port=port)
            proxy.wait_server_ready(_GRPC_TIMEOUT_S)
            return proxy
        if address.is_sqlite:
            options: dict[str, Any] = {"connect_args": {"timeout": _SQLITE_TIMEOUT_S}}
        else:
            options = {"pool_pre_ping": True, "connect_args": _socket_options(address.url)}
        return optuna.storages.get_storage(_open_database(address.url, options, create))
    except ImportError as error:
        raise SearchError(
            f"the storage {address.label} needs a driver: {error.__cause__ or error}; install it"
        ) from None
    except (*_FAILURES, ValueError, TypeError, KeyError, RuntimeError) as error:
        raise storage_error(address, error) from None


def _socket_options(url: str) -> dict[str, int]:
    """For a driver that is built on libpq, but what the address says itself; others have none."""
    parts = make_url(url)
    if parts.get_driver_name() not in ("psycopg", "psycopg2"):
        return {}
    return {name: value for name, value in _SOCKET_OPTIONS.items() if name not in parts.query}


def _open_database(url: str, options: dict[str, Any], create: bool) -> RDBStorage:
    """A database's storage; of several workers that make its tables at once all but one fail, and look again."""
    for delay_s in (0.2, 0.5, 1, 2, None):
        try:
            return RDBStorage(url, engine_kwargs=options, skip_table_creation=not create)
        except (SQLAlchemyError, StorageInternalError) as error:
            cause = error.__cause__ if isinstance(error, StorageInternalError) else error
            beaten = isinstance(cause, IntegrityError) or "already exists" in str(cause)
            if not beaten or delay_s is None:
                raise
        time.sleep(delay_s)
    raise AssertionError("the last turn returns or raises")
