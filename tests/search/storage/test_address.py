import re
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from search.errors import SearchError
from search.storage.address import (
    check_file,
    check_other_file,
    lacks_password,
    lasting_address,
    read_address,
    redact,
    storage_error,
)

SERVER = "postgresql+psycopg://user:s3cret@127.0.0.1:1/db"


@pytest.mark.parametrize(
    ("storage", "url", "file"),
    [
        ("study.db", "sqlite:///study.db", "study.db"),
        ("/tmp/a b/study.db", "sqlite:////tmp/a b/study.db", "/tmp/a b/study.db"),
        ("sqlite:///runs/study.db", "sqlite:///runs/study.db", "runs/study.db"),
        ("sqlite:////tmp/a@b.db", "sqlite:////tmp/a@b.db", "/tmp/a@b.db"),
    ],
)
def test_sqlite_addresses(storage, url, file):
    address = read_address(storage)
    assert (address.url, address.label, address.file) == (url, file, Path(file))


def test_server_address():
    address = read_address(SERVER)
    assert address.url == SERVER
    assert address.label == "postgresql+psycopg://user:***@127.0.0.1:1/db"
    assert address.file is None
    assert "s3cret" not in repr(address)


@pytest.mark.parametrize(
    ("storage", "file"),
    [("journal://study.log", "study.log"), ("journal:///tmp/a b:c@d.log", "/tmp/a b:c@d.log")],
)
def test_journal_addresses(storage, file):
    address = read_address(storage)
    assert (address.kind, address.label, address.file) == ("journal", storage, Path(file))
    assert not address.is_sqlite
    assert redact(storage) == storage


@pytest.mark.parametrize(
    ("storage", "host_and_port"),
    [("grpc://127.0.0.1:13000", ("127.0.0.1", 13000)), ("grpc://Hub.local:1", ("hub.local", 1))],
)
def test_proxy_addresses(storage, host_and_port):
    address = read_address(storage)
    assert (address.kind, address.label, address.file) == ("grpc", storage, None)
    assert address.host_and_port == host_and_port
    assert not address.is_sqlite


@pytest.mark.parametrize("storage", ["study.db", "sqlite:///study.db", SERVER])
def test_databases(storage):
    address = read_address(storage)
    assert (address.kind, address.is_sqlite) == ("database", storage != SERVER)


@pytest.mark.parametrize(
    "storage",
    [
        SERVER,
        "postgresql://user:s3cret",
        "postgresql://user:s3cret@",
        "postgresql://:s3cret@host/db",
        "postgresql://user:a@s3cret@host/db",
        "postgresql://user:a@b/s3cret@host/db",
        "postgresql://user:a/s3cret@host/db",
        "postgresql://host/db?user=u&password=s3cret",
        "postgresql://host/db?sslpassword=s3cret&connect_timeout=3",
        "mysql+pymysql://user:%73s3cret@host/db",
        "user:s3cret@host/db",
        "postgresql:/user:s3cret@host/db",
        "://user:s3cret@host",
        "user:s3cret\n@host/db",
        "user:s3cret://x@host/db",
        "host=127.0.0.1 user=u password=s3cret dbname=db",
        "postgresql://user@host:1/db?password=a@s3cret",
        "postgresql://host:1/db?user=u&password=a@s3cret",
        "sqlite+pysqlcipher://:s3cret@/study.db",
        "sqlite://user:s3cret@host",
        "sqlite:///study.db?password=s3cret",
        "grpc://user:s3cret@host:1",
        "grpc://user:s3cret@host",
        "grpc://user@s3cret@host:1",
    ],
)
def test_passwords_are_never_shown(storage):
    assert "s3cret" not in redact(storage)
    try:
        shown = repr(read_address(storage))
    except SearchError as error:
        shown = str(error)
    assert "s3cret" not in shown
    assert "\n" not in shown


def test_redact_keeps_the_rest():
    assert redact("study.db") == "study.db"
    assert redact("sqlite:////tmp/x:a@b.db") == "sqlite:////tmp/x:a@b.db"
    assert redact("postgresql://host:5432/db") == "postgresql://host:5432/db"
    assert redact("postgresql://u:p@h:1/db?options=x") == "postgresql://u:***@h:1/db?options=x"
    assert redact("postgresql://h/db?password=p&a=b") == "postgresql://h/db?a=b&password=***"


@pytest.mark.parametrize("form", ["p@ss word", "p%40ss%20word", "p%40ss+word"])
def test_driver_messages_are_hidden_and_cut_to_a_line(form):
    address = read_address("postgresql://u:p%40ss%20word@h/db")
    error = OperationalError("SELECT", {}, Exception(f"cannot log in with {form}\nsecond line"))
    text = str(storage_error(address, error))
    assert "(cannot log in with ***)" in text
    assert "\n" not in text


@pytest.mark.parametrize(
    ("storage", "words"),
    [
        ("", "names no file"),
        (":memory:", "names no file"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite:///file:a.db", "must be a plain path"),
        ("a?b.db", "must be a plain path"),
        ("sqlite:///a.db?mode=ro", "has options after '?'"),
        ("journal://", "the storage 'journal://' names no file: write journal://study.log"),
        ("grpc://", "is not grpc://HOST:PORT"),
        ("grpc://host", "the storage grpc://host is not grpc://HOST:PORT: correct it"),
        ("grpc://host:", "is not grpc://HOST:PORT"),
        ("grpc://:13000", "is not grpc://HOST:PORT"),
        ("grpc://host:0", "is not grpc://HOST:PORT"),
        ("grpc://host:99999", "is not grpc://HOST:PORT"),
        ("grpc://host:13000/db", "is not grpc://HOST:PORT"),
        ("grpc://host:13000?token=x", "is not grpc://HOST:PORT"),
        ("postgresql://host:port/db", "the storage URL postgresql://*** cannot be read"),
    ],
)
def test_refused_storages(storage, words):
    with pytest.raises(SearchError, match=re.escape(words)):
        read_address(storage)


@pytest.mark.parametrize(
    ("storage", "remedy"),
    [
        ("study.db", "check that it is a study's SQLite file"),
        ("journal://study.log", "check that it is a study's journal file"),
        ("grpc://host:1", "check the address, the user and that the server is running"),
        (SERVER, "check the address, the user and that the server is running"),
    ],
)
def test_errors_say_what_to_do(storage, remedy):
    text = str(storage_error(read_address(storage), OSError("no luck")))
    assert f"does not work (no luck): {remedy}" in text


def test_the_files_of_journals(tmp_path):
    with pytest.raises(SearchError, match="is a folder"):
        check_file(read_address(f"journal://{tmp_path}"), create=True)
    with pytest.raises(SearchError, match=re.escape(f"make {tmp_path / 'none'} first")):
        check_file(read_address(f"journal://{tmp_path}/none/study.log"), create=True)
    with pytest.raises(SearchError, match=re.escape(f"there is no storage {tmp_path / 'study.log'}")):
        check_file(read_address(f"journal://{tmp_path}/study.log"), create=False)
    check_file(read_address("grpc://host:1"), create=False)


def test_files_that_cannot_be(tmp_path):
    with pytest.raises(SearchError, match="is a folder"):
        check_file(read_address(str(tmp_path)), create=True)
    with pytest.raises(SearchError, match=re.escape(f"make {tmp_path / 'none'} first")):
        check_file(read_address(str(tmp_path / "none" / "study.db")), create=True)
    with pytest.raises(SearchError, match=re.escape(f"there is no storage {tmp_path / 'study.db'}")):
        check_file(read_address(str(tmp_path / "study.db")), create=False)
    check_file(read_address(str(tmp_path / "study.db")), create=True)
    check_file(read_address(SERVER), create=False)


@pytest.mark.parametrize("storage", ["study.db", "sqlite:///study.db", "journal://study.db"])
def test_no_file_is_written_over_a_storage(storage, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    for out in (Path("study.db"), tmp_path / "folder" / ".." / "study.db"):
        with pytest.raises(SearchError, match=re.escape(f"{out} is the study's storage")):
            check_other_file(out, storage)
    check_other_file(Path("front.html"), storage)
    check_other_file(Path("study.db"), SERVER)


@pytest.mark.parametrize(
    ("storage", "written", "openable"),
    [
        ("a b/study.db", "sqlite:///{here}/a b/study.db", True),
        ("sqlite:///study.db", "sqlite:///{here}/study.db", True),
        ("sqlite:////tmp/a:b@c.db", "sqlite:////tmp/a:b@c.db", True),
        ("journal://study.log", "journal://{here}/study.log", True),
        ("grpc://localhost:13000", "grpc://localhost:13000", True),
        ("postgresql+psycopg://user@host/db", "postgresql+psycopg://user@host/db", True),
        (SERVER, "postgresql+psycopg://user:***@127.0.0.1:1/db", False),
        ("postgresql://host/db?user=u&password=s3cret", "postgresql://host/db?password=***&user=u", False),
    ],
)
def test_addresses_to_write_down(storage, written, openable, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert lasting_address(storage) == written.format(here=tmp_path)
    assert lacks_password(lasting_address(storage)) is not openable
    if openable:
        assert lasting_address(lasting_address(storage)) == lasting_address(storage)
