"""A storage's connection: what is tried again, how long, and what is said."""

import contextlib
import errno
import logging
import socket
from types import SimpleNamespace

import grpc
import pytest
from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from optuna.storages import InMemoryStorage, JournalStorage, RDBStorage
from sqlalchemy.exc import (
    DatabaseError,
    InterfaceError,
    OperationalError,
    PendingRollbackError,
    ProgrammingError,
)

from search.errors import SearchError
from search.storage import connection as connection_module
from search.storage.address import read_address
from search.storage.connection import Connection, connect, is_storage_failure
from search.study import load, run
from tests.search.toy import Lens

SERVER = "postgresql+psycopg://user:s3cret@127.0.0.1:1/db"


@pytest.fixture
def slept(monkeypatch) -> list[float]:
    """The pauses that were made, none of which takes time."""
    pauses: list[float] = []
    monkeypatch.setattr(connection_module, "_DELAYS_S", (0.5, 1, 2))
    monkeypatch.setattr(connection_module, "time", SimpleNamespace(sleep=pauses.append))
    return pauses


class Storage(InMemoryStorage):
    """Counts how often its connection was given back."""

    n_removed = 0

    def remove_session(self) -> None:
        self.n_removed += 1


class Failing:
    """A call that fails with these errors, one after the other, and then answers."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.n_calls = 0

    def __call__(self, *arguments: object) -> object:
        self.n_calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return arguments


def connection(address: str = SERVER) -> Connection:
    return Connection(Storage(), read_address(address))


def lost(text: str = "server closed the connection, password s3cret") -> OperationalError:
    return OperationalError("SELECT", {}, Exception(text))


def wrapped(cause: Exception) -> StorageInternalError:
    error = StorageInternalError("An exception is raised during the commit")
    error.__cause__ = cause
    return error


def asked_again(first: Exception) -> StorageInternalError:
    """As Optuna raises it that asks again, in a transaction that is over, after a first error."""
    second = PendingRollbackError("Can't reconnect until invalid transaction is rolled back.")
    second.__context__ = first
    return wrapped(second)


class RpcFailure(grpc.RpcError):
    def __init__(self, code: grpc.StatusCode) -> None:
        super().__init__(f"status {code.name}")
        self._code = code

    def code(self) -> grpc.StatusCode:
        return self._code


def test_a_lost_connection_is_tried_again_and_said(slept, caplog):
    opened, call = connection(), Failing(lost(), lost())
    assert opened.call(call, 1, "two") == (1, "two")
    assert (call.n_calls, opened.n_losses, slept) == (3, 2, [0.5, 1])
    assert isinstance(opened.storage, Storage)
    assert opened.storage.n_removed == 2
    assert [record.name for record in caplog.records] == ["search"] * 2
    assert caplog.messages[0] == (
        "the storage postgresql+psycopg://user:***@127.0.0.1:1/db does not work (server closed the connection,"
        " password ***): check the address, the user and that the server is running; trying again in 0.5 s"
    )


def test_it_is_given_up_after_a_bounded_time(slept):
    opened, call = connection(), Failing(*[lost()] * 9)
    with pytest.raises(
        SearchError, match=r"user:\*\*\*@127\.0\.0\.1:1/db does not work \(server closed"
    ) as caught:
        opened.call(call)
    assert (call.n_calls, slept) == (4, [0.5, 1, 2])
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__  # a traceback would show the driver's message


def test_about_a_minute():
    assert 50 < sum(connection_module._DELAYS_S) < 70


@pytest.mark.parametrize(
    "error",
    [
        InterfaceError("SELECT", {}, Exception("connection already closed")),
        wrapped(lost()),
        wrapped(wrapped(lost())),
        asked_again(lost()),
        DatabaseError("SELECT", {}, Exception("no status"), connection_invalidated=True),
        OSError(errno.ESTALE, "stale file handle"),
        OSError(errno.EIO, "input/output error"),
        ConnectionResetError(errno.ECONNRESET, "connection reset by peer"),
        RpcFailure(grpc.StatusCode.UNAVAILABLE),
        RpcFailure(grpc.StatusCode.DEADLINE_EXCEEDED),
    ],
)
def test_what_may_pass_is_tried_again(slept, error):
    call = Failing(error)
    connection().call(call)
    assert (call.n_calls, slept) == (2, [0.5])


@pytest.mark.parametrize(
    "error",
    [
        ProgrammingError("SELECT", {}, Exception("permission denied")),
        wrapped(ProgrammingError("SELECT", {}, Exception("no such column"))),
        asked_again(ProgrammingError("SELECT", {}, Exception("no such column"))),
        DatabaseError("SELECT", {}, Exception("no status")),
        StorageInternalError("no cause"),
        PermissionError(errno.EACCES, "permission denied"),
        OSError(errno.ENOSPC, "no space left on device"),
        RpcFailure(grpc.StatusCode.PERMISSION_DENIED),
    ],
)
def test_what_does_not_pass_is_said_at_once(slept, error):
    opened, call = connection(), Failing(error)
    with pytest.raises(SearchError, match="does not work"):
        opened.call(call)
    assert (call.n_calls, slept, opened.n_losses) == (1, [], 0)


@pytest.mark.parametrize("error", [ValueError("a mistake"), KeyError("x"), UpdateFinishedTrialError("told")])
def test_mistakes_of_the_caller_go_through(slept, error):
    call = Failing(error)
    with pytest.raises(type(error)):
        connection().call(call)
    assert (call.n_calls, slept) == (1, [])
    assert not is_storage_failure(error)


@pytest.mark.parametrize(("text", "n_calls"), [("database is locked", 2), ("no such table: trials", 1)])
def test_sqlite_is_tried_again_where_it_is_locked_alone(slept, text, n_calls):
    call = Failing(lost(text))
    with contextlib.suppress(SearchError):
        connection("study.db").call(call)
    assert call.n_calls == n_calls


@pytest.mark.parametrize(
    ("url", "seconds"),
    [
        ("postgresql+psycopg://host/db", 10),
        ("postgresql+psycopg2://host/db", 10),
        ("postgresql+psycopg://host/db?connect_timeout=3", None),  # as the address says
        ("mysql+pymysql://host/db", None),
    ],
)
def test_a_dead_server_is_noticed_by_drivers_that_can(url, seconds):
    options = connection_module._socket_options(url)
    assert options.get("connect_timeout") == seconds
    assert options.get("tcp_user_timeout") == (None if "mysql" in url else 60_000)


def test_a_storage_of_optuna_is_taken_as_it_is(tmp_path):
    storage = InMemoryStorage()
    with connect(storage, create=True) as opened:
        assert opened.storage is storage
        assert opened.address.label == "InMemoryStorage"
    run(Lens(), storage, "toy", 30, population=10)
    run(Lens(), storage, "toy", 40, population=10)
    assert load(storage, "toy").n_unique_trials == 40
    path = f"sqlite:///{tmp_path / 'study.db'}"
    run(Lens(), RDBStorage(path), "toy", 10)
    assert load(path, "toy").n_trials == 10


def test_journal_files(tmp_path):
    storage = f"journal://{tmp_path / 'study.log'}"
    with pytest.raises(SearchError, match="there is no storage"), connect(storage, create=False):
        pass
    run(Lens(), storage, "toy", 20, population=10)
    run(Lens(), storage, "toy", 30, population=10)
    assert load(storage, "toy").n_unique_trials == 30
    run(Lens(), str(tmp_path / "study.db"), "toy", 30, population=10)
    assert load(storage, "toy").points == load(str(tmp_path / "study.db"), "toy").points
    with connect(storage, create=False) as opened:
        assert isinstance(opened.storage, JournalStorage)


@pytest.mark.parametrize("content", [b"no journal\n", b"two\nlines\n", b"\xff\xfe\n", b"[1, 2]\n"])
def test_a_file_that_is_no_journal(tmp_path, content):
    (tmp_path / "study.log").write_bytes(content)
    for create in (True, False):
        with (
            pytest.raises(SearchError, match="check that it is a study's journal file") as caught,
            connect(f"journal://{tmp_path / 'study.log'}", create=create),
        ):
            pass
        assert "\n" not in str(caught.value)
    assert (tmp_path / "study.log").read_bytes() == content


def test_a_proxy_that_does_not_run(monkeypatch):
    monkeypatch.setattr(connection_module, "_GRPC_TIMEOUT_S", 0.2)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        with pytest.raises(SearchError, match=f"the storage grpc://127.0.0.1:{port} does not work") as caught:
            load(f"grpc://127.0.0.1:{port}", "toy")
    assert "\n" not in str(caught.value)


def test_a_study_goes_on_after_an_outage(tmp_path, slept, monkeypatch, caplog):
    """Every tenth call of the storage fails once."""
    caplog.set_level(logging.WARNING, "search")
    calls = [0]
    real = Connection.call

    def call(self, action, *arguments, **options):
        def unsteady(*given, **named):
            calls[0] += 1
            if calls[0] % 10 == 0:
                raise OperationalError("", {}, Exception("database is locked"))
            return action(*given, **named)

        return real(self, unsteady, *arguments, **options)

    monkeypatch.setattr(Connection, "call", call)
    run(Lens(), str(tmp_path / "unsteady.db"), "toy", 40, population=20)
    assert len(slept) > 5
    monkeypatch.undo()
    run(Lens(), str(tmp_path / "steady.db"), "toy", 40, population=20)
    unsteady, steady = (load(str(tmp_path / f"{name}.db"), "toy") for name in ("unsteady", "steady"))
    assert unsteady.points == steady.points
