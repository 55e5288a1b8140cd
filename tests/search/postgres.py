"""A real PostgreSQL server in a temporary folder."""

import contextlib
import glob
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

PASSWORD = "s3cret/words"
URL = "postgresql+psycopg://postgres:s3cret%2Fwords@127.0.0.1:{port}/postgres"
REMEDY = "PostgreSQL is not installed: apt-get install postgresql, or run `make test` as root"


@dataclass(frozen=True)
class Server:
    """A server that runs until its folder is removed."""

    binaries: Path
    folder: Path
    port: int

    @property
    def url(self) -> str:
        return URL.format(port=self.port)

    def control(self, *arguments: str) -> None:
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        command = [self.binaries / "pg_ctl", "-D", self.folder / "data", "-w", "-l", self.folder / "log"]
        self.run(*command, "-o", options, *arguments)

    def run(self, *command: object) -> None:
        # PostgreSQL refuses to run as root.
        user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        done = subprocess.run([*user, *map(str, command)], capture_output=True, text=True, cwd=self.folder)
        assert done.returncode == 0, done.stderr + done.stdout

    def start(self) -> None:
        self.control("start")

    def stop(self) -> None:
        """As it ends when the machine crashes."""
        self.control("-m", "immediate", "stop")

    def end_connection(self, process: int) -> None:
        """As an administrator ends it."""
        with psycopg.connect(self.url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute("SELECT pg_terminate_backend(%s, 5000)", [process])

    @contextlib.contextmanager
    def stopped_for(self, seconds: float) -> Iterator[None]:
        """Its processes for those who are connected hold still, as on a machine that is suspended."""
        clients = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        with psycopg.connect(self.url.replace("+psycopg", "")) as connection:
            processes = [process for (process,) in connection.execute(clients)]
        for process in processes:
            os.kill(process, signal.SIGSTOP)
        wake = threading.Timer(seconds, lambda: [os.kill(process, signal.SIGCONT) for process in processes])
        wake.start()
        yield
        wake.join()


def find_binaries() -> Path | None:
    """The folder of initdb and pg_ctl: Debian keeps them off the path."""
    places = [Path(place) for place in sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)]
    on_path = shutil.which("initdb")
    if on_path:
        places.append(Path(on_path).parent)
    return next((place for place in places if (place / "pg_ctl").exists()), None)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextlib.contextmanager
def serve() -> Iterator[Server]:
    binaries = find_binaries()
    if binaries is None:
        # A machine of CI has the rights to install it, so its absence there is a mistake.
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(REMEDY)
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    server = Server(binaries, folder, free_port())
    try:
        (folder / "password").write_text(PASSWORD)
        if os.geteuid() == 0:
            for path in (folder, folder / "password"):
                shutil.chown(path, "postgres", "postgres")
        login = ("-A", "scram-sha-256", "-U", "postgres", f"--pwfile={folder / 'password'}")
        server.run(binaries / "initdb", "-D", folder / "data", "-N", *login)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)
