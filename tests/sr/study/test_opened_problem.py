"""`mfagan.search_problem`, `mfagan.reprice` and `mfagan.finetune`: from a search to a network, in Python."""

from pathlib import Path

import optuna
import pytest

import mfagan
from mfagan.latency import find_table
from mfagan.sr.shipped import SUPERGENERATOR
from mfagan.sr.study.problem import SubGeneratorProblem
from mfagan.sr.study.sources import Sources, read_sources
from search import StudyRecord, derive, load, pick, run
from search.latency import LatencyTable
from tests import tiny
from tests.command import Run


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write_photos(tmp_path_factory.mktemp("data") / "photos", 3, 160)


@pytest.fixture(scope="module")
def problem(photos: Path) -> SubGeneratorProblem:
    return mfagan.search_problem("litert-epyc-2-threads", images=photos, max_images=2, crop_px=64)


@pytest.fixture(scope="module")
def storage() -> optuna.storages.BaseStorage:
    return optuna.storages.InMemoryStorage()


@pytest.fixture(scope="module")
def record(problem: SubGeneratorProblem, storage: optuna.storages.BaseStorage) -> StudyRecord:
    run(problem, storage, "s", 6, population=4)
    return load(storage, "s")


def test_the_problem_is_that_of_the_command(record: StudyRecord, photos: Path, run: Run, tmp_path: Path):
    command = f"search --lut litert-epyc-2-threads --images {photos} --max-images 2 --crop 64 --trials 4"
    done = run(*command.split(), "--storage", tmp_path / "study.db", "--study", "s", "--population", "4")
    assert done.status == 0, done.err
    other = load(str(tmp_path / "study.db"), "s")
    assert other.identity == record.identity
    assert [point.values for point in other.points] == [point.values for point in record.points[:4]]
    assert read_sources(record.sources) == read_sources(other.sources)
    assert read_sources(record.sources) == Sources(
        SUPERGENERATOR, str(find_table("litert-epyc-2-threads")), str(photos), 2, 64
    )


def test_a_study_is_priced_for_another_device(problem, record, storage):
    lut = find_table("litert-epyc-1-thread")
    other = derive(mfagan.reprice(problem, record.points, lut), record, storage, "one thread")
    assert [point.choice for point in other.points] == [point.choice for point in record.points]
    assert [point.values[0] for point in other.points] == [point.values[0] for point in record.points]
    assert all(
        after.values[1] > before.values[1] for after, before in zip(other.points, record.points, strict=True)
    )
    assert [point.scores for point in other.points] == [point.scores for point in record.points]
    assert other.identity == dict(record.identity) | {"lut_sha256": LatencyTable.read(lut).sha256}
    assert other.origin == {"derived_from": "s"}
    assert derive(mfagan.reprice(problem, record.points, lut), record, storage, "one thread") == other


def test_a_point_is_fine_tuned(record: StudyRecord, photos: Path, tmp_path: Path):
    point = pick(record.points, record.objectives, knee=True)
    out = tmp_path / "small.safetensors"
    tuned = mfagan.finetune(point, out, photos, study="s", recipe=tiny.write_recipe(tmp_path), max_steps=2)
    assert tuned.psnr_after_db >= tuned.psnr_before_db
    assert mfagan.load(out, device="cpu").widths == tuple(point.choice.values())


def test_the_supergenerator_is_not_overwritten(record: StudyRecord):
    with pytest.raises(mfagan.InputError, match="supergenerator"):
        mfagan.finetune(record.points[0], SUPERGENERATOR, max_steps=1)


def test_a_table_that_is_not_there():
    with pytest.raises(mfagan.InputError, match="phone-of-nobody"):
        mfagan.search_problem("phone-of-nobody")
