"""Several workers on one study: real processes on real storages, some of them killed."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import optuna
import pytest
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import event

from search.errors import SearchError
from search.storage import connection as connection_module
from search.storage.address import read_address
from search.storage.claims import WORKER
from search.storage.connection import Connection, connect
from search.storage.ledger import LedgerEntry, read, record
from search.study import StudyRecord, load, run
from tests import ROOT
from tests.search import postgres
from tests.search.ladder import GATE, Ladder


@contextlib.contextmanager
def workers(storage: str, n: int, n_trials: int, folder: Path) -> Iterator[list[subprocess.Popen]]:
    """They begin at once. Two share a seed, as when one command is given on several machines; the others do not."""
    started = []
    gate = Path(tempfile.mkdtemp(dir=folder))
    for place in range(n):
        command = [sys.executable, "-m", "search", "run", "tests.search.ladder:build_slow"]
        command += ["--storage", storage, "--study", "s", "--trials", n_trials, "--seed", max(0, place - 1)]
        command += ["--population", 20, "--batch", 5, "--lease", 5]
        with (folder / f"{place}.log").open("w") as log:
            started.append(
                subprocess.Popen(
                    list(map(str, command)),
                    cwd=ROOT,
                    env=os.environ | {GATE: str(gate)},
                    stdout=log,
                    stderr=subprocess.STDOUT,
                )
            )
    try:
        until(lambda: len(list(gate.iterdir())) == n, "the workers did not come up")
        (gate / "open").touch()
        yield started
    finally:
        for process in started:
            process.kill()
            process.wait()


def trials(storage: str) -> list[FrozenTrial]:
    try:
        with connect(storage, create=False) as connection:
            if "s" not in optuna.get_all_study_names(connection.storage):
                return []
            return optuna.load_study(study_name="s", storage=connection.storage).trials
    except SearchError:  # not made yet, or just being restarted
        return []


def until(condition: Callable[[], bool], failure: str, seconds: float = 240) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{failure} within {seconds} s"
        time.sleep(0.1)


def wait_for(storage: str, n_finished: int) -> None:
    until(lambda: len(done(storage)) >= n_finished, f"{n_finished} trials were not finished")


def finish(processes: Sequence[subprocess.Popen], folder: Path) -> None:
    for process in processes:
        assert process.wait(240) == 0, said(folder)


def assert_whole(found: StudyRecord, n_trials: int) -> None:
    """Exactly the trials that were asked for, no choice twice."""
    assert found.n_trials == found.n_unique_trials == n_trials


def key(trial: FrozenTrial) -> tuple:
    return tuple(trial.params[name] for name in Ladder.choices)  # a proxy gives them in any order


def of_worker(process: subprocess.Popen, found: Sequence[FrozenTrial], state: TrialState) -> set[tuple]:
    return {
        key(trial)
        for trial in found
        if trial.state == state and f"|{process.pid}|" in trial.system_attrs[WORKER]
    }


def kill_while_working(process: subprocess.Popen, storage: str) -> set[tuple]:
    """Kill -9 a worker that has finished some trials and holds others; returns these."""
    held: set[tuple] = set()

    def is_caught() -> bool:
        process.send_signal(signal.SIGSTOP)
        found = trials(storage)
        held.update(of_worker(process, found, TrialState.RUNNING))
        if held and of_worker(process, found, TrialState.COMPLETE):
            return True
        held.clear()
        process.send_signal(signal.SIGCONT)
        return False

    until(is_caught, "the worker was not caught at work")
    process.kill()
    process.wait()
    return held


@pytest.fixture
def server() -> Iterator[postgres.Server]:
    with postgres.serve() as server:
        yield server


@pytest.mark.parametrize(("ci", "outcome"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_without_postgresql_tests_are_skipped_but_fail_in_ci(monkeypatch, ci, outcome):
    monkeypatch.setattr(postgres, "find_binaries", lambda: None)
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match="apt-get install postgresql"), postgres.serve():
        pass


def test_a_study_on_postgresql(server, caplog):
    run(Ladder(), server.url, "s", 12, population=5)
    run(Ladder(), server.url, "s", 30, population=5)
    assert_whole(load(server.url, "s"), 30)
    wrong = server.url.replace("s3cret", "gu3ss")
    with pytest.raises(SearchError, match=r"postgres:\*\*\*@.* password authentication failed") as caught:
        load(wrong, "s")
    assert "gu3ss" not in str(caught.value) + caplog.text


def test_a_connection_lost_in_the_middle_of_reading(server, caplog):
    run(Ladder(), server.url, "s", 12)
    storage = RDBStorage(server.url)
    connection = Connection(storage, read_address(server.url))
    ended = []

    @event.listens_for(storage.engine, "before_cursor_execute")
    def end(opened, cursor, statement, *rest):
        # not the transaction's first question, after whose failure Optuna asks again in the same transaction
        if "FROM trial_user_attributes" in statement and not ended:
            ended.append(cursor.connection.info.backend_pid)
            server.end_connection(ended[0])

    assert len(connection.call(storage.get_all_trials, connection.find_study("s"))) == 12
    storage.engine.dispose()
    assert connection.n_losses == len(ended) == 1
    assert "terminating connection due to administrator command" in caplog.text
    assert "trying again in 0.5 s" in caplog.text


def test_a_server_that_does_not_answer_is_said(server, caplog, monkeypatch):
    run(Ladder(), server.url, "s", 3)
    assert not caplog.messages
    monkeypatch.setattr(connection_module, "_SILENT_S", 0.5)
    monkeypatch.setattr(connection_module, "_LOOK_S", 0.1)
    with connect(server.url, create=False) as connection:
        caplog.clear()  # on a busy machine even to connect takes that long

        def read() -> int:
            study_id = connection.find_study("s")  # a call within the call
            with server.stopped_for(2):
                return len(connection.storage.get_all_trials(study_id))

        assert connection.call(read) == 3
    assert caplog.messages == [
        f"the storage {connection.address.label} has not answered for 0.5 s; still waiting"
    ]


@pytest.mark.slow
def test_four_workers_two_killed_and_postgresql_restarted(server, tmp_path):
    with workers(server.url, 4, 200, tmp_path) as processes:
        wait_for(server.url, 40)
        lost = kill_while_working(processes[1], server.url) | kill_while_working(processes[2], server.url)
        assert lost
        until(lambda: lost <= done(server.url), "the dead workers' choices were not evaluated", 60)
        wait_for(server.url, 110)
        server.stop()
        until(lambda: "trying again" in said(tmp_path), "no lost connection was said")
        server.start()
        finish([processes[0], processes[3]], tmp_path)
    found = trials(server.url)
    assert_whole(load(server.url, "s"), 200)
    assert TrialState.RUNNING not in {trial.state for trial in found}
    finished_by = Counter(t.system_attrs[WORKER] for t in found if t.state == TrialState.COMPLETE)
    assert len(finished_by) == 4  # all took part
    logs = said(tmp_path)
    assert re.search(
        r"the storage postgresql\+psycopg://postgres:\*\*\*@127.* does not work .*; trying again in", logs
    )
    for form in (postgres.PASSWORD, "s3cret"):
        assert form not in logs


def said(folder: Path) -> str:
    return "".join(path.read_text() for path in folder.glob("[0-9].log"))


def done(storage: str) -> set[tuple]:
    return {key(t) for t in trials(storage) if t.state == TrialState.COMPLETE}


def kill_one_of_three(storage: str, folder: Path) -> None:
    """The other two make exactly what was asked for, the killed worker's choices too."""
    with workers(storage, 3, 60, folder) as processes:
        wait_for(storage, 10)
        lost = kill_while_working(processes[0], storage)
        finish(processes[1:], folder)
    assert_whole(load(storage, "s"), 60)
    assert lost <= done(storage)


@pytest.mark.slow
def test_workers_on_a_journal_file(tmp_path):
    storage = f"journal://{tmp_path / 'study.log'}"
    kill_one_of_three(storage, tmp_path)


@pytest.mark.slow
def test_workers_through_a_grpc_proxy(server, tmp_path):
    port = postgres.free_port()
    serve = f"""
import optuna
storage = optuna.storages.get_storage({server.url!r})
optuna.storages.run_grpc_proxy_server(storage, host="127.0.0.1", port={port})
"""
    storage = f"grpc://127.0.0.1:{port}"
    proxy = subprocess.Popen([sys.executable, "-c", serve], cwd=tmp_path)
    try:
        kill_one_of_three(storage, tmp_path)
        entry = LedgerEntry("built", 1, "/ladder", "aa", facts={"height_m": 2.5})
        record(storage, "s", entry)
        assert read(storage, "s") == [entry]
    finally:
        proxy.kill()
        proxy.wait()


@pytest.mark.slow
def test_a_worker_alone_goes_on_at_once_after_a_kill(tmp_path):
    storage = str(tmp_path / "study.db")
    with workers(storage, 1, 30, tmp_path) as processes:
        wait_for(storage, 5)
        kill_while_working(processes[0], storage)
    with workers(storage, 1, 30, tmp_path) as processes:
        finish(processes, tmp_path)
    with workers(str(tmp_path / "whole.db"), 1, 30, tmp_path) as processes:
        finish(processes, tmp_path)
    assert_whole(load(storage, "s"), 30)
    choices = [[p.choice for p in load(place, "s").points] for place in (storage, str(tmp_path / "whole.db"))]
    assert choices[0] == choices[1]
