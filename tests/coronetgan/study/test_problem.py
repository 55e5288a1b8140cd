"""The search problem of CoroNetGAN's slices."""

import itertools
import json
from pathlib import Path

import pytest
import torch
from PIL import Image

from mfagan import checkpoint
from mfagan.coronetgan.study.problem import Scoring, SliceProblem
from mfagan.coronetgan.study.scoring.choices import as_choice
from mfagan.coronetgan.study.scoring.pictures import PictureSource, SlicePictures, read_pictures
from mfagan.coronetgan.study.scoring.scorer import TranslationScorer
from mfagan.errors import InputError
from mfagan.evaluation.inception import InceptionFeatures, kernel_distance
from mfagan.pretrained import load_lpips
from search.errors import SearchError
from search.latency import LatencyTable
from search.problem import Choice, Point
from search.racing.settings import Race
from search.running.settings import SearchSettings
from search.study import run_search
from search.testing import ProblemContract
from tests import tiny
from tests.coronetgan.study.small import (
    SIDE,
    build_problem,
    build_resnet,
    build_unet,
    write_study,
    write_table,
    write_translator,
)
from tests.inception_file import write_inception
from tests.pictures import draw

MIXED = (3, 8, 12, 8, 6, 2)
"""a, b, res, inner1, u1, u2."""


class TestResnets(ProblemContract):
    @pytest.fixture
    def problem(self, slice_files) -> SliceProblem:
        return build_problem(slice_files)


class TestUnets(ProblemContract):
    """Batch norm with running statistics, which each slice has of its own."""

    @pytest.fixture
    def problem(self, unet_files) -> SliceProblem:
        return build_problem(unet_files, quality="distance")


@pytest.fixture(scope="module")
def unet_files(tmp_path_factory) -> dict[str, Path]:
    return write_study(tmp_path_factory.mktemp("unet"), build_unet())


def test_prices_are_sums_over_blocks(slice_files):
    problem = build_problem(slice_files)
    entries = json.loads(slice_files["lut"].read_text())["entries"]
    wanted = sum(entries[block.key]["latency_ms"] for block in problem.blocks(MIXED))
    assert problem.price(MIXED) == pytest.approx(wanted)
    assert list(problem.choices) == ["a", "b", "res", "inner1", "u1", "u2"]
    assert problem.choices["res"] == (16, 12, 8)


def test_a_batch_scores_exactly_as_one_by_one(unet_files):
    problem = build_problem(unet_files)
    batch = [
        dict(zip(problem.choices, one, strict=True)) for one in itertools.product(*problem.choices.values())
    ]
    assert len(batch) == 27
    together = problem.evaluate(batch)
    alone = [build_problem(unet_files).evaluate([choice])[0] for choice in batch[::5]]
    assert [one.values for one in together[::5]] == [one.values for one in alone]
    assert [one.scores for one in together[::5]] == [one.scores for one in alone]


def test_distances_are_to_the_full_width_or_a_given_network(slice_files, tmp_path: Path):
    own = build_problem(slice_files, quality="distance")
    full = own.known_choices[0]
    assert own.evaluate([full])[0].values[0] == 0
    dense = build_resnet(seed=3)
    path = write_translator(tmp_path / "dense.safetensors", dense, "dense")
    other = build_problem(slice_files, quality="distance", unpruned=path)
    (found,) = other.evaluate([full])
    with torch.no_grad():
        x = other.scorer.pictures.inputs
        wanted = (other.network(x) - dense(x)).abs().mean().item() / 2
    assert found.values[0] == pytest.approx(wanted, abs=1e-6)
    assert other.identity()["unpruned_sha256"] == checkpoint.sha256(path)
    assert "unpruned_sha256" not in own.identity()


def test_trials_say_what_they_depend_on(slice_files):
    problem = build_problem(slice_files)
    identity = problem.identity()
    assert identity["supernet_sha256"] == checkpoint.sha256(slice_files["supernet"])
    assert identity["lut_sha256"] == LatencyTable.read(slice_files["lut"]).sha256
    assert (identity["quality"], identity["target_size"]) == ("psnr_db", "32x32")
    assert "statistics" not in identity
    (found,) = problem.evaluate([as_choice(MIXED, problem.choices)])
    assert found.attributes["supernet"] == str(slice_files["supernet"].resolve())
    assert found.attributes["quality"] == "psnr_db"
    assert [case.name for case in problem.cases] == ["0", "1", "2"]
    assert found.values[0] == pytest.approx(sum(found.scores["psnr_db"]) / 3)
    assert [tuple(one.values()) for one in problem.known_choices] == [
        (4, 8, 16, 16, 8, 4),
        (3, 6, 12, 12, 6, 3),
        (2, 4, 8, 8, 4, 2),
    ]


def test_statistics_are_part_of_the_identity(unet_files, tmp_path: Path):
    problem = build_problem(unet_files)
    assert problem.identity()["statistics"] == "of 3 pictures, a slice"
    pictures = problem.scorer.pictures
    other = SlicePictures(pictures.names, pictures.inputs, pictures.targets, pictures.others, pictures.inputs)
    assert pictures.sha256() != other.sha256()


def test_a_ceiling_is_a_constraint_and_an_impossible_one_is_refused(slice_files):
    free = build_problem(slice_files)
    full, cheap = (free.price(tuple(map(int, one.values()))) for one in free.known_choices[::2])
    problem = build_problem(slice_files, {"latency_ms": (cheap + full) / 2})
    found = problem.evaluate(list(free.known_choices[::2]))
    assert [one.feasible for one in found] == [False, True]
    with pytest.raises(InputError, match=f"least of all slices is {cheap:.6g} ms"):
        build_problem(slice_files, {"latency_ms": cheap / 2})


def test_files_of_another_kind_are_refused(slice_files, tmp_path: Path):
    table = write_table(tmp_path / "lut.json", build_resnet(), side=64)
    with pytest.raises(
        InputError, match="latency table: it is for pictures of 64x64 px, the study's are 32x32"
    ):
        build_problem(slice_files | {"lut": table})
    pruned = write_translator(tmp_path / "pruned.safetensors", build_resnet(), "pruned")
    with pytest.raises(InputError, match="its role is 'pruned', and its slices were not trained"):
        build_problem(slice_files | {"supernet": pruned})
    grey = write_translator(tmp_path / "grey.safetensors", build_resnet(in_channels=1))
    with pytest.raises(InputError, match="supernet: it makes 3 channels of 1; pictures have 3"):
        build_problem(slice_files | {"supernet": grey})
    checkpoint.save(tmp_path / "x.safetensors", checkpoint.Checkpoint("x", "x", {}, {}))
    with pytest.raises(InputError, match="its network is 'x', a translator of pictures is needed"):
        build_problem(slice_files, unpruned=tmp_path / "x.safetensors")
    broken = build_resnet()
    with torch.no_grad():
        broken.convs["output"].weight.fill_(float("inf"))  # pyright: ignore[reportCallIssue]
    with pytest.raises(
        InputError, match="unpruned network: its picture of 0 holds values that are not finite"
    ):
        TranslationScorer(broken, read_pictures(PictureSource(slice_files["data"]), SIDE))


def test_a_table_that_lacks_blocks_names_the_command(slice_files, tmp_path: Path):
    table = json.loads(slice_files["lut"].read_text())
    del table["entries"]["tail 3->3"]
    (tmp_path / "lut.json").write_text(json.dumps(table))
    with pytest.raises(SearchError, match="mfagan coronetgan lut build"):
        build_problem(slice_files | {"lut": tmp_path / "lut.json"})


def test_scoring_on_nothing_is_refused(slice_files, tmp_path: Path):
    with pytest.raises(InputError, match="0 pictures: give at least 1"):
        PictureSource(Path(), max_images=0)
    with pytest.raises(InputError, match="part 'all': give one of train, val, test"):
        PictureSource(Path(), "all")
    with pytest.raises(InputError, match="quality 'ssim': give one of psnr_db, distance"):
        Scoring(quality="ssim")  # pyright: ignore[reportArgumentType]
    with pytest.raises(InputError, match="extra objective 'fid': give one of memory, lpips, kid"):
        Scoring(extra_objective="fid")
    with pytest.raises(InputError, match="give --weights"):
        Scoring(extra_objective="lpips")
    with pytest.raises(InputError, match="give --inception"):
        Scoring(extra_objective="kid")
    draw(tmp_path / "test" / "1.png", 64, 32, seed=0)
    with pytest.raises(InputError, match="has no val"):
        build_problem(slice_files | {"data": tmp_path}, source={"part": "val"})


def test_pictures_of_one_domain_are_scored_by_distance(slice_files, tmp_path: Path):
    for i in range(2):
        Image.new("RGB", (40, 32), (50 * i, 100, 200)).save(tmp_path / f"{i}.png")
    files = slice_files | {"data": tmp_path}
    problem = build_problem(files)
    assert [one.name for one in problem.objectives] == ["distance", "latency_ms"]
    with pytest.raises(InputError, match="quality psnr_db: the pictures have no targets"):
        build_problem(files, quality="psnr_db")
    with pytest.raises(InputError, match="is a folder of pictures without trainA"):
        build_problem(files, source={"paired": True})


def test_lpips_is_a_third_objective(slice_files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    lpips = load_lpips(tiny.write_alexnet(tmp_path / "alexnet.pth", monkeypatch))
    problem = build_problem(slice_files, extra_objective="lpips", lpips=lpips)
    (found,) = problem.evaluate([as_choice(MIXED, problem.choices)])
    assert list(problem.raced) == ["psnr_db", "lpips"]
    assert problem.identity()["lpips_sha256"] == lpips.sha256()
    images = dict(problem.scorer.run(1, [MIXED]))
    assert problem.scorer.targets is not None
    wanted = lpips(2 * images[0][None] - 1, 2 * problem.scorer.targets[1][None] - 1).item()
    assert found.scores["lpips"][1] == pytest.approx(wanted)
    assert found.values[2] == pytest.approx(sum(found.scores["lpips"]) / 3)


@pytest.fixture(scope="module")
def features(tmp_path_factory: pytest.TempPathFactory) -> InceptionFeatures:
    weights = write_inception(tmp_path_factory.mktemp("inception") / "random.pth")
    return InceptionFeatures(weights, torch.device("cpu"))


def test_the_kernel_distance_is_to_the_other_domain(slice_files, features, tmp_path: Path):
    problem = build_problem(slice_files, extra_objective="kid", inception=features)
    (found,) = problem.evaluate([as_choice(MIXED, problem.choices)])
    images = [dict(problem.scorer.run(case, [MIXED]))[0] for case in range(3)]
    assert problem.scorer.targets is not None
    others = features(one[None] for one in problem.scorer.targets)
    assert found.values[2] == pytest.approx(kernel_distance(features(one[None] for one in images), others))
    assert list(found.scores) == ["psnr_db"]
    assert problem.objectives[2].label == "Kernel distance, not KID"
    assert problem.identity()["inception_sha256"] == features.sha256
    with pytest.raises(SearchError, match="cannot be raced"):
        run_search(problem, str(tmp_path / "s.db"), "s", SearchSettings(race=Race(0.05)))
    with pytest.raises(InputError, match="1 picture has no distribution"):
        build_problem(slice_files, source={"max_images": 1}, extra_objective="kid", inception=features)


def test_memory_is_a_third_objective(slice_files):
    problem = build_problem(slice_files, extra_objective="memory")
    (found,) = problem.evaluate([as_choice(MIXED, problem.choices)])
    assert found.values[2] == pytest.approx(problem.costs(MIXED).memory_bytes / 1e9)


def test_points_have_pictures_parts_and_a_drawing(slice_files):
    problem = build_problem(slice_files)
    described = problem.describe([Point(7, as_choice(MIXED, problem.choices), (20.0, 1.0))])
    assert [scene.name for scene in described.scenes] == ["0", "1", "2"]
    assert list(described.scenes[0].references) == ["input", "unpruned", "target"]
    point = described.points[7]
    assert set(point.pictures) == {"0", "1", "2"}
    parts = point.parts["latency_ms"]
    assert [name for name, _ in parts] == [
        "Stem",
        "Halving 1",
        "Halving 2",
        "Block",
        "Doubling 1",
        "Doubling 2",
        "Tail",
    ]
    assert sum(ms for _, ms in parts) == pytest.approx(problem.price(MIXED))
    assert point.drawing is not None
    assert [box.text for box in point.drawing.boxes][:8] == ["RGB", "3", "8", "12", "8", "6", "2", "RGB"]
    assert described.titles["u1"] == "Width after the first doubling"


def test_a_drawing_of_levels_has_a_way_in_a_way_out_and_skips(unet_files):
    problem = build_problem(unet_files)
    choice: Choice = {"level1": 4, "level2": 6, "level3": 8}
    drawing = problem.describe([Point(0, choice, (20.0, 1.0))]).points[0].drawing
    assert drawing is not None
    boxes = drawing.boxes
    assert [box.text for box in boxes][:7] == ["RGB", "4", "6", "8", "6", "4", "RGB"]
    assert [(boxes[i].text, boxes[j].text) for i, j in drawing.lines[6:]] == [("4", "4"), ("6", "6")]
    for inner, outer in ((2, 1), (3, 2)):  # below the skip around it
        assert boxes[inner].y > boxes[outer].y + boxes[outer].height / 2
