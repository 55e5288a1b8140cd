"""Claims of several workers in one process, whose clock the test moves; processes are in test_workers.py."""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import pytest
from optuna.storages import InMemoryStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial
from sqlalchemy.exc import OperationalError

from search.problem import Evaluation, Known
from search.samplers.base import Key, Space
from search.storage import connection as connection_module
from search.storage import lease as lease_module
from search.storage.claims import Claims
from search.storage.connection import Connection, connect
from search.storage.trials import Claim

LEASE_S = 30.0
SPACE = Space({"a": (0, 1, 2), "b": ("x", "y")})
KEYS = list(SPACE.grid())
RESULT = Evaluation((1.0, 2.0))


class Study:
    """One study and the workers on it, each with a connection of its own."""

    def __init__(self, connections: Callable[[], Connection]) -> None:
        self._connections = connections
        self.storage = connections().storage
        self.id = self.storage.create_new_study([StudyDirection.MAXIMIZE, StudyDirection.MINIMIZE], "s")
        self.now_s = 0.0

    def worker(self, name: str = "", lease_s: float = LEASE_S) -> Claims:
        """A worker on another machine, if it has a name; without beats until it is entered."""
        claims = Claims(self._connections(), self.id, SPACE, lease_s)
        if name:
            claims.worker = f"{name}|pid:[1]|1|{name}"
        return claims

    @property
    def trials(self) -> list[FrozenTrial]:
        return sorted(self.storage.get_all_trials(self.id), key=lambda trial: trial.number)

    @property
    def states(self) -> list[str]:
        return [trial.state.name for trial in self.trials]


@pytest.fixture(scope="module")
def empty_database(tmp_path_factory) -> Path:
    """Made once, because its tables take longer than a test."""
    path = tmp_path_factory.mktemp("database") / "study.db"
    with connect(str(path), create=True):
        return path


@pytest.fixture(params=["memory", "sqlite", "journal"])
def study(request, tmp_path, monkeypatch, empty_database) -> Iterator[Study]:
    places = {
        "memory": InMemoryStorage(),
        "sqlite": str(shutil.copy(empty_database, tmp_path)),
        "journal": f"journal://{tmp_path / 'study.log'}",
    }
    with ExitStack() as opened:
        study = Study(lambda: opened.enter_context(connect(places[request.param], create=True)))
        monkeypatch.setattr(lease_module, "time", SimpleNamespace(monotonic=lambda: study.now_s))
        monkeypatch.setattr(connection_module, "_DELAYS_S", (0.0, 0.0))
        yield study


def take(worker: Claims, *keys: Key, n_trials: int = 100) -> list[Claim]:
    return worker.take(keys, [Known()] * len(keys), n_trials)


def claim_without_looking(worker: Claims, *keys: Key) -> None:
    """The first half of `take`, so that another worker can come between."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(worker, "_confirm", lambda n_trials: None)
        take(worker, *keys)


def held(worker: Claims) -> list[Key]:
    return [claim.key for claim in worker._held.values()]


def running(worker: Claims) -> list[Key]:
    return [trial.key for trial in worker.look().running]


def test_each_claim_holds_where_nobody_else_wants_it(study: Study):
    one, two = study.worker("one"), study.worker("two")
    assert [claim.key for claim in take(one, *KEYS[:2])] == KEYS[:2]
    assert [claim.key for claim in take(two, *KEYS[2:4])] == KEYS[2:4]
    assert study.states == ["RUNNING"] * 4
    assert (running(one), running(two)) == (KEYS[2:4], KEYS[:2])


def test_of_two_claims_on_a_choice_the_lower_number_holds(study: Study):
    one, two = study.worker("one"), study.worker("two")
    claim_without_looking(one, KEYS[0])
    assert [claim.key for claim in take(two, KEYS[0], KEYS[1])] == held(two) == [KEYS[1]]
    assert [claim.key for claim in take(one, KEYS[2])] == [KEYS[2]]
    assert held(one) == [KEYS[0], KEYS[2]]
    assert study.states == ["RUNNING", "FAIL", "RUNNING", "RUNNING"]


@pytest.mark.parametrize("first", [0, 1])
def test_exactly_the_asked_number_of_trials_is_kept(study: Study, first: int):
    """Whoever looks first, with one trial finished and three to go."""
    workers = [study.worker("one"), study.worker("two")]
    finish_all(workers[0], take(workers[0], KEYS[0]))
    for i, key in enumerate(KEYS[1:6]):
        claim_without_looking(workers[i % 2], key)
    for worker in (workers[first], workers[1 - first]):
        worker._confirm(4)
    assert held(workers[0]) == [KEYS[1], KEYS[3]]
    assert held(workers[1]) == [KEYS[2]]
    assert study.states == ["COMPLETE", *["RUNNING"] * 3, "FAIL", "FAIL"]


def finish_all(worker: Claims, claims: Sequence[Claim]) -> None:
    for claim in claims:
        worker.finish(claim, RESULT)


def test_what_is_finished_is_not_claimed_again(study: Study):
    one, two = study.worker("one"), study.worker("two")
    finish_all(one, take(one, KEYS[0]))
    assert take(two, KEYS[0]) == []
    view = two.look()
    assert [point.number for point in view.new] == [0]
    assert (view.running, view.lost, two.finished) == ([], [], {KEYS[0]})
    assert two.look().new == []
    assert study.states == ["COMPLETE", "FAIL"]


def test_a_result_is_stored_whole(study: Study):
    worker = study.worker()
    known = Known({"cost": 2.0}, {"kind": "a", "parts": [1, 2]}, {"limit": 3.0})
    (claim,) = worker.take([KEYS[3]], [known], 100)
    (trial,) = study.trials
    assert (trial.user_attrs, trial.constraints) == ({"kind": "a", "parts": [1, 2]}, {"limit": 3.0})
    evaluation = Evaluation(
        (1.5, 2.0), {"kind": "a", "parts": [1, 2], "noise": 0.1}, {"limit": 3.0, "b": 0.5, "c": -1}
    )
    worker.finish(claim, evaluation)
    (point,) = worker.look().new
    assert (point.choice, point.values) == (SPACE.choice(KEYS[3]), evaluation.values)
    assert point.attributes == evaluation.attributes
    assert (point.feasible, point.violation) == (False, 3.5)


def test_a_silent_worker_loses_its_claims_after_the_lease(study: Study):
    silent, other = study.worker("silent"), study.worker("other")
    take(silent, *KEYS[:2])
    study.now_s = 1000.0  # the lease counts from when the other first saw the claims
    assert running(other) == KEYS[:2]
    study.now_s += LEASE_S
    view = other.look()
    assert (len(view.running), view.lost) == (2, [])
    study.now_s += 1
    view = other.look()
    assert (view.running, view.lost) == ([], KEYS[:2])
    assert study.states == ["FAIL", "FAIL"]
    third = study.worker("third")
    assert third.look().lost == KEYS[:2]  # it needs no lease to see that nobody has them
    assert [claim.key for claim in take(third, KEYS[1])] == [KEYS[1]]
    assert other.look().lost == [KEYS[0]]
    take(other, KEYS[0])
    assert study.worker("fourth").look().lost == []


def test_failed_trials_that_were_withdrawn_are_not_lost(study: Study):
    one, two = study.worker("one"), study.worker("two")
    claims = take(one, *KEYS[:2])
    assert take(two, KEYS[0]) == []
    finish_all(one, claims)
    assert study.worker("three").look().lost == []


def test_beats_keep_a_slow_worker_s_claims(study: Study):
    slow, other = study.worker("slow", lease_s=0.06), study.worker("other")
    with slow:
        take(slow, KEYS[0])
        for _ in range(3):
            before = beats(study)
            wait_until(lambda seen=before: beats(study) != seen)
            assert running(other) == [KEYS[0]]
            study.now_s += 0.9 * LEASE_S
    assert study.states == ["FAIL"]


def beats(study: Study) -> list[object]:
    return [trial.system_attrs.get("search:beat") for trial in study.trials]


def wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_the_lease_moves_to_the_next_claim(study: Study):
    slow = study.worker("slow", lease_s=0.06)
    with slow:
        first, second = take(slow, *KEYS[:2])
        wait_until(lambda: beats(study)[0] is not None)
        slow.finish(first, RESULT)
        wait_until(lambda: beats(study)[1] is not None)
        slow.finish(second, RESULT)
    assert study.states == ["COMPLETE"] * 2


def test_a_process_that_is_gone_loses_its_claims_at_once(study: Study):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    gone, alive, other = study.worker(), study.worker(), study.worker("other")
    machine, _, tag = gone.worker.rsplit("|", 2)
    gone.worker = f"{machine}|{dead.pid}|{tag}"
    take(gone, KEYS[0])
    take(alive, KEYS[1])
    view = other.look()
    assert (view.lost, [trial.key for trial in view.running]) == ([KEYS[0]], [KEYS[1]])


def test_a_process_number_of_another_machine_says_nothing(study: Study):
    far, other = study.worker("far"), study.worker("other")
    far.worker = "far|pid:[1]|999999999|x"
    take(far, KEYS[0])
    assert running(other) == [KEYS[0]]


def test_a_slow_worker_s_late_result_is_dropped(study: Study):
    slow, other = study.worker("slow"), study.worker("other")
    first, second = take(slow, *KEYS[:2])
    for _ in range(2):
        other.look()
        study.now_s += LEASE_S + 1
    (again,) = take(other, KEYS[0])
    slow.finish(first, Evaluation((9.0, 9.0), {"late": True}))
    other.finish(again, RESULT)
    assert [claim.key for claim in take(slow, KEYS[2])] == [KEYS[2]]
    assert held(slow) == [KEYS[2]]  # the second is known to be lost, without being finished
    slow.finish(second, RESULT)
    assert study.states == ["FAIL", "FAIL", "COMPLETE", "RUNNING"]
    assert [point.values for point in other.look().new] == [RESULT.values]


def test_an_outage_of_the_storage_is_not_silence(study: Study):
    silent, other = study.worker("silent"), study.worker("other")
    take(silent, KEYS[0])
    other.look()
    study.now_s += 10 * LEASE_S
    other._connection.n_losses += 1  # while the storage was away nobody could renew
    assert running(other) == [KEYS[0]]
    study.now_s += LEASE_S
    assert running(other) == [KEYS[0]]
    study.now_s += 1
    assert other.look().lost == [KEYS[0]]


def lose_answers(worker: Claims, name: str, n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next `n` calls do their work in the storage, but their answers do not arrive."""
    storage, left = worker._connection.storage, [n]
    real = getattr(storage, name)

    def call(*arguments, **options):
        answer = real(*arguments, **options)
        if left[0]:
            left[0] -= 1
            raise OperationalError("", {}, Exception("database is locked"))
        return answer

    monkeypatch.setattr(storage, name, call)


@pytest.fixture
def retries_everything(monkeypatch):
    monkeypatch.setattr(Connection, "_is_lost", lambda self, error: True)


@pytest.mark.usefixtures("retries_everything")
def test_a_claim_made_by_a_lost_call_is_withdrawn(study: Study, monkeypatch):
    one, two = study.worker("one"), study.worker("two")
    lose_answers(one, "create_new_trial", 1, monkeypatch)
    (claim,) = take(one, KEYS[0])
    assert study.states == ["FAIL", "RUNNING"]
    one.finish(claim, RESULT)
    assert two.look().lost == []
    assert study.states == ["FAIL", "COMPLETE"]


def test_a_claim_that_arrives_late_is_withdrawn_at_the_next_look(study: Study):
    """Else the worker would wait for itself."""
    one = study.worker("one")
    claims = take(one, KEYS[0])
    copy = study.worker()
    copy.worker = one.worker
    claim_without_looking(copy, KEYS[1])
    finish_all(one, claims)
    view = one.look()
    assert (view.running, view.lost) == ([], [])
    assert study.states == ["COMPLETE", "FAIL"]


@pytest.mark.usefixtures("retries_everything")
def test_a_result_whose_answer_was_lost_is_stored_once(study: Study, monkeypatch):
    one = study.worker("one")
    (claim,) = take(one, KEYS[0])
    lose_answers(one, "set_trial_state_values", 1, monkeypatch)
    one.finish(claim, RESULT)
    assert study.states == ["COMPLETE"]
    assert one.finished == set()
    assert len(one.look().new) == 1


def test_claims_are_given_up_on_leaving(study: Study):
    one = study.worker("one")
    with one:
        finish_all(one, take(one, *KEYS[:2])[:1])
    assert study.states == ["COMPLETE", "FAIL"]


def test_leaving_while_the_storage_is_away_is_silent(study: Study, monkeypatch):
    one = study.worker("one")
    with one:
        take(one, KEYS[0])
        lose_answers(one, "set_trial_state_values", 9, monkeypatch)


def test_trials_that_a_proxy_shows_late_are_seen_once(study: Study, monkeypatch):
    one, two = study.worker("one"), study.worker("two")
    finish_all(one, take(one, *KEYS[:3]))
    storage = two._connection.storage
    real, hidden = storage.get_all_trials, {0}
    monkeypatch.setattr(
        storage,
        "get_all_trials",
        lambda *arguments, **options: [
            trial for trial in real(*arguments, **options) if trial.number not in hidden
        ],
    )
    assert [point.number for point in two.look().new] == [1, 2]
    hidden.clear()
    assert [point.number for point in two.look().new] == [0]
    assert two.look().new == []
