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
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_chain, wait_fixed

from search.errors import SearchError
from search.storage.address import Address, check_file, database_error, read_address, storage_error
from search.storage.journal import open_journal
from search.storage.optuna_adapter import close_database, study_ids

__all__ = ["Connection", "connect", "is_storage_failure"]

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

    Attributes:
        storage: the opened storage.
        address: the address it was opened from.
        n_losses: how often the connection was lost.
    """

    def __init__(self, storage: BaseStorage, address: Address) -> None:
        """Take an opened storage.

        Args:
            storage: the storage.
            address: the address it was opened from.
        """
        self.storage = storage
        self.address = address
        self.n_losses = 0
        self._asked_at: float | None = None
        self._retrying = Retrying(
            retry=retry_if_exception(self._is_lost),
            wait=wait_chain(*map(wait_fixed, _DELAYS_S)),
            stop=stop_after_attempt(len(_DELAYS_S) + 1),
            before_sleep=self._lose,
            sleep=lambda delay_s: time.sleep(delay_s),
            reraise=True,
        )

    def call(
        self, action: Callable[Given, Answer], *arguments: Given.args, **options: Given.kwargs
    ) -> Answer:
        """Call something that uses the storage. A lost connection is tried again for about a minute.

        Every loss is reported on the log `search`.

        Args:
            action: what to call.
            arguments: its arguments.
            options: its arguments by name.

        Returns:
            What `action` returns.

        Raises:
            SearchError: the storage does not work; without the address's secrets.
            Exception: what `action` raises, unless it comes from the storage.
        """
        try:
            return self._attempt(action, *arguments, **options)
        except Exception as error:
            failures = [
                error
            ]  # retrying begins with this failure: to ask it every time costs more than the call

        def attempt() -> Answer:
            if failures:
                raise failures.pop()
            return self._attempt(action, *arguments, **options)

        try:
            return self._retrying(attempt)
        except Exception as error:
            if not is_storage_failure(error):
                raise
            raise storage_error(self.address, error) from None

    def read(
        self, action: Callable[Given, Answer], *arguments: Given.args, **options: Given.kwargs
    ) -> Answer:
        """Call something that only reads from the storage, as `call` does.

        Args:
            action: what to call.
            arguments: its arguments.
            options: its arguments by name.

        Returns:
            What `action` returns.

        Raises:
            SearchError: the storage does not work, or holds what Optuna cannot read: of a damaged file it raises
                exceptions of many kinds.
        """
        try:
            return self.call(action, *arguments, **options)
        except SearchError:
            raise
        except Exception as error:
            raise storage_error(self.address, error) from error

    def _attempt(self, action: Callable[..., Answer], *arguments: Any, **options: Any) -> Answer:
        asked_at, self._asked_at = self._asked_at, monotonic()
        try:
            return action(*arguments, **options)
        finally:
            self._asked_at = asked_at  # of the call that made this one

    def _lose(self, attempt: RetryCallState) -> None:
        """Report a lost connection and give it back, before the pause."""
        error = attempt.outcome.exception() if attempt.outcome else None
        self.n_losses += 1
        self.storage.remove_session()
        problem = storage_error(self.address, error or OSError("no answer"))
        _LOG.warning("%s; trying again in %g s", problem, attempt.upcoming_sleep)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Watch the calls while the context lasts: one that has no answer for long is reported on the log `search`.

        The peer may be stopped while its machine still holds the connection.
        """
        done = threading.Event()
        watch = threading.Thread(target=self._watch, args=(done,), name="watch", daemon=True)
        watch.start()
        try:
            yield
        finally:
            done.set()
            watch.join()

    def _watch(self, done: threading.Event) -> None:
        reported = None
        while not done.wait(_LOOK_S):
            asked_at = self._asked_at
            if asked_at is not None and asked_at != reported and monotonic() - asked_at > _SILENT_S:
                reported = asked_at
                lock = f" (its lock is {self.address.file}.lock)" if self.address.kind == "journal" else ""
                _LOG.warning(
                    "the storage %s has not answered for %g s%s; still waiting",
                    self.address.label,
                    _SILENT_S,
                    lock,
                )

    def find_study(self, study_name: str) -> int:
        """Find a study.

        Args:
            study_name: the study's name.

        Returns:
            Its number in the storage.

        Raises:
            SearchError: there is no such study; names those there are.
        """
        numbers = self.call(study_ids, self.storage)
        if study_name in numbers:
            return numbers[study_name]
        names = list(numbers)
        known = f"it holds {', '.join(map(repr, names[:10]))}" if names else "it holds none"
        more = f" and {len(names) - 10} more" if len(names) > 10 else ""
        raise SearchError(f"{self.address.label} has no study {study_name!r}: {known}{more}; check the name")

    def _is_lost(self, error: BaseException) -> bool:
        """Whether waiting may help: a server that went away, a locked file, a shared disk that is slow."""
        if not is_storage_failure(error):
            return False
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
    """Whether an exception comes from a storage rather than from a mistake of the caller.

    Args:
        error: the exception.

    Returns:
        True for errors of databases, files, Optuna's storages and gRPC.
    """
    return isinstance(error, _FAILURES) or _rpc_code(error) is not None


def _rpc_code(error: BaseException) -> str | None:
    """The name of a gRPC error's status; gRPC is imported by those who use it."""
    if not any(kind.__name__ == "RpcError" for kind in type(error).__mro__):
        return None
    code: Callable[[], Any] = getattr(error, "code", lambda: None)
    return getattr(code(), "name", "")


@contextmanager
def connect(storage: str | BaseStorage, *, create: bool) -> Iterator[Connection]:
    """Open a storage, and close it when the context is left.

    Args:
        storage: an address, as `search.storage.address.read_address` reads it, or a storage object of Optuna, which is
            used as it is and not closed.
        create: whether the storage is created if absent.

    Yields:
        The connection.

    Raises:
        SearchError: the storage cannot be opened, or does not exist and may not be created.
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
        close_database(opened)


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
    except Exception as error:  # of a damaged file Optuna raises exceptions of many kinds
        raise storage_error(address, error) from None


def _socket_options(url: str) -> dict[str, int]:
    """Options for a driver that is built on libpq, except those that the address gives; none for other drivers."""
    parts = make_url(url)
    if parts.get_driver_name() not in ("psycopg", "psycopg2"):
        return {}
    return {name: value for name, value in _SOCKET_OPTIONS.items() if name not in parts.query}


def _open_database(url: str, options: dict[str, Any], create: bool) -> RDBStorage:
    """Open a database; of several workers that create its tables at once all but one fail, and try again."""
    retrying = Retrying(
        retry=retry_if_exception(_is_beaten),
        wait=wait_chain(*map(wait_fixed, (0.2, 0.5, 1, 2))),
        stop=stop_after_attempt(5),
        sleep=lambda delay_s: time.sleep(delay_s),
        reraise=True,
    )
    return retrying(RDBStorage, url, engine_kwargs=options, skip_table_creation=not create)


def _is_beaten(error: BaseException) -> bool:
    """Whether another worker has just created the tables of the database."""
    if not isinstance(error, (SQLAlchemyError, StorageInternalError)):
        return False
    cause = error.__cause__ if isinstance(error, StorageInternalError) else error
    return isinstance(cause, IntegrityError) or "already exists" in str(cause)
