"""Studies of the tests skip SQLite's fsync, which is half of their time; the subprocesses' keep it."""

import sqlite3

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine


def skip_fsync(connection: object, record: object) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous = OFF")


@pytest.fixture(autouse=True)
def _no_fsync():
    event.listen(Engine, "connect", skip_fsync)
    yield
    event.remove(Engine, "connect", skip_fsync)
