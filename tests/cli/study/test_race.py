"""`mfagan search --race` through the command line, and what the other commands make of a raced study."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from search.benchmarks.scored import STEP, ScoredProblem
from search.racing.settings import Race
from search.study import load
from tests.command import Run, search_command


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> Path:
    """Twelve pictures of blurred noise."""
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    for i in range(12):
        small = Image.fromarray(rng.integers(0, 256, (6 + i, 6 + i, 3), dtype=np.uint8))
        small.resize((32, 32), Image.Resampling.BICUBIC).save(folder / f"{i:02}.png")
    return folder


def raced(trained: Path, table: Path, photos: Path, storage: Path, trials: int = 40) -> list[object]:
    command = search_command(trained, table, storage, trials)
    command[command.index("--images") + 1] = photos
    command[command.index("--max-images") + 1] = 12
    return command


def test_a_race_and_its_readers(run: Run, trained: Path, table: Path, photos: Path, tmp_path: Path):
    storage = tmp_path / "study.db"
    command = raced(trained, table, photos, storage)
    result = run(*command, "--race", 0.3)
    record = load(str(storage), "s")
    assert record.race == Race(0.3)
    assert record.n_trials == record.n_unique_trials == 40
    assert record.pruned
    assert f"study s: 40 trials, {len(record.pruned)} of them dropped early, " in result.out
    where = ("--storage", storage, "--study", "s")
    assert run("front", *where, "--out", tmp_path / "front.html").status == 0
    assert run("history", *where).status == 0
    dropped = record.pruned[0].number
    assert run("pick", *where, "--trial", dropped, "--out", tmp_path / "p.json").status == 2
    assert "was raced and dropped" in run("tabulate", *where, "--out", tmp_path / "t.json").message
    repriced = run("reprice", *where, "--lut", table, "--to", "again")
    assert f"{len(record.pruned)} slices that the race dropped are left out" in repriced.err
    assert load(str(storage), "again").n_trials == len(record.points)
    words = "is raced with error probability 0.3 from 4 cases on, this search is not raced"
    assert words in run(*raced(trained, table, photos, storage, 50)).message


def test_races_that_cannot_be(run: Run, trained: Path, table: Path, photos: Path, tmp_path: Path):
    command = raced(trained, table, photos, tmp_path / "study.db")
    assert "the error probability of a race is 2.0" in run(*command, "--race", 2).message
    few = search_command(trained, table, tmp_path / "study.db")
    assert "it scores on 1 cases, and nothing is dropped before 4" in run(*few, "--race", 0.05).message
    assert not (tmp_path / "study.db").exists()


def test_scores_as_a_table(run: Run, trained: Path, table: Path, photos: Path, tmp_path: Path):
    """Of a study that is not exhausted it is refused, like a table of values."""
    storage, out = tmp_path / "study.db", tmp_path / "scores.npz"
    assert run(*raced(trained, table, photos, storage, 4)).status == 0
    message = run("tabulate", "--storage", storage, "--study", "s", "--scores", "--out", out).message
    assert "has 4 of 6561 choices" in message
    assert not out.exists()


def test_the_scores_of_the_package():
    """They agree with the file's own rounding, and the fastest of the uniform slices is the narrowest."""
    problem = ScoredProblem.read(Path(__file__).parents[3] / "mfagan" / "sr" / "weights" / "scores.npz")
    scores = problem.scores["psnr_db"]
    assert scores.shape == (6561, 24)
    np.testing.assert_allclose(scores / STEP, np.round(scores / STEP), atol=1e-3)
    latency_ms = [known.values["latency_ms"] for known in problem.foresee(problem.known_choices)]
    assert latency_ms == sorted(latency_ms, reverse=True)
    assert "mfagan tabulate" in problem.command
    assert set(problem.identity()) >= {"supernet_sha256", "images_sha256", "lut_sha256"}
