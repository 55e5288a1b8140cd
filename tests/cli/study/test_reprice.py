"""`mfagan reprice`: another device's front from a finished study."""

import json
from pathlib import Path

import pytest

from mfagan.sr.shipped import EXACT
from search import pareto
from search.benchmarks.tabular import TabularProblem
from search.latency import LatencyTable
from search.study import load
from tests import tiny
from tests.command import Run, search_command


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of a device on which wide heads and tails are slow and all else is fast."""
    path = tiny.write_table(tmp_path_factory.mktemp("luts") / "other.json", device="another")
    content = json.loads(path.read_text())
    for i, key in enumerate(sorted(content["entries"])):
        content["entries"][key]["latency_ms"] = 1.0 + i * i
    path.write_text(json.dumps(content))
    return path


def test_a_repriced_study_is_the_one_that_a_search_would_make(
    run: Run, trained: Path, table: Path, other: Path, tmp_path: Path
):
    storage = tmp_path / "study.db"
    assert run(*search_command(trained, table, storage)).status == 0
    done = run("reprice", "--lut", other, "--storage", storage, "--study", "s", "--to", "there")
    assert done.status == 0, done.err
    assert "study there: 6 trials of s" in done.out
    before, after = load(str(storage), "s"), load(str(storage), "there")
    assert [point.choice for point in after.points] == [point.choice for point in before.points]
    assert [point.values[0] for point in after.points] == [point.values[0] for point in before.points]
    assert [point.values[1] for point in after.points] != [point.values[1] for point in before.points]
    assert after.identity == dict(before.identity) | {"lut_sha256": LatencyTable.read(other).sha256}
    assert after.origin["repriced_from"] == "s"
    assert after.origin["lut_sha256"] == LatencyTable.read(table).sha256
    # A search with the other table accepts it as its own and goes on.
    words = search_command(trained, other, storage, trials=8)
    words[words.index("s")] = "there"
    assert run(*words).status == 0
    grown = load(str(storage), "there")
    assert grown.n_trials == 8
    assert grown.points[:6] == after.points
    # The same choices, searched with the other table, have the same values.
    for point in grown.points[6:]:
        assert point.attributes.keys() == grown.points[0].attributes.keys()


def test_the_same_command_again_adds_nothing_and_history_names_the_origin(
    run: Run, trained: Path, table: Path, other: Path, tmp_path: Path
):
    storage = tmp_path / "study.db"
    assert run(*search_command(trained, table, storage)).status == 0
    words = ["reprice", "--lut", other, "--storage", storage, "--study", "s"]
    assert [run(*words).status for _ in range(2)] == [0, 0]
    assert load(str(storage), "s-other").n_trials == 6
    told = run("history", "--storage", storage, "--study", "s-other").out
    assert "repriced_from       s\n" in told
    as_json = json.loads(run("history", "--storage", storage, "--study", "s-other", "--json").out)
    assert as_json["origin"]["repriced_from"] == "s"
    done = run("pick", "--storage", storage, "--study", "s-other", "--knee", "--out", tmp_path / "p.json")
    assert done.status == 0, done.err
    page = tmp_path / "both.html"
    words = ["front", "--storage", storage, "--study", "s", "--study", "s-other", "--out", page]
    assert run(*words).status == 0
    assert "s-other" in page.read_text()


def test_the_front_of_a_device_under_load(run: Run, trained: Path, table: Path, other: Path, tmp_path: Path):
    storage, rested, warm = tmp_path / "study.db", LatencyTable.read(other), tmp_path / "warm.json"
    entries = {
        key: entry.model_copy(update={"sustained_ms": 3 * entry.latency_ms})
        for key, entry in rested.entries.items()
    }
    warm.write_text(rested.model_copy(update={"entries": entries}).to_json())
    assert run(*search_command(trained, table, storage)).status == 0
    where = ["--storage", storage, "--study", "s"]
    refused = run("reprice", "--lut", other, "--sustained", *where)
    assert "no latency under load; build it with" in refused.message
    for more in ([], ["--sustained"]):
        assert run("reprice", "--lut", warm, *more, *where).status == 0
    cold, hot = (load(str(storage), name) for name in ("s-warm", "s-warm-sustained"))
    pairs = zip(cold.points, hot.points, strict=True)
    assert all(one.values[1] == pytest.approx(3 * before.values[1]) for before, one in pairs)
    words = search_command(trained, warm, storage, trials=8)
    words[words.index("s")] = "s-warm-sustained"
    assert "has identity 'lut_sha256'" in run(*words).message
    done = run(*words, "--sustained")
    assert done.status == 0, done.err
    assert load(str(storage), "s-warm-sustained").n_trials == 8


def test_a_study_refuses_another_table(run: Run, trained: Path, table: Path, other: Path, tmp_path: Path):
    storage = tmp_path / "study.db"
    assert run(*search_command(trained, table, storage, trials=2)).status == 0
    assert "has identity 'lut_sha256'" in run(*search_command(trained, other, storage)).message


def test_an_exact_table_is_priced_again(run: Run, other: Path, tmp_path: Path):
    out = tmp_path / "exact.json"
    done = run("reprice", "--exact", EXACT, "--lut", other, "--out", out)
    assert done.status == 0, done.err
    before, after = TabularProblem.read(EXACT), TabularProblem.read(out)
    assert (after.values[:, 0] == before.values[:, 0]).all()
    assert after.identity() == before.identity() | {"lut_sha256": LatencyTable.read(other).sha256}
    directions = [objective.direction for objective in after.objectives]
    assert f"{int(pareto.front_mask(after.values, directions).sum())} on the front of another" in done.out
    again = tmp_path / "again.json"
    assert run("reprice", "--exact", out, "--lut", "litert-epyc-2-threads", "--out", again).status == 0
    assert (TabularProblem.read(again).values == before.values).all()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--exact", EXACT], "--exact and --out go together"),
        (["--to", "s"], "--to s: it is the study that is priced again"),
        (["--supernet", "none.safetensors"], "none.safetensors"),
    ],
)
def test_bad_input(
    run: Run, trained: Path, table: Path, other: Path, tmp_path: Path, words: list, message: str
):
    storage = tmp_path / "study.db"
    assert run(*search_command(trained, table, storage, trials=2)).status == 0
    done = run("reprice", "--lut", other, "--storage", storage, "--study", "s", *words)
    assert message in done.message
